"""The filter of half-tomograms against what a Wiener filter must do."""

import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.imaging.half_filter import half_filtered, wiener

SHAPE = (24, 64, 64)


def smooth_field(seed):
    """Random, with the spectrum of a Gaussian of 2 voxels."""
    generator = torch.Generator().manual_seed(seed)
    axes = (torch.fft.fftfreq(24), torch.fft.fftfreq(64), torch.fft.rfftfreq(64))
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    blur = torch.exp(-((z**2 + y**2 + x**2) / (2 * 0.08**2)))
    noise = torch.randn(SHAPE, generator=generator)
    return torch.fft.irfftn(torch.fft.rfftn(noise) * blur, s=SHAPE) * 6


@pytest.mark.parametrize("noise", [0.5, 2.0])
def test_it_comes_nearer_to_the_truth_than_any_common_low_pass(noise):
    truth = smooth_field(0)
    odd, even = (truth + noise * torch.randn(SHAPE, generator=g) for g in _generators(2))
    found = half_filtered(odd, even)
    error = (found - truth).square().mean()
    axes = (torch.fft.fftfreq(24), torch.fft.fftfreq(64), torch.fft.rfftfreq(64))
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    k = (z**2 + y**2 + x**2).sqrt()
    mean = torch.fft.rfftn((odd + even) / 2)
    for cut in torch.linspace(0.02, 0.5, 25):
        low_passed = torch.fft.irfftn(mean * (k < cut), s=SHAPE)
        assert error < 1.02 * (low_passed - truth).square().mean()
    # and as near as the filter that knows both spectra
    blur = torch.exp(-(k**2) / (2 * 0.08**2)) * 6
    ideal = blur**2 / (blur**2 + noise**2 / 2)
    best = (torch.fft.irfftn(mean * ideal, s=SHAPE) - truth).square().mean()
    assert error < 1.05 * best


def test_without_noise_nothing_changes_and_with_little_signal_little_is_left():
    truth = smooth_field(1)
    torch.testing.assert_close(half_filtered(truth, truth), truth, atol=1e-3, rtol=0)
    odd, even = (0.1 * truth + torch.randn(SHAPE, generator=g) for g in _generators(2))
    assert half_filtered(odd, even).std() < 0.1 * ((odd + even) / 2).std()


def test_beyond_the_first_shell_without_agreement_all_is_noise():
    weights = wiener(torch.tensor([1.0, 0.5, -0.1, 0.4]))
    torch.testing.assert_close(weights, torch.tensor([1.0, 2 / 3, 0.0, 0.0]))


def test_halves_must_match():
    with pytest.raises(CryoccdError, match="expected one"):
        half_filtered(torch.zeros(4, 4, 4), torch.zeros(4, 4, 6))


def _generators(count):
    return [torch.Generator().manual_seed(10 + index) for index in range(count)]


def test_halves_that_agree_on_nothing_are_refused():
    odd = torch.randn(SHAPE, generator=torch.Generator().manual_seed(5))
    with pytest.raises(CryoccdError, match="agree on nothing, so nothing is left; take more tilts"):
        half_filtered(odd, -odd)
