"""Random fields with planted properties, for measures of noise."""

from itertools import pairwise

import torch

from cryoccd.fourier import radial_frequency
from cryoccd.imaging.masked_psd import random_field
from cryoccd.metrics.measure import Field

SIDE = 256
CENTRES = SIDE * torch.rand(8, 2, generator=torch.Generator().manual_seed(5))
DIAMETER_A = 150.0
PIXEL_A = 4.0


def field(image, picked=True):
    """A field on the scale that it has, with the same picks in every micrograph."""
    image = image.to(torch.float32)
    return Field(image, PIXEL_A, CENTRES if picked else None, DIAMETER_A if picked else None)


def noise(seed, blur_px=0.5, side=SIDE):
    """Gaussian noise of variance 1, white noise blurred by a Gaussian of this sigma."""
    k = radial_frequency((side, side)).double()
    return _random((-4 * (torch.pi * k * blur_px) ** 2).exp(), seed)


def gradient(seed, side=SIDE):
    """A slow field of variance 1, about one wave a field."""
    k = radial_frequency((side, side)).double()
    return _random(((k > 0) & (k < 1.5 / side)).double(), 1000 + seed)


def _random(power, seed):
    return random_field(power / power.mean(), torch.Generator().manual_seed(seed))


def figures(measure, real, made):
    """The figures of two lists of images, or of fields."""
    sides = ([x if isinstance(x, Field) else field(x) for x in side] for side in (real, made))
    return measure.compare(*([measure.describe(x) for x in side] for side in sides))


def rises(values, least_step):
    """Whether each value is larger than the last by a step."""
    return all(b > a + least_step for a, b in pairwise(values))
