"""What figures are read against: white noise, the ceiling, and real micrographs, the floor."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch

from cryoccd.metrics.images import normalised
from cryoccd.metrics.measure import Field, Fields
from cryoccd.randomness import item_seed


@dataclass(frozen=True)
class WhiteLike:
    """White Gaussian noise on the fields and at the picks of other micrographs: it knows nothing.

    Args:
        fields: micrographs.
        seed: of the noise.
    """

    fields: Fields
    seed: int

    def __len__(self) -> int:
        return len(self.fields)

    def __iter__(self) -> Iterator[Field]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int) -> Field:
        """The noise in place of one micrograph."""
        field = self.fields[index]
        generator = torch.Generator().manual_seed(item_seed(self.seed, "white", index))
        noise = torch.randn(field.image.shape, generator=generator)
        return replace(field, image=normalised(noise), clean=None, optics=None)
