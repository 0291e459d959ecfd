"""The floor: a picker that does not look.

Peaks of white noise under a Gaussian, with the exclusion radius of all pickers. In a crowded field
that hits far more than nothing: a position drawn anywhere lies within the radius r of one of the
particles with the chance density x pi r^2, so every figure of a picker is read beside this one.
"""

import hashlib

import numpy as np
import torch
from numpy.typing import NDArray

from cryoccd.downstream.picking.base import EXCLUSION, Picker
from cryoccd.downstream.picking.front import Front
from cryoccd.downstream.picking.peaks import find_peaks
from cryoccd.fourier import radial_frequency
from cryoccd.imaging.masked_psd import random_field
from cryoccd.metrics.picking.picks import Picks
from cryoccd.randomness import item_seed

_SIGMA = 0.15  # of the Gaussian, in diameters: as wide as the heat of a particle


class RandomPicker(Picker):
    """Random peaks; of two micrographs only equal ones get equal peaks.

    Args:
        front: for the scale.
        seed: of the noise; with the pixels of a micrograph it fixes the peaks.
    """

    def __init__(self, front: Front, seed: int = 0) -> None:
        self.particle_diameter_A = front.particle_diameter_A
        self._front, self._seed = front, seed

    def pick(self, image: NDArray[np.float32], pixel_size_A: float) -> Picks:
        """See `Picker.pick`."""
        grid = self._front.grid((image.shape[0], image.shape[1]), pixel_size_A)
        content = hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()
        generator = torch.Generator().manual_seed(item_seed(self._seed, "random picks", content))
        sigma_px = _SIGMA * self._front.diameter_px
        power = (-((2 * torch.pi * sigma_px * radial_frequency(grid.seen_px)) ** 2)).exp()
        field = random_field(power, generator)
        peaks = find_peaks(field, EXCLUSION * self._front.diameter_px)
        return Picks(grid.to_full(peaks.positions_px), peaks.scores)
