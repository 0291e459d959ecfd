"""The contract of every picker: a micrograph in, scored positions out."""

from abc import ABC, abstractmethod
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cryoccd.io.folder import MicrographFolder
from cryoccd.io.progress import progress_bar
from cryoccd.metrics.picking.picks import Picks

EXCLUSION = 0.5
"""Two picks are at least this many diameters apart: touching particles are one diameter apart."""


class Picker(ABC):
    """Finds particles; the same micrograph always gives the same picks.

    All peaks are returned, however low, so that a curve over scores is whole. Scores of two
    micrographs of one picker can be compared; those of two pickers cannot.

    Attributes:
        particle_diameter_A: diameter of the particles that it looks for.
    """

    particle_diameter_A: float

    @abstractmethod
    def pick(self, image: NDArray[np.float32], pixel_size_A: float) -> Picks:
        """Positions in pixels of the image, highest score first.

        Args:
            image: (h, w) micrograph on any scale, particles dark on light.
            pixel_size_A: its pixel size.

        Raises:
            CryoccdError: an image that cannot be picked: too small, constant or not finite.
        """


def pick_folder(
    picker: Picker, folder: MicrographFolder, names: Sequence[str], title: str = "picking"
) -> dict[str, Picks]:
    """Picks of several micrographs of a folder by their names."""
    with progress_bar() as progress:
        return {
            name: picker.pick(folder.image(name), folder.pixel_size_A)
            for name in progress.track(names, description=title)
        }
