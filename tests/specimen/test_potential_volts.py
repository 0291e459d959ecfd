import numpy as np
import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.records import Atoms
from cryoccd.specimen.assemblies import assembly_atoms
from cryoccd.specimen.potential import potential
from cryoccd.specimen.scattering import (
    VITREOUS_ICE_V,
    VOLT_A2,
    atomic_masses,
    mean_inner_potential_V,
)

# International Tables C (2006), table 4.3.2.2
PENG = {
    "C": ((0.0893, 0.2563, 0.7570, 1.0487, 0.3575), (0.2465, 1.7100, 6.4094, 18.6113, 50.2523)),
    "O": ((0.0974, 0.2921, 0.6910, 0.6990, 0.2039), (0.2067, 1.3815, 4.6943, 12.7105, 32.4726)),
    "H": ((0.0349, 0.1201, 0.1970, 0.0573, 0.1195), (0.5347, 3.5867, 12.3471, 18.9525, 38.6269)),
}


def factor(element, frequency2):
    return sum(a * torch.exp(-b * frequency2 / 4) for a, b in zip(*PENG[element], strict=True))


def spectrum(volume):
    """Continuous transform at the grid's frequencies, and those (k_z, k_y, k_x) and k^2."""
    n, voxel = volume.box_px, volume.voxel_size_A
    values = torch.fft.fftn(torch.fft.ifftshift(volume.values.double())) * voxel**3
    k = torch.fft.fftfreq(n, voxel, dtype=torch.float64)
    grid = torch.stack(torch.meshgrid(k, k, k, indexing="ij"))
    return values, grid, (grid**2).sum(0)


def random_atoms(n, radius_A, seed=0):
    rng = np.random.default_rng(seed)
    points = rng.uniform(-radius_A, radius_A, (n, 3))
    elements = tuple(rng.choice(list(PENG), n).tolist())
    return Atoms(points, elements, rng.uniform(5, 60, n))


def test_constants_against_independent_figures():
    planck, electron_kg, charge = 6.62607015e-34, 9.1093837e-31, 1.602176634e-19
    assert pytest.approx(planck**2 / (2 * np.pi * electron_kg * charge) * 1e20, rel=1e-5) == VOLT_A2
    water = 2 * sum(PENG["H"][0]) + sum(PENG["O"][0])
    per_A3 = 0.93 / 18.01528 * 0.602214
    assert pytest.approx(VOLT_A2 * water * per_A3, rel=1e-3) == VITREOUS_ICE_V
    assert mean_inner_potential_V({"C": 1}, 2.0) == pytest.approx(12.05, abs=0.05)


@pytest.mark.parametrize("voxel_size_A", [0.5, 1.0, 1.53, 3.0, 10.0])
@pytest.mark.parametrize("b_factor_A2", [0.0, 40.0])
def test_one_carbon_is_the_five_gaussian_sum(voxel_size_A, b_factor_A2):
    carbon = Atoms(np.full((1, 3), 7.3), ("C",), np.array([b_factor_A2]))
    volume = potential(carbon, voxel_size_A, 32, bulk_solvent_V=None)
    assert volume.values.sum() * voxel_size_A**3 == pytest.approx(47.878 * 2.509, rel=2e-3)
    values, _, k2 = spectrum(volume)
    inside = k2 < (0.5 / voxel_size_A) ** 2 * 0.999
    expected = VOLT_A2 * factor("C", k2) * torch.exp(-b_factor_A2 * k2 / 4)
    error = (values - expected).abs()[inside]
    assert (error / expected[inside].clamp(min=0.01 * VOLT_A2)).max() < 0.01
    assert values[~(k2 < (0.5 / voxel_size_A) ** 2)].abs().max() < 1e-3  # band limit


@pytest.mark.parametrize(("voxel_size_A", "box_px"), [(1.37, 30), (2.5, 21)])
def test_many_atoms_are_the_direct_fourier_sum(voxel_size_A, box_px):
    atoms = random_atoms(60, 9.0)
    volume = potential(atoms, voxel_size_A, box_px, bulk_solvent_V=None)
    values, grid, k2 = spectrum(volume)
    masses = atomic_masses(atoms.elements)
    centred = torch.from_numpy(atoms.positions_A - np.average(atoms.positions_A, 0, masses))
    expected = torch.zeros_like(values)
    for (x, y, z), element, b in zip(centred, atoms.elements, atoms.b_factors_A2, strict=True):
        phase = grid[0] * z + grid[1] * y + grid[2] * x
        wave = torch.polar(torch.ones_like(phase), -2 * np.pi * phase)
        expected += VOLT_A2 * factor(element, k2) * torch.exp(-float(b) * k2 / 4) * wave
    inside = k2 < (0.5 / voxel_size_A) ** 2 * 0.999
    error = (values - expected)[inside].abs().square().mean().sqrt()
    assert error < 0.01 * expected[inside].abs().square().mean().sqrt()


