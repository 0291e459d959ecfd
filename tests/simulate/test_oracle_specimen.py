import numpy as np
import pytest
import torch

from cryoccd.geometry import euler_to_matrix
from cryoccd.records import Atoms, Particles
from cryoccd.simulate.oracle_ice import WATER_PER_A3, IceNoise, structure_factor
from cryoccd.simulate.oracle_specimen import (
    DISPLACED_A3,
    POTENTIAL_V_A2,
    AtomGroups,
    SplatProjector,
    scattering_factor_A,
)

SIDE, PIXEL_A, ORIGIN = 96, 2.0, 48


def atoms_at(positions_A, elements):
    positions_A = np.array(positions_A, dtype=np.float64)
    return Atoms(positions_A, tuple(elements), np.zeros(len(elements)))


def one_particle(position_A, euler_deg):
    return Particles(
        np.array([position_A], dtype=float),
        np.array([euler_deg], dtype=float),
        np.zeros(1, dtype=np.int64),
        np.zeros(1, dtype=np.int64),
    )


def projector(**change):
    values = {"b_factor_A2": 40.0, "solvent_V": 4.0} | change
    return SplatProjector((SIDE, SIDE), PIXEL_A, ORIGIN, **values)


@pytest.mark.parametrize(("element", "value"), [("C", 2.509), ("N", 2.211), ("O", 1.983)])
def test_scattering_factor_at_zero_is_that_of_peng(element, value):
    at_zero = float(scattering_factor_A(element, torch.zeros(1)))
    assert at_zero == pytest.approx(value, abs=0.03)


def test_spectrum_is_the_direct_sum_over_rotated_atoms():
    rng = np.random.default_rng(0)
    local_A = rng.uniform(-30, 30, (60, 3))
    elements = ["C", "N", "O"] * 20
    euler, centre_A = (30.0, 70.0, -50.0), (6.0, -11.0, 40.0)
    groups = [[AtomGroups.of(atoms_at(local_A, elements))]]
    spectrum = projector().spectrum(one_particle(centre_A, euler), [0], groups)
    matrix = euler_to_matrix(torch.tensor(euler, dtype=torch.float64)).numpy()
    xy_A = (local_A @ matrix.T)[:, :2] + centre_A[:2] + ORIGIN * PIXEL_A
    for row, column in [(0, 0), (2, 3), (5, 1), (-4, 6)]:
        k = np.array([column, row]) / (SIDE * PIXEL_A)
        k_squared = float(k @ k)
        total = 0.0
        for (x, y), element in zip(xy_A, elements, strict=True):
            factor = float(scattering_factor_A(element, torch.tensor([k_squared])))
            solvent = 4 * DISPLACED_A3 * np.exp(-np.pi * DISPLACED_A3 ** (2 / 3) * k_squared)
            phase = np.exp(-2j * np.pi * (k[0] * x + k[1] * y))
            total = total + (POTENTIAL_V_A2 * factor - solvent) * phase
        total = total * np.exp(-40 / 4 * k_squared) / PIXEL_A**2
        assert abs(complex(spectrum[row, column]) - total) < 0.02 * abs(complex(spectrum[0, 0]))


def test_potential_peaks_where_the_particle_is():
    groups = [[AtomGroups.of(atoms_at([[0, 0, 0]], ["C"]))]]
    spectrum = projector(solvent_V=0.0).spectrum(one_particle((20, -30, 0), (0, 0, 0)), [0], groups)
    image = torch.fft.irfft2(spectrum, s=(SIDE, SIDE))
    peak = divmod(int(image.argmax()), SIDE)
    assert peak == (ORIGIN - 15, ORIGIN + 10)  # row = y, column = x
    integral_V_A3 = float(image.sum()) * PIXEL_A**2
    assert integral_V_A3 == pytest.approx(47.878 * 2.509, rel=0.01)


def test_ice_noise_has_the_spectrum_of_water():
    ice = IceNoise((128, 128), PIXEL_A, strength=2.0)
    thickness_A = torch.full((128, 128), 300.0)
    generator = torch.Generator().manual_seed(0)
    power = sum(ice.spectrum(thickness_A, generator).abs() ** 2 for _ in range(60)) / 60
    frequency = 20 / (128 * PIXEL_A)
    k_squared = torch.tensor([frequency**2])
    molecule_V_A3 = 47.878 * float(
        scattering_factor_A("O", k_squared) + 2 * scattering_factor_A("H", k_squared)
    )
    per_area = 4 * WATER_PER_A3 * 300 * float(structure_factor(k_squared.sqrt()))
    expected = per_area * molecule_V_A3**2 * (128 * PIXEL_A) ** 2 / PIXEL_A**4
    ring = torch.stack([power[20, 0], power[-20, 0], power[0, 20], power[12, 16], power[16, 12]])
    assert float(ring.mean()) == pytest.approx(expected, rel=0.2)


def test_structure_factor_has_its_limits():
    assert float(structure_factor(torch.zeros(1))) == pytest.approx(0.065, abs=1e-4)
    assert float(structure_factor(torch.tensor([0.27]))) == pytest.approx(1.5)
