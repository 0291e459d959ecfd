"""A flat or gently waved middle surface: a Monge patch, a height above a plane.

    h(u, v) = amplitude sum_i sin(q_i . (u, v) + phase_i)

Its distance (w - h) / sqrt(1 + |grad h|^2) holds to first order in the slope.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cryoccd.scene.field import Points


@dataclass(frozen=True)
class Plane:
    """A patch, its normal the third axis of its frame; flat or with gentle waves.

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