def test_axes_are_z_y_x_and_the_centre_of_mass_is_voxel_n_half():
    far = np.array([[0.0, 0, 0], [12, 0, 0], [0, 8, 0], [0, 0, 4]])
    atoms = Atoms(far, ("C",) * 4, np.full(4, 20.0))
    values = potential(atoms, 1.0, 48, bulk_solvent_V=None).values
    peaks = torch.nonzero(values > 0.7 * values.max()).tolist()
    assert sorted(peaks) == sorted([[23, 22, 21], [23, 22, 33], [23, 30, 21], [27, 22, 21]])


@pytest.mark.parametrize("bulk_solvent_V", [None, VITREOUS_ICE_V])
def test_shifting_changes_nothing_and_a_quarter_turn_turns_the_map(bulk_solvent_V):
    atoms = random_atoms(80, 8.0, seed=1)
    still = potential(atoms, 1.5, 30, bulk_solvent_V).values
    moved = Atoms(
        atoms.positions_A + np.array([5.31, -2.2, 9.9]), atoms.elements, atoms.b_factors_A2
    )
    tolerance = 0.015 * still.abs().max()
    assert (potential(moved, 1.5, 30, bulk_solvent_V).values - still).abs().max() < tolerance
    x, y, z = atoms.positions_A.T
    turned = Atoms(np.stack([-y, x, z], 1), atoms.elements, atoms.b_factors_A2)
    got = potential(turned, 1.5, 31, bulk_solvent_V).values
    reference = potential(atoms, 1.5, 31, bulk_solvent_V).values
    expected = reference.transpose(1, 2).flip(2)  # x' = -y, y' = x; 31 is odd: about its middle
    assert (got - expected).abs().max() < tolerance


def test_every_voxel_size_gives_the_same_low_frequencies():
    rng = np.random.default_rng(2)
    points = rng.uniform(-15, 15, (1500, 3))
    atoms = Atoms(points, ("C",) * 1500, np.full(1500, 30.0))
    box_A = 80.0
    low = {}
    for box in (16, 27, 40, 64):
        values, _, k2 = spectrum(potential(atoms, box_A / box, box))
        order = (torch.fft.fftfreq(box, 1 / box).round().long().abs() <= 7).nonzero().flatten()
        kept = values[order][:, order][:, :, order]
        k2 = k2[order][:, order][:, :, order]
        low[box] = kept * (k2 < (7 / box_A) ** 2)
    for box in (16, 27, 40):
        error = (low[box] - low[64]).abs().square().mean().sqrt()
        assert error < 0.02 * low[64].abs().square().mean().sqrt()


def test_the_interior_is_protein_minus_ice_and_the_outside_zero():
    rng = np.random.default_rng(3)
    n = 4000
    points = rng.normal(size=(n, 3))
    points *= (20 * rng.random((n, 1)) ** (1 / 3)) / np.linalg.norm(points, axis=1, keepdims=True)
    atoms = Atoms(points, ("C",) * n, np.full(n, 80.0))
    vacuum = potential(atoms, 2.0, 40, None).values
    wet = potential(atoms, 2.0, 40).values
    axis = torch.arange(40) - 20
    radius_A = 2.0 * (axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis**2).sqrt()
    inside, outside = radius_A < 14, (radius_A > 28) & (radius_A < 36)
    assert (vacuum - wet)[inside].mean() == pytest.approx(VITREOUS_ICE_V, rel=0.02)
    assert abs(wet[outside].mean()) < 0.02
    edge = (vacuum - wet)[(radius_A > 19) & (radius_A < 22)]
    assert ((edge > 0.5) & (edge < 4.0)).any()  # soft, no jump


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"voxel_size_A": 0.0}, "voxel_size_A = 0"),
        ({"voxel_size_A": float("nan")}, "voxel_size_A = nan"),
        ({"box_px": 12}, "expected at least 22"),
    ],
)
def test_bad_requests_give_one_line(change, said):
    atoms = Atoms(np.array([[-10.0, 0, 0], [10, 0, 0]]), ("C", "C"), np.zeros(2))
    with pytest.raises(CryoccdError, match=said):
        potential(atoms, **{"voxel_size_A": 1.0, "box_px": 32, **change})


def test_an_unknown_element_is_refused():
    atoms = Atoms(np.zeros((1, 3)), ("Xx",), np.zeros(1))
    with pytest.raises(CryoccdError, match="element 'Xx'"):
        potential(atoms, 1.0, 32)


def test_proteins_displace_their_specific_volume():
    atoms = assembly_atoms("dimer_d2")
    voxel_A = 3.0
    displaced = potential(atoms, voxel_A, 80, None).values - potential(atoms, voxel_A, 80).values
    volume_A3 = float(displaced.double().sum()) * voxel_A**3 / VITREOUS_ICE_V
    mass = atomic_masses(atoms.elements).sum()
    assert volume_A3 / mass * 0.602214 == pytest.approx(0.73, abs=0.02)  # cm^3/g
