"""Where the particles of a tomogram lie: by a hard core in the slab, or as picks tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.tomograms import POSITION, Tomogram, read_particles
from cryoccd.io.tomograms.particles import check_inside
from cryoccd.io.tomograms.voxels import Triple
from cryoccd.scene.placement.hard_core import HardCore

_TRIES = 1000
"""Places that are tried for each particle."""


@dataclass(frozen=True)
class Placed:
    """Particles of one tomogram.

    Args:
        labels: (n,) their classes.
        xyz_px: (n, 3) places from the centre of voxel [0, 0, 0].
    """

    labels: NDArray[np.int64]
    xyz_px: NDArray[np.float64]


def place_at_random(
    counts: Mapping[int, int],
    diameters_px: Mapping[int, float],
    shape: Triple,
    slab: tuple[float, float],
    rng: np.random.Generator,
) -> Placed:
    """Particles on voxels, none closer to another than the mean of their diameters.

    The largest are placed first, as they find room with more difficulty.

    Args:
        counts: particles of each label.
        diameters_px: of each label.
        shape: voxels along z, y, x.
        slab: lowest and highest z as shares of the extent.
        rng: source of the draws.

    Raises:
        CryoccdError: there is no room for all.
    """
    core = HardCore(in_projection=False)
    size = np.array(shape[::-1])
    low = np.array([0, 0, max(round(slab[0] * shape[0] - 0.5), 0)])
    high = np.array([*size[:2], min(round(slab[1] * shape[0] - 0.5) + 1, shape[0])])
    labels, places = [np.empty(0, np.int64)], [np.empty((0, 3))]
    for label in sorted(counts, key=lambda label: -diameters_px[label]):
        count = counts[label]
        # a voxel of its own each: a generated particle is in the middle of its box
        tried = rng.integers(low, high, (_TRIES * count, 3)).astype(np.float64)
        taken = core.take(tried, None, diameters_px[label], count)
        if len(taken) < count:
            raise CryoccdError(
                f"particles: room for {len(taken)} of {count} particles of "
                f"{diameters_px[label]:.0f} voxels in {' x '.join(map(str, shape))} (z, y, x); "
                "take fewer, or a larger shape"
            )
        labels.append(np.full(count, label))
        places.append(tried[taken])
    return Placed(np.concatenate(labels), np.concatenate(places))


def read_places(
    path: Path,
    classes: Sequence[str],
    labels: Sequence[int],
    shape: Triple,
    voxel_size_A: float,
    unit_A: float | None = None,
) -> dict[str, Placed]:
    """Particles of picks by the name of their tomogram.

    Args:
        path: CSV, STAR or copick's JSON, or a folder of them.
        classes: names of the classes.
        labels: of those that may occur.
        shape: voxels of every tomogram along z, y, x.
        voxel_size_A: of every tomogram.
        unit_A: what 1 in x, y, z is; None takes what the file tells, else voxels.

    Raises:
        CryoccdError: a file that cannot be read, another class, or a centre outside.
    """
    names = sorted(set(read_particles(path, {}, unit_A or voxel_size_A)["tomogram"]))
    tomograms = {name: Tomogram(name, path, shape, voxel_size_A) for name in names}
    rows = read_particles(path, tomograms, unit_A)
    if len(rows) == 0:
        raise CryoccdError(f"{path}: no picks")
    known = [classes[label] for label in labels]
    unknown = sorted(set(rows["label"]) - set(known))
    if unknown:
        raise CryoccdError(
            f"{path}: picks of the class {unknown[0]}, expected one of {', '.join(known)}"
        )
    check_inside(rows, list(tomograms.values()), str(path))
    return {
        str(name): _placed(own, classes, voxel_size_A) for name, own in rows.groupby("tomogram")
    }


def _placed(rows: pd.DataFrame, classes: Sequence[str], voxel_size_A: float) -> Placed:
    labels = [classes.index(label) for label in rows["label"]]
    return Placed(np.array(labels, np.int64), rows[POSITION].to_numpy(np.float64) / voxel_size_A)
