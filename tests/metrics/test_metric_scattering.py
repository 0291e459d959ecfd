from math import pi, sqrt

import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.metrics.features.scattering import WaveletScattering


@pytest.fixture(scope="module")
def scattering():
    return WaveletScattering(64)


def white(count, seed=0):
    return torch.randn(count, 64, 64, generator=torch.Generator().manual_seed(seed))


def test_number_of_features_and_the_version_of_the_bank(scattering):
    assert scattering.n_features == 417
    assert scattering(white(2)).shape == (2, 417)
    # a changed bank makes other figures: a new version must be meant
    assert scattering.version == "morlet-J4-L8-n64-30d254e762c7"
    assert WaveletScattering(32, J=2).version != WaveletScattering(32, J=3).version


def test_bank_obeys_littlewood_paley(scattering):
    power = scattering.filters.double().square().sum((0, 1))
    both = (power + power.flip(0, 1).roll((1, 1), (0, 1))) / 2
    assert float(both.max()) == pytest.approx(1, abs=1e-6)
    k = 2 * pi * torch.fft.fftfreq(64).abs()
    radius = torch.hypot(k[:, None], k[None, :])
    assert float(both[(radius > 0.35) & (radius < 2.6)].min()) > 0.3  # no hole in the band
    assert float(scattering.filters[:, :, 0, 0].abs().max()) == 0


def test_constant_and_plane_wave_have_closed_forms(scattering):
    flat = scattering(torch.full((1, 64, 64), 3.0))[0]
    assert float(flat[0]) == pytest.approx(3)
    assert float(flat[1:].abs().max()) < 1e-5
    columns = torch.arange(64, dtype=torch.float32)
    phase = 2 * pi * 12 / 64 * columns
    first = scattering(phase.cos().expand(1, 64, 64))[0, 1:33].reshape(4, 8)
    ahead, back = (scattering.filters[:, :, 0, k, None] for k in (12, -12))
    response = ahead * torch.exp(1j * phase) + back * torch.exp(-1j * phase)
    expected = response.abs().mean(-1) / 2 / scattering.norms
    torch.testing.assert_close(first, expected, atol=2e-3, rtol=0.01)
    assert int(first.argmax()) == 8  # scale 1 in the direction of x


def test_white_noise_gives_the_mean_of_a_rayleigh_variable(scattering):
    first = scattering(white(64))[:, 1:33].mean(0)
    torch.testing.assert_close(first, torch.full((32,), sqrt(pi) / 2), rtol=0.05, atol=0)


def test_agrees_with_plain_convolution_on_the_full_grid(scattering):
    x = white(2, 3).double()
    bank = scattering.filters.double()
    envelope = torch.fft.ifft2(torch.fft.fft2(x)[:, None, None] * bank).abs()
    first = envelope.mean((-2, -1)) / scattering.norms
    second = []
    for j1 in range(4):
        inner = torch.fft.fft2(envelope[:, j1])[:, :, None]
        for j2 in range(j1 + 1, 4):
            path = torch.fft.ifft2(inner * bank[j2]).abs().mean((-2, -1)) / scattering.norms[j2]
            second.append(path.flatten(1))
    expected = torch.cat([x.mean((-2, -1))[:, None], first.flatten(1), *second], 1)
    torch.testing.assert_close(scattering(x).double(), expected, rtol=0.01, atol=2e-3)


def test_shifts_change_nothing_and_a_quarter_turn_permutes_directions(scattering):
    x = torch.nn.functional.avg_pool2d(white(2, 1), 3, 1, 1)
    plain = scattering(x)
    torch.testing.assert_close(scattering(x.roll((5, 11), (1, 2))), plain, rtol=0.02, atol=5e-3)
    turned = scattering(x.rot90(1, (1, 2)))[:, 1:33].reshape(2, 4, 8)
    torch.testing.assert_close(
        turned, plain[:, 1:33].reshape(2, 4, 8).roll(4, -1), rtol=0.03, atol=5e-3
    )


def test_features_do_not_depend_on_the_batch(scattering):
    x = white(20, 2)
    together = scattering(x)
    torch.testing.assert_close(scattering(x[17:18])[0], together[17], rtol=0, atol=1e-6)
    assert torch.equal(scattering(x), together)


def test_wrong_sizes_are_refused(scattering):
    with pytest.raises(CryoccdError, match="crop: 60 px"):
        WaveletScattering(60)
    with pytest.raises(CryoccdError, match="expected"):
        scattering(torch.zeros(1, 32, 32))
