"""What figures are read against: white noise, the ceiling, and real micrographs, the floor."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import torch

from cryoccd.metrics.images import normalised
from cryoccd.metrics.measure import Field
from cryoccd.randomness import item_seed


def white_like(fields: Iterable[Field], seed: int) -> Iterator[Field]:
    """White Gaussian noise on the fields and at the picks of other micrographs: it knows nothing.

    Args:
        fields: micrographs.
        seed: of the noise.
    """
    for number, field in enumerate(fields):
        generator = torch.Generator().manual_seed(item_seed(seed, "white", number))
        noise = torch.randn(field.image.shape, generator=generator)
        yield replace(field, image=normalised(noise), clean=None, optics=None)
