"""Middle surfaces of membranes: ellipsoids, tubes and planes, at any place and turn.

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


@dataclass(frozen=True)
class Plane:
    """A patch, its normal the third axis of its frame; flat or with gentle waves.

    With waves it is a Monge patch, of height h = amplitude sum_i sin(q_i . (u, v) + phase_i) above
    the plane, and its distance (w - h) / sqrt(1 + |grad h|^2) holds to first order in the slope.

    Args:
        centre_A: (3,) its middle.
        frame: (3, 3) its axes.
        half_sides_A: (2,) half extents along its first two axes.
        thickness_A: of the bilayer.
        amplitude_A: of each wave.
        waves_rad_per_A: (m, 2) wave vectors q_i along its first two axes.
        phases_rad: (m,) their phases.
    """

    centre_A: Points
    frame: Points
    half_sides_A: Points
    thickness_A: float
    amplitude_A: float = 0.0
    waves_rad_per_A: Points | None = None
    phases_rad: Points | None = None

    @property
    def area_A2(self) -> float:
        """Area of the middle surface, to second order in the slope."""
        waves = 0.0 if self.waves_rad_per_A is None else float((self.waves_rad_per_A**2).sum())
        return float(4 * np.prod(self.half_sides_A) * (1 + self.amplitude_A**2 * waves / 4))

    @property
    def reach_A(self) -> Points:
        """(3,) half extents of the bounding box of the bilayer."""
        height = self.amplitude_A * (0 if self.phases_rad is None else len(self.phases_rad))
        own = np.array([*self.half_sides_A, height])
        return np.asarray(np.abs(self.frame) @ own + self.thickness_A)

    def sample(self, n: int, generator: np.random.Generator) -> tuple[Points, Points]:
        """Points uniform by area and normals, to the side of the third axis; by rejection."""
        chosen = np.zeros((0, 2))
        corner = np.abs(self.waves_rad_per_A).sum() if self.waves_rad_per_A is not None else 0.0
        largest = np.hypot(1, self.amplitude_A * corner)
        while len(chosen) < n:
            own = generator.uniform(-1, 1, (n + 16, 2)) * self.half_sides_A
            _, slope = self._waves(own)
            kept = generator.uniform(0, largest, len(own)) < np.sqrt(1 + (slope**2).sum(axis=1))
            chosen = np.concatenate([chosen, own[kept]])
        chosen = chosen[:n]
        height, slope = self._waves(chosen)
        normals = np.column_stack([-slope, np.ones(n)])
        normals /= np.linalg.norm(normals, axis=1, keepdims=True)
        points = np.column_stack([chosen, height])
        return self.centre_A + points @ self.frame.T, normals @ self.frame.T

    def distance_A(self, points_A: Points) -> NDArray[np.float64]:
        """Signed distance; beyond the rim that from the rim, positive."""
        side, beyond = self.side_A(points_A), np.maximum(-self.rim_A(points_A), 0)
        return np.asarray(np.where(beyond > 0, np.hypot(side, beyond), side))

    def side_A(self, points_A: Points) -> NDArray[np.float64]:
        """Signed distance from the endless plane."""
        own = (points_A - self.centre_A) @ self.frame
        height, slope = self._waves(own[:, :2])
        return np.asarray((own[:, 2] - height) / np.sqrt(1 + (slope**2).sum(axis=1)))

    def rim_A(self, points_A: Points) -> NDArray[np.float64]:
        """Distance from the nearest side, positive inside."""
        own = (points_A - self.centre_A) @ self.frame[:, :2]
        return np.asarray((self.half_sides_A - np.abs(own)).min(axis=1))

    def _waves(self, own: Points) -> tuple[NDArray[np.float64], Points]:
        """(n,) height above the plane at (n, 2) places on it, and its (n, 2) gradient."""
        if self.waves_rad_per_A is None or self.phases_rad is None:
            return np.zeros(len(own)), np.zeros((len(own), 2))
        phase = own @ self.waves_rad_per_A.T + self.phases_rad
        height = self.amplitude_A * np.sin(phase).sum(axis=1)
        return height, self.amplitude_A * np.cos(phase) @ self.waves_rad_per_A
