"""Particles cut out of their micrographs, bright on dark as RELION has them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.export.labelled import Labelled
from cryoccd.io.export.options import ExportOptions
from cryoccd.io.mrc import read_mrc_shape

BACKGROUND_RADIUS = 0.375
"""Background is what lies outside a circle of this part of the box, RELION's usual 75 %."""


@dataclass(frozen=True)
class BoxCutter:
    """Cuts boxes in one way.

    Args:
        box_px: side, even.
        normalise: bring the background of each box to mean 0 and standard deviation 1.
        background: value of empty ice, None for the median of the micrograph.
    """

    box_px: int
    normalise: bool
    background: float | None

    def whole(self, item: Labelled) -> NDArray[np.intp]:
        """(m,) rows of the particles whose box lies inside the field."""
        low = self._low_px(item)
        high = np.array(item.shape_px[::-1]) - self.box_px
        return np.flatnonzero(((low >= 0) & (low <= high)).all(axis=1))

    def centres_px(self, item: Labelled) -> NDArray[np.int64]:
        """(n, 2) x, y of the pixel that becomes the centre of each box, [box // 2, box // 2]."""
        return np.floor(item.centres_px + 0.5).astype(np.int64)

    def cut(self, item: Labelled, rows: NDArray[np.intp]) -> NDArray[np.float32]:
        """(m, box, box) images of these particles."""
        image = item.image()
        background = np.median(image) if self.background is None else self.background
        boxes = np.empty((len(rows), self.box_px, self.box_px), np.float32)
        for box, (x, y) in zip(boxes, self._low_px(item)[rows], strict=True):
            box[:] = background - image[y : y + self.box_px, x : x + self.box_px]
        return self._normalised(boxes) if self.normalise else boxes

    def _low_px(self, item: Labelled) -> NDArray[np.int64]:
        return self.centres_px(item) - self.box_px // 2

    def _normalised(self, boxes: NDArray[np.float32]) -> NDArray[np.float32]:
        axis = np.arange(self.box_px) - self.box_px // 2
        outside = np.hypot(axis[:, None], axis) > BACKGROUND_RADIUS * self.box_px
        ground = boxes[:, outside].astype(np.float64)
        mean, sd = ground.mean(1), ground.std(1)
        sd[sd == 0] = 1.0
        scaled = (boxes - mean[:, None, None]) / sd[:, None, None]
        return np.asarray(scaled, dtype=np.float32)


def box_cutter(dataset: Dataset, options: ExportOptions) -> BoxCutter:
    """The cutter for a set and the choices of its user.

    Raises:
        CryoccdError: no box was given and the set has no species map to take it from.
    """
    noise_free = dataset.noise_free
    return BoxCutter(
        box_px=default_box_px(dataset, options),
        normalise=not noise_free if options.normalise is None else options.normalise,
        background=1.0 if noise_free else None,
    )


def default_box_px(dataset: Dataset, options: ExportOptions) -> int:
    """Side of a box: as given, or that of the largest species map."""
    if options.box_px is not None:
        return options.box_px
    maps = sorted((dataset.root / "species").glob("*.mrc"))
    if not maps:
        raise CryoccdError(
            f"{dataset.root}: no species map tells the size of a particle; give --box_px"
        )
    side = max(read_mrc_shape(path)[-1] for path in maps)
    return side + side % 2
