"""CMMD against the published code's formula, closed forms, and faults that it must see."""

import math

import pytest
import torch
from random_clip import clip_state

from cryoccd.errors import CryoccdError
from cryoccd.metrics.features.cmmd import SCALE, SIGMA, Cmmd
from cryoccd.metrics.images import normalised
from cryoccd.metrics.measure import Field
from cryoccd.metrics.networks.clip import ClipFeatures
from cryoccd.metrics.networks.eight_bit import EightBit, tone_limits


class Directions:
    """Crops to unit vectors: a fixed random projection of their spectrum."""

    name, version = "clip", "directions"

    def __call__(self, crops):
        power = torch.fft.rfft2(crops).abs().log1p().flatten(1)
        generator = torch.Generator().manual_seed(9)
        matrix = torch.randn(power.shape[1], 12, generator=generator)
        return torch.nn.functional.normalize((power - power.mean(1, keepdim=True)) @ matrix, dim=1)


def published(x, y):
    """The published `mmd(x, y)` line by line, in float64."""
    x, y = x.double(), y.double()
    gamma = 1 / (2 * 10**2)

    def mean_kernel(a, b):
        a_sqnorms, b_sqnorms = torch.diag(a @ a.T), torch.diag(b @ b.T)
        exponent = -2 * (a @ b.T) + a_sqnorms[:, None] + b_sqnorms[None, :]
        return torch.exp(-gamma * exponent).mean()

    return float(1000 * (mean_kernel(x, x) + mean_kernel(y, y) - 2 * mean_kernel(x, y)))


def embeddings(seed, counts, shift=0.0, d=6):
    generator = torch.Generator().manual_seed(seed)
    sets = [torch.randn(n, d, generator=generator) + shift for n in counts]
    return [torch.nn.functional.normalize(x, dim=1) for x in sets]


def test_the_published_formula():
    measure = Cmmd(Directions())
    real, made = embeddings(0, [5, 1, 7]), embeddings(1, [4, 6], 0.7)
    value = measure.compare(real, made)["cmmd_clip"]
    assert value == pytest.approx(published(torch.cat(real), torch.cat(made)), rel=1e-9)
    assert value > 1
    again = measure.compare(real[::-1], made[::-1])["cmmd_clip"]
    assert again == pytest.approx(value, rel=1e-9)
    assert measure.compare(real, real)["cmmd_clip"] == pytest.approx(0, abs=1e-9)


def test_two_points():
    one, two = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    expected = 2 * SCALE * (1 - math.exp(-1 / SIGMA**2))
    assert Cmmd(Directions()).compare([one], [two])["cmmd_clip"] == pytest.approx(expected)


def test_chosen_micrographs():
    measure = Cmmd(Directions())
    pool = embeddings(3, [3, 4, 5, 2, 6])
    estimate = measure.estimator(pool, pool)
    for i, j in (([0, 3], [1, 2]), ([4], [0]), (range(2), range(2, 5))):
        direct = measure.compare([pool[k] for k in i], [pool[k] for k in j])
        assert estimate(i, j) == pytest.approx(direct, rel=1e-9)


def test_the_same_process_gives_the_bias_of_a_v_statistic():
    """1000 (1/n + 1/m) (1 - E k), with E k of independent unit vectors to second order."""
    n, d = 40, 6
    measure = Cmmd(Directions())
    values = [
        measure.compare(embeddings(2 * s, [n], d=d), embeddings(2 * s + 1, [n], d=d))["cmmd_clip"]
        for s in range(60)
    ]
    expected = 1000 * 2 / n * (1 - math.exp(-1 / SIGMA**2))
    assert sum(values) / 60 == pytest.approx(expected, rel=0.1)


def fields(seed, n=4, fault=lambda image: image):
    generator = torch.Generator().manual_seed(seed)
    made = []
    for _ in range(n):
        spectrum = torch.fft.rfft2(torch.randn(96, 96, generator=generator))
        radius = torch.hypot(torch.fft.fftfreq(96)[:, None], torch.fft.rfftfreq(96)[None])
        image = torch.fft.irfft2(spectrum / (0.05 + radius))
        made.append(Field(normalised(fault(image)), 2.0))
    return made


def blurred(share):
    def blur(image):
        kernel = torch.tensor([share, 1.0, share]) / (1 + 2 * share)
        padded = torch.nn.functional.pad(image[None, None], (1, 1, 1, 1), mode="circular")
        return torch.nn.functional.conv2d(padded, (kernel[:, None] * kernel)[None, None])[0, 0]

    return blur


def whitened(strength):
    generator = torch.Generator().manual_seed(7)
    return lambda image: image + strength * image.std() * torch.randn(96, 96, generator=generator)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    path = tmp_path_factory.mktemp("clip") / "clip.bin"
    torch.save(clip_state(width=64, depth=1, patch_px=4, patches=8, projection=24), path)
    return EightBit(ClipFeatures(path), tone_limits(f.image for f in fields(0)))


@pytest.mark.parametrize("fault", [blurred, whitened])
@pytest.mark.parametrize("network", ["directions", "clip"])
def test_grows_with_a_fault(fault, network, clip):
    extractor = clip if network == "clip" else Directions()
    measure = Cmmd(extractor, crop_px=32, crops_per_micrograph=9)
    real = [measure.describe(f) for f in fields(0)]
    strengths = (0.0, 0.15, 0.4, 1.0)
    values = [
        measure.compare(real, [measure.describe(f) for f in fields(1, fault=fault(s))])
        for s in strengths
    ]
    (name,) = {name for value in values for name in value}
    assert name == ("cmmd_custom" if network == "clip" else "cmmd_clip")
    found = [value[name] for value in values]
    assert found == sorted(found)
    assert found[-1] > 3 * found[0] > 0


def test_gain_and_offset_do_not_matter():
    measure = Cmmd(Directions(), crop_px=32, crops_per_micrograph=9)
    plain, scaled = fields(0, 1), fields(0, 1, lambda image: 7 * image - 3)
    one, two = measure.describe(plain[0]), measure.describe(scaled[0])
    torch.testing.assert_close(one, two, rtol=0, atol=1e-5)


def test_poor_data():
    measure = Cmmd(Directions(), crop_px=32, crops_per_micrograph=9)
    assert measure.lacks(Field(torch.zeros(95, 96), 2.0)) == "room for 9 crops of 32 px"
    assert measure.lacks(Field(torch.zeros(96, 96), 2.0)) == ""
    statistic = measure.describe(fields(0, 1)[0])
    assert statistic.shape == (9, 12)
    assert math.isnan(measure.compare([], [statistic])["cmmd_clip"])
    assert math.isnan(measure.compare([statistic], [])["cmmd_clip"])
    assert math.isnan(measure.estimator([statistic], [statistic])([0], [])["cmmd_clip"])
    with pytest.raises(CryoccdError, match="crops_per_micrograph = 0"):
        Cmmd(Directions(), crops_per_micrograph=0)


def test_what_is_recorded():
    told = Cmmd(Directions(), seed=3).protocol()
    assert told["extractor"] == "directions"
    assert (told["crop_px"], told["crops_per_micrograph"], told["seed"]) == (64, 16, 3)
    assert "1000 x Gaussian of sigma 10" in told["kernel"]
