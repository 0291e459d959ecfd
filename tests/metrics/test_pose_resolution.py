import numpy as np
import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.metrics.pose.resolution import resolution, sphere_mask, structure_mask

SIDE, VOXEL_A = 32, 2.0


def noise(seed):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(SIDE,) * 3)).float()


def low_passed(volume, shell):
    """Shells up to one, of radius as the FSC counts it."""
    f = torch.fft.fftfreq(SIDE, 1 / SIDE)
    radius = (f[:, None, None] ** 2 + f[:, None] ** 2 + f**2).sqrt().round()
    return torch.fft.ifftn(torch.fft.fftn(volume) * (radius <= shell)).real


def test_a_map_that_ends_at_a_known_shell():
    truth = noise(0)
    volume = low_passed(truth, 10) + noise(1) - low_passed(noise(1), 10)
    found = resolution(volume, truth, VOXEL_A)
    # 64 A over shell 10 to 11, where the curve falls from 1 to near 0 through 0.5
    assert found.truth_A == pytest.approx(64 / 10.5, rel=0.01)
    assert found.halves is None
    assert found.half_map_A is None
    assert resolution(truth, truth, VOXEL_A).truth_A == 2 * VOXEL_A


def test_halves_at_0_143_are_the_map_at_0_5():
    """Half-maps with noise of equal power in each shell (Rosenthal & Henderson 2003, eq. 17)."""
    truth = noise(0)
    f = torch.fft.fftfreq(SIDE, 1 / SIDE)
    radius = (f[:, None, None] ** 2 + f[:, None] ** 2 + f**2).sqrt()
    rising = torch.exp((radius - 8) / 3)
    one, two = (truth + torch.fft.ifftn(torch.fft.fftn(noise(s)) * rising).real for s in (1, 2))
    found = resolution((one + two) / 2, truth, VOXEL_A, halves=(one, two))
    assert found.half_map_A == pytest.approx(found.truth_A, rel=0.1)
    half, whole = found.halves.values[3:14], found.truth.values[3:14]
    np.testing.assert_allclose(np.sqrt(2 * half / (1 + half)), whole, atol=0.1)


def test_a_mask_keeps_out_the_noise_of_the_solvent():
    truth = low_passed(noise(0), 12) * sphere_mask(SIDE, 6)
    volume = truth + 0.3 * noise(1)
    bare = resolution(volume, truth, VOXEL_A).truth_A
    for mask in (sphere_mask(SIDE, 8), structure_mask(truth)):
        assert resolution(volume, truth, VOXEL_A, mask).truth_A < 0.9 * bare


def test_soft_masks():
    ball = sphere_mask(SIDE, 8, edge_px=4)
    profile = ball[SIDE // 2, SIDE // 2, SIDE // 2 :]
    np.testing.assert_allclose(profile[:9], 1)
    assert float(profile[10]) == pytest.approx(0.5)
    np.testing.assert_allclose(profile[12:], 0, atol=1e-6)
    point = torch.zeros((SIDE,) * 3)
    point[SIDE // 2, SIDE // 2, SIDE // 2] = 5
    grown = structure_mask(point, reach_px=8, edge_px=4)
    torch.testing.assert_close(grown, ball)


def test_what_does_not_fit_is_refused():
    with pytest.raises(CryoccdError, match=r"map \(32, 32, 32\) beside \(16, 16, 16\)"):
        resolution(noise(0), noise(0)[::2, ::2, ::2], VOXEL_A)
    with pytest.raises(CryoccdError, match="expected matter to be positive"):
        structure_mask(torch.zeros(8, 8, 8))
