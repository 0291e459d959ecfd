"""Round middle surfaces of membranes: ellipsoids and tubes, at any place and turn.

`frame` (3, 3) holds the surface's own axes as columns: a point p of the field is frame^T (p -
centre) in the surface's coordinates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import elliprg

from cryoccd.scene.field import Points

_NEWTON_STEPS = 40


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
        """Area by Carlson's integral R_G (NIST Digital Library of Mathematical Functions 19.33)."""
        return float(4 * np.pi * np.prod(self.semi_axes_A) * elliprg(*(1 / self.semi_axes_A**2)))

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
        """Signed distance.

        The nearest point is a^2 p / (a^2 + t) with the largest root t of
        sum (a p / (a^2 + t))^2 = 1, a convex function there, so that Newton's steps from below do
        not pass it (Eberly, Distance from a Point to an Ellipse, an Ellipsoid, or a
        Hyperellipsoid, 2013).
        """
        own = np.abs((points_A - self.centre_A) @ self.frame)
        least, squared = int(self.semi_axes_A.argmin()), self.semi_axes_A**2
        own[:, least] = np.maximum(own[:, least], 1e-6 * self.semi_axes_A[least])
        root = (self.semi_axes_A * own - squared).max(axis=1)
        for _ in range(_NEWTON_STEPS):
            shifted = squared + root[:, None]
            terms = (self.semi_axes_A * own / shifted) ** 2
            excess = terms.sum(axis=1) - 1
            if excess.max(initial=0.0) < 1e-9:
                break
            root += excess / (2 * (terms / shifted).sum(axis=1))
        nearest = squared * own / (squared + root[:, None])
        outside = ((own / self.semi_axes_A) ** 2).sum(axis=1) > 1
        return np.asarray(np.linalg.norm(own - nearest, axis=1) * np.where(outside, 1, -1))

    def side_A(self, points_A: Points) -> NDArray[np.float64]:
        """The signed distance."""
        return self.distance_A(points_A)

    def rim_A(self, points_A: Points) -> None:
        """It has no rim."""


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
        across = self.radius_A * np.hypot(self.frame[:, 1], self.frame[:, 2])
        along = self.half_length_A * np.abs(self.frame[:, 0])
        return np.asarray(along + across + self.thickness_A)

    def sample(self, n: int, generator: np.random.Generator) -> tuple[Points, Points]:
        """Points uniform by area and outward normals."""
        along = generator.uniform(-self.half_length_A, self.half_length_A, n)
        angle = generator.uniform(0, 2 * np.pi, n)
        normals = np.column_stack([np.zeros(n), np.cos(angle), np.sin(angle)])
        own = self.radius_A * normals + np.column_stack([along, np.zeros(n), np.zeros(n)])
        return self.centre_A + own @ self.frame.T, normals @ self.frame.T

    def distance_A(self, points_A: Points) -> NDArray[np.float64]:
        """Signed distance from the wall; beyond an open end that from the rim, positive."""
        side, beyond = self.side_A(points_A), np.maximum(-self.rim_A(points_A), 0)
        return np.asarray(np.where(beyond > 0, np.hypot(side, beyond), side))

    def side_A(self, points_A: Points) -> NDArray[np.float64]:
        """Signed distance from the endless tube."""
        own = (points_A - self.centre_A) @ self.frame[:, 1:]
        return np.asarray(np.linalg.norm(own, axis=-1) - self.radius_A)

    def rim_A(self, points_A: Points) -> NDArray[np.float64]:
        """Distance from the nearer end along the tube, positive inside."""
        along = (points_A - self.centre_A) @ self.frame[:, 0]
        return np.asarray(self.half_length_A - np.abs(along))
