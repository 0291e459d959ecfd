"""The room in which a scene is composed: the field with its margin, the ice, what stands in it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


class Surface(Protocol):
    """The middle surface of a membrane."""

    @property
    def thickness_A(self) -> float:
        """Distance of the two leaflets' outer faces."""

    @property
    def area_A2(self) -> float:
        """Area of the part that `sample` draws from."""

    def sample(self, n: int, generator: np.random.Generator) -> tuple[Points, Points]:
        """(n, 3) points uniform by area and their (n, 3) outward unit normals."""

    def distance_A(self, points_A: Points) -> NDArray[np.float64]:
        """(n,) signed distance of (n, 3) points from the middle surface, positive outside."""


class Labels(Protocol):
    """A segmented volume that stands in the field as a backdrop."""

    def sample(self, label: int, n: int, generator: np.random.Generator) -> Points:
        """(n, 3) points uniform in the voxels of one label."""

    def at(self, points_A: Points) -> NDArray[np.int64]:
        """(n,) label at each of (n, 3) points, 0 outside the volume."""


@dataclass(frozen=True)
class Field:
    """Where centres of particles may lie.

    Args:
        shape_px: height and width of the field.
        pixel_size_A: pixel size.
        thickness_A: (ceil(h / 8), ceil(w / 8)) thickness of the ice; z runs from minus to plus
            half of it.
        margin_A: how far outside the field centres may lie, so that particles cut by the edge are
            as frequent as in a larger field.
        surfaces: membranes.
        labels: the segmented backdrop, where there is one.
    """

    shape_px: tuple[int, int]
    pixel_size_A: float
    thickness_A: NDArray[np.float32]
    margin_A: float = 0.0
    surfaces: tuple[Surface, ...] = ()
    labels: Labels | None = None

    @property
    def low_A(self) -> Points:
        """(2,) least x, y of a centre; pixel [0, 0] begins half a pixel before its centre."""
        return np.full(2, -self.pixel_size_A / 2 - self.margin_A)

    @property
    def high_A(self) -> Points:
        """(2,) largest x, y of a centre."""
        height, width = self.shape_px
        return self.low_A + np.array([width, height]) * self.pixel_size_A + 2 * self.margin_A

    def local_thickness_A(self, xy_A: Points) -> NDArray[np.float64]:
        """(n,) thickness at (n, 2) points; outside the field that of the nearest edge."""
        cells = np.floor((xy_A / self.pixel_size_A + 0.5) / 8).astype(int)
        rows = cells[:, 1].clip(0, self.thickness_A.shape[0] - 1)
        columns = cells[:, 0].clip(0, self.thickness_A.shape[1] - 1)
        return np.asarray(self.thickness_A[rows, columns], dtype=np.float64)

    def room_A(self, xy_A: Points, diameter_A: float) -> NDArray[np.float64]:
        """(n,) largest |z| at which a particle at (n, 2) points still lies inside the ice.

        0 for one that is larger than the ice: it sits in its middle.
        """
        return np.maximum(self.local_thickness_A(xy_A) - diameter_A, 0.0) / 2
