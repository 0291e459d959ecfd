from math import isnan, sqrt
from statistics import fmean, stdev

import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.metrics.features.crop_features import CropMeasure, ScatteringExtractor
from cryoccd.metrics.features.feature_distance import FeatureDistance
from cryoccd.metrics.features.frechet import FeatureStatistics, frechet_distance, merge
from cryoccd.metrics.features.frechet_limit import FrechetLimit
from cryoccd.metrics.features.kid import KernelSums, kernel_distance
from cryoccd.metrics.images import normalised, take_crops
from cryoccd.metrics.measure import Field

NAMES = ["fd_scattering", "kid_scattering", "fd_scattering_inf"]


class Octaves(ScatteringExtractor):
    """Few features of small crops; counts how often it is called."""

    def __init__(self):
        super().__init__(16, J=2, L=4)
        self.calls = 0

    def forward(self, crops):
        self.calls += 1
        return super().forward(crops)


class Distances(CropMeasure):
    """Distances and their limit together."""

    def __init__(self, *arguments, **named):
        super().__init__(*arguments)
        self.parts = [kind(*arguments, **named) for kind in (FeatureDistance, FrechetLimit)]
        self.figures = tuple(figure for part in self.parts for figure in part.figures)

    def compare(self, real, made):
        return self.parts[0].compare(real, made) | self.parts[1].compare(real, made)

    def estimator(self, real, made):
        plain, limit = (part.estimator(real, made) for part in self.parts)
        return lambda i, j: plain(i, j) | limit(i, j)


def measure(**arguments):
    return Distances(Octaves(), 16, 8, **arguments)


def field(seed, blur=0.0, gain=1.0, offset=0.0, side=64):
    """White noise, partly averaged over neighbours."""
    image = torch.randn(side, side, generator=torch.Generator().manual_seed(seed))
    smooth = (image + image.roll(1, 0) + image.roll(1, 1)) / sqrt(3)
    mixed = (1 - blur) * image + blur * smooth
    return Field(normalised(gain * mixed + offset), 4.0)


def described(measure, seeds, **fault):
    return [measure.describe(field(seed, **fault)) for seed in seeds]


def draw(seed, micrographs, crops=6, d=4, shift=0.0, common=0.5):
    """Gaussian features; those of one micrograph share an offset of sd `common`."""
    generator = torch.Generator().manual_seed(seed)
    return [
        shift
        + common * torch.randn(1, d, generator=generator)
        + torch.randn(crops, d, generator=generator)
        for _ in range(micrographs)
    ]


def test_figures_are_those_of_the_functions():
    distance = measure()
    fields = [field(seed) for seed in range(6)]
    features = [distance.describe(x) for x in fields]
    by_hand = [Octaves()(take_crops(x.image, 16, 8, 0)) for x in fields]
    for mine, theirs in zip(features, by_hand, strict=True):
        assert mine.dtype == torch.float32
        assert torch.equal(mine, theirs)
    real, made = by_hand[:3], by_hand[3:]
    found = distance.compare(features[:3], features[3:])
    assert [figure.name for figure in distance.figures] == list(found) == NAMES
    one, two = (merge([FeatureStatistics.of(x) for x in side]) for side in (real, made))
    assert found["fd_scattering"] == pytest.approx(frechet_distance(one, two), rel=1e-12)
    sums = KernelSums.of(real, made)
    assert found["kid_scattering"] == kernel_distance(sums, range(3), range(3))
    assert isnan(found["fd_scattering_inf"])
    named = measure(frechet="fid").figures
    assert [figure.name for figure in named][::2] == ["fid_scattering", "fid_scattering_inf"]


def test_features_of_a_micrograph_are_worked_out_once():
    extractor, micrograph = Octaves(), field(0)
    one, two = FeatureDistance(extractor, 16, 8), FrechetLimit(extractor, 16, 8)
    assert one.describe(micrograph) is two.describe(micrograph)
    assert extractor.calls == 1
    FeatureDistance(extractor, 16, 4).describe(micrograph)
    assert extractor.calls == 2


@pytest.mark.parametrize(
    ("i", "j"), [((0, 2, 5, 9, 7), (1, 3, 4, 8)), ((6, 7, 1, 0), (9, 2, 3, 4))]
)
def test_a_pool_of_both_sides_gives_the_figures_of_any_disjoint_choice(i, j):
    distance, pool = measure(), draw(0, 10)
    expected = distance.compare([pool[k] for k in i], [pool[k] for k in j])
    assert distance.estimator(pool, pool)(i, j) == pytest.approx(expected, rel=1e-9, abs=1e-9)
    sums = KernelSums.of(pool, pool)
    assert kernel_distance(sums, i, j) == pytest.approx(expected["kid_scattering"], rel=1e-9)


def test_neither_order_nor_gain_nor_offset_matters():
    distance = measure()
    real, made = described(distance, range(9)), described(distance, range(9, 18), blur=0.3)
    found = distance.compare(real, made)
    turned = distance.compare(real[::-1], made[4:] + made[:4])
    assert turned == pytest.approx(found, rel=1e-9)
    brighter = described(distance, range(9, 18), blur=0.3, gain=7.0, offset=-3.0)
    assert distance.compare(real, brighter) == pytest.approx(found, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize(("n", "m"), [(8, 8), (9, 12)])
def test_the_extrapolated_distance_loses_the_bias(n, m):
    distance, shift = measure(), 0.3
    trials = [distance.compare(draw(k, n), draw(1000 + k, m, shift=shift)) for k in range(60)]
    truth = 4 * shift**2
    plain, inf = ([t[name] for t in trials] for name in ("fd_scattering", "fd_scattering_inf"))
    assert fmean(plain) - truth > 8 * stdev(plain) / sqrt(60)
    assert fmean(plain) - truth > 4 * abs(fmean(inf) - truth)
    assert stdev(inf) < 1.5 * stdev(plain)


def test_halves_are_drawn_by_lot_and_not_by_content():
    distance, found = measure(), []
    for seed in range(20):
        # two kinds of micrographs: halves of one kind each are 36 apart, fd_inf would be at -18
        kinds = torch.rand(24, generator=torch.Generator().manual_seed(seed)) < 0.5
        pool = [x + 3.0 * kind for x, kind in zip(draw(seed, 24), kinds, strict=True)]
        found.append(distance.compare(pool[:12], pool[12:])["fd_scattering_inf"])
    assert abs(fmean(found)) < 3 * stdev(found) / sqrt(20) < 3


def test_every_figure_grows_with_the_fault_and_is_small_without():
    distance = measure()
    real = described(distance, range(12))
    found = [
        distance.compare(real, described(distance, range(50, 62), blur=blur))
        for blur in (0.0, 0.1, 0.2, 0.4)
    ]
    for name in NAMES:
        floor, *values = [abs(figures[name]) for figures in found]
        assert floor < values[0] < values[1] < values[2]
        assert floor < 0.05 * values[2]


def test_too_little_is_named_or_undefined():
    distance = measure()
    assert distance.lacks(field(0)) == ""
    assert distance.lacks(field(0, side=40)) == "room for 8 crops of 16 px"
    assert all(isnan(value) for value in distance.compare([], draw(0, 3)).values())
    one = distance.compare(draw(0, 1), draw(1, 1))
    assert not isnan(one["fd_scattering"])
    assert isnan(one["kid_scattering"])
    assert isnan(distance.compare(draw(0, 1, crops=1), draw(1, 2))["fd_scattering"])
    with pytest.raises(CryoccdError, match="crops_per_micrograph = 0"):
        FeatureDistance(Octaves(), 16, 0)
