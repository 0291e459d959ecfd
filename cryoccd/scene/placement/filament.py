"""Filaments: subunits along worm-like chains (Kratky & Porod 1949) with rise and twist.

The tangent t turns at each step by a Gaussian angle in two directions with variance rise / Lp each,
so that <t(0) t(s)> = exp(-s / Lp) along a contour s. The frame is carried along the chain without
twist of its own (Bishop 1975), and each subunit is turned further by the helical twist.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from cryoccd.errors import check_within
from cryoccd.scene.field import Field
from cryoccd.scene.placement.law import BATCHES, PlacementLaw, Proposal, inside

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Filament(PlacementLaw):
    """Chains of subunits; the z axis of the subunit's map lies along the chain.

    Args:
        length: subunits a chain, at most.
        rise: distance of neighbours along the chain in diameters.
        twist_deg: turn from one subunit to the next about the chain.
        persistence_A: persistence length; actin has 1e5.
    """

    length: int = 20
    rise: float = 0.8
    twist_deg: float = 40.0
    persistence_A: float = 5000.0

    solid: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_within("placement: length", self.length, 1, 100000, "subunits a chain")
        check_within("placement: rise", self.rise, 0.01, 100, "diameters")
        check_within("placement: twist_deg", self.twist_deg, -360, 360, "degrees")
        check_within("placement: persistence_A", self.persistence_A, 1, 1e9, "angstrom")

    def propose(
        self, n: int, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> Iterator[Proposal]:
        """One chain after the other, its longest piece inside the field; see the base class."""
        for _ in range(BATCHES * (2 + n // self.length)):
            positions_A, rotations = self.chain(diameter_A, field, generator)
            kept = _longest_run(inside(positions_A[:, :2], field))
            group = np.zeros(kept.stop - kept.start, dtype=np.int64)
            yield Proposal(positions_A[kept], rotations[kept], group)

    def chain(
        self, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> tuple[Array, Array]:
        """(length, 3) centres and (length, 3, 3) rotations of one chain that runs in the ice."""
        rise_A = self.rise * diameter_A
        start = generator.uniform(field.low_A, field.high_A)
        azimuth = generator.uniform(0, 2 * np.pi)
        tangent = np.array([np.cos(azimuth), np.sin(azimuth), 0.0])
        normal = np.array([0.0, 0.0, 1.0])
        room_A = float(field.room_A(start[None], diameter_A)[0])
        at = np.array([*start, room_A * generator.uniform(-1, 1)])
        spin = generator.uniform(0, 2 * np.pi)
        bends = generator.standard_normal((self.length, 2)) * np.sqrt(rise_A / self.persistence_A)
        centres, frames = np.empty((self.length, 3)), np.empty((self.length, 3, 3))
        for index in range(self.length):
            binormal = np.cross(tangent, normal)
            angle = spin + np.deg2rad(self.twist_deg) * index
            across = np.cos(angle) * normal + np.sin(angle) * binormal
            frames[index] = np.column_stack([across, np.cross(tangent, across), tangent])
            centres[index] = at
            turn = bends[index, 0] * normal + bends[index, 1] * binormal
            rotate = Rotation.from_rotvec(turn)
            tangent, normal = rotate.apply(tangent), rotate.apply(normal)
            following = at + rise_A * tangent
            room_A = float(field.room_A(following[None, :2], diameter_A)[0])
            if abs(following[2]) > room_A:  # the face of the ice lays it flat
                tangent, normal = _flattened(tangent, normal)
                following = at + rise_A * tangent
                following[2] = np.clip(following[2], -room_A, room_A)
            at = following
        return centres, frames


def _flattened(tangent: Array, normal: Array) -> tuple[Array, Array]:
    """The frame turned by the least angle that brings the tangent into the plane of the ice."""
    flat = np.array([tangent[0], tangent[1], 0.0])
    length = np.linalg.norm(flat)
    flat = flat / length if length > 1e-9 else np.array([1.0, 0.0, 0.0])
    axis = np.cross(tangent, flat)
    rotate = Rotation.from_rotvec(
        axis / max(float(np.linalg.norm(axis)), 1e-12) * np.arccos(np.clip(tangent @ flat, -1, 1))
    )
    return flat, np.asarray(rotate.apply(normal))


def _longest_run(flags: NDArray[np.bool_]) -> slice:
    """The longest stretch of true."""
    edges = np.flatnonzero(np.diff(np.r_[False, flags, False].astype(int)))
    if len(edges) == 0:
        return slice(0, 0)
    starts, stops = edges[::2], edges[1::2]
    best = int((stops - starts).argmax())
    return slice(int(starts[best]), int(stops[best]))
