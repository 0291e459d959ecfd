"""Weak phase, phase object and multislice: their common limit and what sets them apart."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cryoccd.fourier import radial_frequency
from cryoccd.geometry import euler_to_matrix
from cryoccd.imaging.contrast import contrast
from cryoccd.imaging.projected import project
from cryoccd.imaging.projection import Projector
from cryoccd.imaging.slabs import planes_of
from cryoccd.imaging.transfer import transfer
from cryoccd.imaging.waves import Waves
from cryoccd.records import Optics, Particles, Scene, Volume

PIXEL_A, BOX, SIDE = 3.0, 40, 128
OPTICS = Optics(300, 2.7, 0.1, PIXEL_A, 15000, 14000, 30.0)
MODES = ("weak_phase", "phase_object", "multislice")


def blobs(height_V: float) -> Projector:
    """An object without symmetry, of detail well below two thirds of Nyquist."""
    axis = (torch.arange(BOX) - BOX // 2) * PIXEL_A
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    values = sum(
        weight * torch.exp(-((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2) / (2 * 6.0**2))
        for weight, a, b, c in ((1.0, 12, 0, -15), (0.7, -10, 14, 8), (0.5, 0, -16, 14))
    )
    return Projector(Volume((height_V * values).float(), PIXEL_A))


def scene(positions: list[list[float]], eulers: list[list[float]]) -> Scene:
    n = len(positions)
    particles = Particles(
        np.array(positions, dtype=float).reshape(n, 3),
        np.array(eulers, dtype=float).reshape(n, 3),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
    )
    ice = np.full((SIDE // 8, SIDE // 8), 600, np.float32)
    return Scene(particles, ("blob",), ice, (SIDE, SIDE), PIXEL_A)


TWO = scene([[150, 130, 200], [240, 260, -200]], [[20, 60, 40], [100, 120, -70]])


def image(height_V: float, mode: str, of: Scene = TWO, optics: Optics = OPTICS) -> torch.Tensor:
    projected = project(of, {"blob": blobs(height_V)})
    return contrast(projected, optics, scattering=mode).double()


def smooth(height_V_A: float, seed: int) -> torch.Tensor:
    """Two random slabs with nothing beyond half of Nyquist."""
    noise = torch.randn(2, 96, 96, generator=torch.Generator().manual_seed(seed))
    spectrum = torch.fft.rfft2(noise) * torch.exp(-((radial_frequency((96, 96), True) / 0.12) ** 2))
    field = torch.fft.irfft2(spectrum, s=(96, 96))
    return height_V_A * field / field.std()


def rms(values: torch.Tensor) -> float:
    return float(values.square().mean().sqrt())


@pytest.mark.parametrize("mode", MODES[1:])
def test_the_thin_limit_is_the_weak_phase_image(mode: str) -> None:
    weak = image(0.1, "weak_phase")
    # slabs and trilinear turns leave one to three percent; a wrong sign or height gives over 30 %
    assert rms(image(0.1, mode) - weak) < 0.03 * rms(weak)


@pytest.mark.parametrize("mode", MODES[1:])
def test_beyond_it_the_difference_grows_with_the_square_of_the_potential(mode: str) -> None:
    thin = image(0.05, mode) / 0.05
    one, two = (rms(image(v, mode) / v - thin) for v in (4.05, 8.05))
    assert two / one == pytest.approx(2, rel=0.15)  # relative to V: first order


@pytest.mark.parametrize("mode", MODES)
def test_an_empty_field_is_flat_and_a_pure_phase_object_keeps_the_electrons(mode: str) -> None:
    nothing = scene([], [])
    assert float(image(5.0, mode, nothing).abs().max()) == 0
    phase_only = replace(OPTICS, amplitude_contrast=0.0)
    centred = scene([[192, 192, 0]], [[0, 0, 0]])
    seen = image(8.0, mode, centred, phase_only)
    assert abs(float(seen.mean())) < 2e-3 * rms(seen)


def test_multislice_of_one_slab_is_the_phase_object() -> None:
    generator = torch.Generator().manual_seed(0)
    potential = 300 * torch.rand(96, 96, generator=generator)
    waves = Waves(OPTICS, (96, 96))
    one = waves.phase_object([(50.0, potential)])
    assert torch.allclose(waves.multislice([(50.0, potential)]), one, atol=1e-5)


def test_two_weak_slabs_superpose_wherever_they_lie() -> None:
    above, below = smooth(0.5, seed=1)
    waves = Waves(OPTICS, (96, 96))
    apart = waves.multislice([(300.0, above), (-300.0, below)])
    alone = waves.phase_object([(300.0, above)]) + waves.phase_object([(-300.0, below)])
    assert rms(apart - alone) < 1e-3 * rms(apart)
    swapped = waves.multislice([(300.0, below), (-300.0, above)])
    assert rms(apart - swapped) > 0.03 * rms(apart)


def test_a_strong_slab_shades_what_lies_below_it() -> None:
    """The wave that reaches the second slab is that of the first: doubly scattered electrons."""
    above, below = smooth(800, seed=2)
    waves = Waves(OPTICS, (96, 96))
    both = waves.multislice([(0.0, above), (0.0, below)])
    # no space between them: their phases add
    assert rms(both - waves.phase_object([(0.0, above + below)])) < 0.01 * rms(both)
    independent = waves.phase_object([(0.0, above), (0.0, below)])
    assert rms(both - independent) > 0.05 * rms(both)


def test_free_space_carries_a_wave_as_the_fresnel_integral_says() -> None:
    """A Gaussian of width s spreads to s sqrt(1 + (lambda z / (2 pi s^2))^2)."""
    side, sigma_A, z_A = 256, 12.0, 40000.0
    optics = replace(OPTICS, amplitude_contrast=0.0)
    waves = Waves(optics, (side, side))
    axis = (torch.arange(side) - side // 2) * PIXEL_A
    start = torch.exp(-(axis[:, None] ** 2 + axis**2) / (2 * sigma_A**2)).to(torch.complex64)
    moved = torch.fft.ifft2(torch.fft.fft2(start) * waves._space(z_A)).abs() ** 2
    width_A = float(((moved.sum(0) * axis**2).sum() / moved.sum()).sqrt()) * 2**0.5
    spread = optics.wavelength_A * z_A / (2 * np.pi * sigma_A**2)
    assert width_A == pytest.approx(sigma_A * np.hypot(1, spread), rel=2e-3)
    assert float(moved.sum()) == pytest.approx(float((start.abs() ** 2).sum()), rel=1e-4)


def test_planes_of_a_turned_particle_stand_at_their_heights() -> None:
    one = scene([[100.0, 160.0, 50.0]], [[30.0, 70.0, -40.0]])
    projectors = {"blob": blobs(3.0)}
    planes, heights_A = planes_of(one.particles, 0, one, projectors)
    mass = planes.potential.double().sum((1, 2))
    seen_A = [12.0, 0.0, -15.0], [-10.0, 14.0, 8.0], [0.0, -16.0, 14.0]
    turn = euler_to_matrix(torch.tensor([30.0, 70.0, -40.0]).double())
    turned = (turn @ torch.tensor(seen_A).double().T).T
    weights = torch.tensor([1.0, 0.7, 0.5]).double()
    expected = 50 + float((weights * turned[:, 2]).sum() / weights.sum())
    assert float((mass.numpy() * heights_A).sum() / mass.sum()) == pytest.approx(expected, abs=0.2)
    (projected,) = project(one, projectors).particles
    flat = planes.potential.sum(0)
    assert (planes.top, planes.left) == (projected.top, projected.left)
    assert rms(flat - projected.potential) < 0.02 * rms(projected.potential)


def test_the_map_comes_back_from_its_transform() -> None:
    generator = torch.Generator().manual_seed(3)
    values = torch.randn(16, 16, 16, generator=generator)
    assert torch.allclose(Projector(Volume(values, 2.0)).volume(), values, atol=1e-4)


@pytest.mark.parametrize(
    "change",
    [
        {"convergence_mrad": 0.6},
        {"defocus_spread_A": 8000.0},
        {"b_factor_A2": 600.0},
        {"phase_shift_deg": 90.0},
        {"beam_tilt_x_mrad": 20.0, "beam_tilt_y_mrad": -7.0},
    ],
)
@pytest.mark.parametrize("mode", MODES[1:])
def test_the_lens_of_the_wave_is_that_of_the_linear_image(change: dict, mode: str) -> None:
    optics = replace(OPTICS, cs_mm=20.0, **change)  # so that coma shows at this pixel size
    weak = image(0.1, "weak_phase", optics=optics)
    assert rms(image(0.1, mode, optics=optics) - weak) < 0.05 * rms(weak)
    plain = image(0.1, "weak_phase", optics=replace(OPTICS, cs_mm=20.0))
    assert rms(weak - plain) > 0.1 * rms(plain)


def test_heights_count_in_the_transfer() -> None:
    shape = (64, 64)
    lifted = transfer(OPTICS, shape, 800.0)
    moved = replace(OPTICS, defocus_u_A=14200, defocus_v_A=13200)
    assert torch.allclose(lifted, transfer(moved, shape), atol=1e-6)
