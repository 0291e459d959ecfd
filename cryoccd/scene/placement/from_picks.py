"""Positions, numbers and density of real picks."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import check_within
from cryoccd.io.picks import read_picks_file
from cryoccd.scene.field import Field
from cryoccd.scene.placement.law import PlacementLaw, Proposal, at_height, inside


@dataclass(frozen=True)
class FromPicks(PlacementLaw):
    """The picks of one real micrograph, drawn at random, turned over at random.

    A field larger than the micrograph is filled with mirror images of it; of a larger micrograph
    a random window is taken. Numbers are those of the picks.

    Args:
        path: picks: RELION STAR, Topaz text, EMAN box or CSV, or a folder of them.
        pixel_size_A: pixel size of the micrographs that were picked.
        shape_px: their height and width.
    """

    path: Path
    pixel_size_A: float
    shape_px: tuple[int, int]

    counts: ClassVar[bool] = True

    def __post_init__(self) -> None:
        check_within("placement: pixel_size_A", self.pixel_size_A, 0.1, 100, "angstrom per pixel")
        for side in self.shape_px:
            check_within("placement: shape_px", side, 1, 100000, "pixels, height and width")
        _picks(self.path)

    def propose(
        self, n: int, diameter_A: float, field: Field, generator: np.random.Generator
    ) -> Iterator[Proposal]:
        """The places of one micrograph; see the base class."""
        known = _picks(self.path)
        at_px = known[int(generator.integers(len(known)))]
        size_A = np.array(self.shape_px[::-1], dtype=np.float64) * self.pixel_size_A
        at_A = (at_px + 0.5) * self.pixel_size_A
        at_A = np.where(generator.integers(0, 2, 2) == 1, size_A - at_A, at_A)
        side_A = field.high_A - field.low_A
        tiles = np.ceil(side_A / size_A).astype(int)
        tiled = [
            np.where(np.array(tile) % 2 == 1, size_A - at_A, at_A) + np.array(tile) * size_A
            for tile in np.ndindex(*tiles)
        ]
        start_A = generator.uniform(0, 1, 2) * (tiles * size_A - side_A)
        xy_A = np.concatenate(tiled) - start_A + field.low_A
        xy_A = generator.permutation(xy_A[inside(xy_A, field)])
        yield Proposal(at_height(xy_A, diameter_A, field, generator))


@lru_cache(maxsize=8)
def _picks(path: Path) -> tuple[NDArray[np.float64], ...]:
    return tuple(read_picks_file(path).values())
