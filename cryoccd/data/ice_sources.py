"""Where the ice of the simulated side comes from: its own model, or maps of real micrographs."""

from typing import Protocol

import numpy as np
from torch import Tensor

from cryoccd.data.ice_maps import transmission, upsample
from cryoccd.data.real import RealPool
from cryoccd.data.windows import random_window


class IceSource(Protocol):
    """Gives the ice of a simulated micrograph."""

    def __call__(
        self, thickness_A: Tensor, shape_px: tuple[int, int], rng: np.random.Generator
    ) -> Tensor:
        """(h, w) relative transmission in (0, 1], given the thickness at 1/8 size."""


class ModelIce:
    """The thickness that the micrograph was simulated with."""

    def __call__(
        self, thickness_A: Tensor, shape_px: tuple[int, int], rng: np.random.Generator
    ) -> Tensor:
        """(h, w) relative transmission of the simulated ice."""
        height, width = (8 * side for side in thickness_A.shape)
        return upsample(transmission(thickness_A), (height, width))[: shape_px[0], : shape_px[1]]


class RealIce:
    """A random window of the map of a random real training micrograph.

    The pixel sizes agree, so the window keeps the scale of the ice. Where the real micrograph is
    the smaller one, its whole map is stretched over the field.
    """

    def __init__(self, pool: RealPool) -> None:
        self._pool = pool

    def __call__(
        self, thickness_A: Tensor, shape_px: tuple[int, int], rng: np.random.Generator
    ) -> Tensor:
        """(h, w) relative transmission drawn from the real side."""
        index = int(rng.integers(len(self._pool)))
        real_shape = self._pool[index].image.shape
        ice = self._pool.ice(index)
        if any(real < side for real, side in zip(real_shape, shape_px, strict=True)):
            return upsample(ice, shape_px)
        return upsample(ice, real_shape)[random_window(real_shape, shape_px, rng)].clone()
