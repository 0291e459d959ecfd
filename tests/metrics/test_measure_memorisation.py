from math import isnan

import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.metrics.features.crop_features import ScatteringExtractor
from cryoccd.metrics.features.memorisation import Memorisation, training_features
from cryoccd.metrics.images import normalised
from cryoccd.metrics.measure import Field

EXTRACTOR = ScatteringExtractor(16, J=2, L=4)


def image(seed, side=64):
    return torch.randn(side, side, generator=torch.Generator().manual_seed(seed))


def fields(seeds, noise=0.0):
    """Micrographs, each with a share of its variance replaced by fresh noise."""
    return [
        Field(normalised((1 - noise) ** 0.5 * image(s) + noise**0.5 * image(s + 500)), 4.0)
        for s in seeds
    ]


@pytest.fixture(scope="module")
def measure():
    training = training_features(EXTRACTOR, iter(fields(range(12))), 16, 64)
    assert training.shape == (12 * 16, EXTRACTOR.n_features)  # all that there is room for
    return Memorisation(EXTRACTOR, training, 16, 8)


def ratio(measure, made):
    fresh = [measure.describe(x) for x in fields(range(100, 112))]
    return measure.compare(fresh, [measure.describe(x) for x in made])["memorisation_ratio"]


def test_copies_are_at_zero_and_fresh_micrographs_at_one(measure):
    assert ratio(measure, fields(range(12))) == 0
    assert ratio(measure, fields(range(200, 212))) == pytest.approx(1, abs=0.05)


def test_falls_with_the_fidelity_and_the_share_of_copies(measure):
    blurred = [ratio(measure, fields(range(12), noise)) for noise in (0.5, 0.1, 0.02, 0.0)]
    assert 1.1 > blurred[0] > blurred[1] > blurred[2] > blurred[3]
    assert blurred[1] < 0.8
    shares = [ratio(measure, fields([*range(k), *range(200, 212 - k)])) for k in (0, 3, 5, 7)]
    assert shares[0] > shares[1] > shares[2] > shares[3] == 0


def test_distances_are_those_of_the_nearest_in_units_of_the_spread(measure):
    own = measure.describe(fields([300])[0])
    training = measure.training.double()
    crops = super(Memorisation, measure).describe(fields([300])[0]).double()
    units = training.std(0, correction=0)
    by_hand = ((crops[:, None] - training) / units).square().sum(-1).sqrt().amin(1)
    assert own.dtype == torch.float64
    torch.testing.assert_close(own, by_hand)


def test_a_constant_feature_does_not_count_by_its_rounding():
    training = torch.cat([torch.randn(20, 3), torch.full((20, 1), 0.1)], 1)
    assert Memorisation(EXTRACTOR, training).scale[3] == 1


def test_poor_data(measure):
    with pytest.raises(CryoccdError, match="no micrograph holds one of 128 px"):
        training_features(EXTRACTOR, fields([0]), 128)
    with pytest.raises(CryoccdError, match="training crops: 1"):
        Memorisation(EXTRACTOR, torch.zeros(1, 4))
    zeros = [torch.zeros(8, dtype=torch.float64)]
    assert isnan(measure.compare(zeros, zeros)["memorisation_ratio"])
    assert isnan(measure.compare([], zeros)["memorisation_ratio"])
