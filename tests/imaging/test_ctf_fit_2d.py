from math import cos, hypot, inf, radians, sin

import numpy as np
import pytest
import torch
from rings import coloured_noise, optics, spheres, thon

from cryoccd.errors import CryoccdError
from cryoccd.imaging.ctf_fit_2d import fit_ctf
from cryoccd.imaging.lens import Lens
from cryoccd.imaging.ring_cells import LEAST_RINGS, rings_in_band

KRIOS = (300.0, 2.7, 0.1, 0.0)
PLATE = (300.0, 2.7, 0.1, 90.0)
BEYOND = (200.0, 1.4, 0.07, 130.0)  # more than a quarter of a turn
CASES = [(10000, 100, 20), (15000, 300, 70), (20000, 600, 130), (30000, 200, 160)]


def vector(half_A, angle_deg):
    return half_A * cos(radians(2 * angle_deg)), half_A * sin(radians(2 * angle_deg))


def astigmatism_error(fit, half_A, angle_deg):
    return hypot(*np.subtract(fit.astigmatism_A, vector(half_A, angle_deg)))


@pytest.mark.parametrize(("mean_A", "half_A", "angle_deg"), CASES)
@pytest.mark.parametrize("lens", [KRIOS, PLATE, BEYOND])
def test_large_field_to_one_percent_and_fifty_angstrom(mean_A, half_A, angle_deg, lens):
    truth = optics(mean_A, half_A, angle_deg, 2.0, lens)
    fit = fit_ctf(thon(truth, (640, 700), seed=mean_A, floor=1.0), 2.0, Lens(*lens))
    assert fit.mean_A == pytest.approx(mean_A, rel=0.005)
    assert astigmatism_error(fit, half_A, angle_deg) < 50
    assert fit.has_rings
    if half_A >= 300:
        off_deg = (fit.angle_deg - angle_deg + 90) % 180 - 90
        assert abs(off_deg) < 4
        assert fit.defocus_u_A - fit.defocus_v_A == pytest.approx(2 * half_A, abs=60)


@pytest.mark.parametrize(("mean_A", "half_A", "angle_deg"), [*CASES, (12000, 1000, 95)])
def test_small_field(mean_A, half_A, angle_deg):
    truth = optics(mean_A, half_A, angle_deg)
    fit = fit_ctf(thon(truth, seed=mean_A), 4.0, Lens(*KRIOS))
    assert fit.mean_A == pytest.approx(mean_A, rel=0.01)
    assert astigmatism_error(fit, half_A, angle_deg) < 150


@pytest.mark.parametrize("lens", [KRIOS, PLATE])
def test_with_particles(lens):
    truth = optics(16000, 600, 40, lens=lens)
    specimen = 3 * spheres((256, 256), 20, 12, seed=1)
    fit = fit_ctf(thon(truth, seed=3, specimen=specimen), 4.0, Lens(*lens))
    assert fit.mean_A == pytest.approx(16000, rel=0.01)
    assert astigmatism_error(fit, 600, 40) < 150


def test_the_plate_must_be_known():
    image = thon(optics(16000, lens=PLATE), seed=4)
    told, untold = (fit_ctf(image, 4.0, Lens(*lens)) for lens in (PLATE, KRIOS))
    assert told.mean_A == pytest.approx(16000, rel=0.01)
    assert abs(untold.mean_A - 16000) > 1000


def test_swapping_the_axes_mirrors_the_angle():
    image = thon(optics(15000, 500, 25), seed=5)
    one, two = (fit_ctf(x, 4.0, Lens(*KRIOS)) for x in (image, image.T.contiguous()))
    assert two.mean_A == pytest.approx(one.mean_A, abs=5)
    assert (one.angle_deg + two.angle_deg) % 180 == pytest.approx(90, abs=1)


def test_scale_and_offset_do_not_matter():
    image = thon(optics(18000, 200, 100), seed=6).double()
    one, two = (fit_ctf(x, 4.0, Lens(*KRIOS)) for x in (image, -7 * image + 3))
    assert two.mean_A == pytest.approx(one.mean_A, rel=1e-6)
    assert two.score == pytest.approx(one.score, rel=1e-6)


def test_noise_with_two_fold_symmetry_is_no_astigmatism():
    image = thon(optics(15000), seed=7)
    k_x = torch.fft.rfftfreq(256)[None]
    k_y = torch.fft.fftfreq(256)[:, None]
    drift = torch.exp(-4 * (k_x * cos(0.5) + k_y * sin(0.5)) ** 2)
    moved = torch.fft.irfft2(torch.fft.rfft2(image) * drift, s=image.shape)
    still, drifted = (fit_ctf(x, 4.0, Lens(*KRIOS)) for x in (image, moved))
    assert hypot(*np.subtract(drifted.astigmatism_A, still.astigmatism_A)) < 100


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rings_are_followed_as_far_as_they_go(seed):
    """To the end of the band at 0.45 cycles a pixel, or until the specimen fades in the noise."""
    sharp, faded = (
        fit_ctf(thon(optics(28000), (512, 512), seed=seed, b_factor_A2=b), 4.0, Lens(*KRIOS))
        for b in (0.0, 1000.0)
    )
    assert sharp.resolution_A == pytest.approx(4.0 / 0.45, rel=0.02)
    assert 9.5 < faded.resolution_A < 14
    assert faded.has_rings


@pytest.mark.parametrize("side", [128, 256])
def test_noise_seldom_has_rings(side):
    fits = [fit_ctf(coloured_noise((side, side), seed), 4.0, Lens(*KRIOS)) for seed in range(50)]
    assert sum(fit.has_rings for fit in fits) <= 1
    assert all(fit.resolution_A == inf for fit in fits if not fit.has_rings)
    assert max(fit.score for fit in fits) > 0.7 * fits[0].least_score  # nor is it set too high


def test_bad_input_is_refused():
    lens = Lens(*KRIOS)
    with pytest.raises(CryoccdError, match="Fourier rings"):
        fit_ctf(torch.zeros(48, 200), 4.0, lens)
    with pytest.raises(CryoccdError, match="Fourier rings"):
        fit_ctf(torch.zeros(256, 256), 14.0, lens)
    with pytest.raises(CryoccdError, match="constant"):
        fit_ctf(torch.ones(128, 128), 4.0, lens)
    with pytest.raises(CryoccdError, match="range_A"):
        fit_ctf(torch.ones(128, 128), 4.0, lens, (3000, 2000))
    assert rings_in_band(torch.zeros(128, 128), 4.0) >= LEAST_RINGS
