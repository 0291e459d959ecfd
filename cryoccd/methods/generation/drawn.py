"""Boxes from a generator, each with a seed of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.methods.generation.places import Place
from cryoccd.methods.volume_generator import VolumeGenerator


@dataclass(frozen=True)
class Wanted:
    """A box to be drawn.

    Args:
        name: for messages.
        label: class of the particle in the middle.
        seed: of all its randomness.
        place: what else the model is told.
    """

    name: str
    label: int
    seed: int
    place: Place


def drawn(
    model: VolumeGenerator, wanted: Sequence[Wanted], device: str = "cpu"
) -> list[NDArray[np.float32]]:
    """(b, b, b) boxes, each the same alone and in any batch but for rounding.

    Args:
        model: on the device.
        wanted: with a density each, or none of them.
        device: where the model is.

    Raises:
        CryoccdError: the model gave NaN, or cannot be told a density.
    """
    densities = [each.place.density for each in wanted]
    told = [density for density in densities if density is not None]
    boxes = model.sample(
        torch.tensor([each.label for each in wanted], device=device),
        torch.tensor([each.place.position for each in wanted], device=device),
        [torch.Generator().manual_seed(each.seed) for each in wanted],
        torch.stack(told).to(device) if told else None,
    )
    values = boxes[:, 0].to("cpu", torch.float32)
    for each, box in zip(wanted, values, strict=True):
        if not bool(torch.isfinite(box).all()):
            raise CryoccdError(f"{each.name}: the model gave NaN; fit it again")
    return list(values.numpy())
