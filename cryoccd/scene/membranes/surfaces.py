"""Middle surfaces of membranes: ellipsoids, tubes and planes, at any place and turn.

`frame` (3, 3) holds the surface's own axes as columns: a point p of the field is frame^T (p -
centre) in the surface's coordinates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]


@dataclass(frozen=True)
class Ellipsoid:
    """A closed bilayer; three equal semi-axes make a sphere.

    Args:
        centre_A: (3,) its centre.
        frame: (3, 3) its axes.
        semi_axes_A: (3,) semi-axes of the middle surface.
        thickness_A: of the bilayer.
    """

    centre_A: Points
    frame: Points
    semi_axes_A: Points
    thickness_A: float

    @property
    def area_A2(self) -> float:
        """Area by the formula of Knud Thomsen (2004), within 1.1 %."""
        a, b, c = self.semi_axes_A**1.6075
        return float(4 * np.pi * ((a * b + a * c + b * c) / 3) ** (1 / 1.6075))

    @property
    def reach_A(self) -> Points:
        """(3,) half extents of the bounding box of the bilayer."""
        extent = np.sqrt((self.frame**2) @ self.semi_axes_A**2)
        return np.asarray(extent + self.thickness_A)

    def sample(self, n: int, generator: np.random.Generator) -> tuple[Points, Points]:
        """Points uniform by area and outward normals, by rejection from the unit sphere."""
        chosen = np.zeros((0, 3))
        largest = (1 / self.semi_axes_A).max()
        while len(chosen) < n:
            unit = generator.standard_normal((2 * n + 16, 3))
            unit /= np.linalg.norm(unit, axis=1, keepdims=True)
            stretch = np.linalg.norm(unit / self.semi_axes_A, axis=1)
            kept = generator.uniform(0, largest, len(unit)) < stretch
            chosen = np.concatenate([chosen, unit[kept]])
        unit = chosen[:n]
        normals = unit / self.semi_axes_A
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        return self.centre_A + unit * self.semi_axes_A @ self.frame.T, normals @ self.frame.T

    def distance_A(self, points_A: Points) -> NDArray[np.float64]:
        """Signed distance; exact for a sphere, to first order near the surface otherwise."""
        own = (points_A - self.centre_A) @ self.frame
        scaled = np.linalg.norm(own / self.semi_axes_A, axis=-1)
        slope = np.linalg.norm(own / self.semi_axes_A**2, axis=-1)
        return np.asarray(
            np.where(
                slope > 1e-12,
                scaled * (scaled - 1) / np.maximum(slope, 1e-12),
                -self.semi_axes_A.min(),
            )
        )


@dataclass(frozen=True)
class Tube:
    """A cylindrical bilayer along the first axis of its frame.

    Args:
        centre_A: (3,) its middle.
        frame: (3, 3) its axes.
        radius_A: of the middle surface.
        half_length_A: it ends, open, at this distance from its middle.
        thickness_A: of the bilayer.
    """

    centre_A: Points
    frame: Points
    radius_A: float
    half_length_A: float
    thickness_A: float

    @property
    def area_A2(self) -> float:
        """Area of the middle surface."""
        return float(4 * np.pi * self.radius_A * self.half_length_A)

    @property
    def reach_A(self) -> Points:
        """(3,) half extents of the bounding box of the bilayer."""
        own = np.array([self.half_length_A, self.radius_A, self.radius_A])
        return np.asarray(np.abs(self.frame) @ own + self.thickness_A)

    def sample(self, n: int, generator: np.random.Generator) -> tuple[Points, Points]:
        """Points uniform by area and outward normals."""
        along = generator.uniform(-self.half_length_A, self.half_length_A, n)
        angle = generator.uniform(0, 2 * np.pi, n)
        normals = np.column_stack([np.zeros(n), np.cos(angle), np.sin(angle)])
        own = self.radius_A * normals + np.column_stack([along, np.zeros(n), np.zeros(n)])
        return self.centre_A + own @ self.frame.T, normals @ self.frame.T

    def distance_A(self, points_A: Points) -> NDArray[np.float64]:
        """Signed distance from the side; far beyond the open ends it is large."""
        own = (points_A - self.centre_A) @ self.frame
        side = np.hypot(own[..., 1], own[..., 2]) - self.radius_A
        beyond = np.maximum(np.abs(own[..., 0]) - self.half_length_A, 0)
        return np.asarray(np.where(beyond > 0, np.hypot(side, beyond) + self.thickness_A, side))


@dataclass(frozen=True)
class Plane:
    """A flat patch, its normal the third axis of its frame.

    Args:
        centre_A: (3,) its middle.
        frame: (3, 3) its axes.
        half_sides_A: (2,) half extents along its first two axes.
        thickness_A: of the bilayer.
    """

    centre_A: Points
    frame: Points
    half_sides_A: Points
    thickness_A: float

    @property
    def area_A2(self) -> float:
        """Area of the middle surface."""
        return float(4 * np.prod(self.half_sides_A))

    @property
    def reach_A(self) -> Points:
        """(3,) half extents of the bounding box of the bilayer."""
        return np.asarray(np.abs(self.frame[:, :2]) @ self.half_sides_A + self.thickness_A)

    def sample(self, n: int, generator: np.random.Generator) -> tuple[Points, Points]:
        """Points uniform by area; the normal is the third axis."""
        own = generator.uniform(-1, 1, (n, 2)) * self.half_sides_A
        points = self.centre_A + own @ self.frame[:, :2].T
        return points, np.broadcast_to(self.frame[:, 2], (n, 3)).copy()

    def distance_A(self, points_A: Points) -> NDArray[np.float64]:
        """Signed distance along the normal; beyond the rim it is large."""
        own = (points_A - self.centre_A) @ self.frame
        beyond = np.maximum(np.abs(own[..., :2]) - self.half_sides_A, 0)
        past = np.hypot(beyond[..., 0], beyond[..., 1])
        return np.asarray(
            np.where(past > 0, np.hypot(own[..., 2], past) + self.thickness_A, own[..., 2])
        )
