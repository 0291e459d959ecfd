"""What tomograms are about their particles: the background, the boxes beside it, the slab.

Backgrounds of several tomograms may differ in mean and strength, so each is brought to mean 0 and
deviation 1 over its voxels between the particles before anything is summed; boxes are told in the
same units. What counts is the part in z that boxes are cut from: above and below may lie no ice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.data.subtomograms.table import ParticleTable
from cryoccd.errors import CryoccdError
from cryoccd.imaging.volume_psd import VolumePower
from cryoccd.io.progress import progress_bar
from cryoccd.io.tomograms import TomogramSource, Voxels
from cryoccd.io.tomograms.voxels import Triple
from cryoccd.methods.generation.background import find_background

_LEAST_CUBES = 8


@dataclass(frozen=True)
class Scale:
    """Mean of boxes less that of the background, and their deviation; both in its deviations."""

    mean: float
    deviation: float


@dataclass(frozen=True, eq=False)
class Surroundings:
    """What was measured.

    Args:
        autocorrelation: of the background in its deviations (`VolumePower`); its variance is below
            1 where what lies close to the particles varies more than what lies far from them.
        mean: of the background in the units of the tomograms, over the tomograms.
        deviation: likewise.
        scales: of the boxes of each label.
        slab: lowest and highest z of a particle, as shares of the tomogram's extent.
        crowding: particles of each label a voxel of the slab.
    """

    autocorrelation: Tensor
    mean: float
    deviation: float
    scales: Mapping[int, Scale]
    slab: tuple[float, float]
    crowding: Mapping[int, float]

    def counts(
        self,
        labels: Sequence[int],
        total: int | None,
        shape: Triple,
        rng: np.random.Generator,
    ) -> dict[int, int]:
        """Particles of each label for a tomogram, each as often among them as in the measured ones.

        Args:
            labels: that are placed.
            total: particles in all; None as many as are in so much of a measured slab.
            shape: voxels along z, y, x.
            rng: source of the draw.
        """
        weights = np.array([self.crowding[label] for label in labels])
        if total is None:
            thick = max(self.slab[1] - self.slab[0], 1 / shape[0])
            total = round(float(weights.sum()) * thick * np.prod(shape))
        drawn = rng.multinomial(total, weights / weights.sum())
        return dict(zip(labels, drawn.tolist(), strict=True))


def measure(
    source: TomogramSource,
    table: ParticleTable,
    radii_px: Mapping[int, float],
    box_voxels: int,
    title: str = "background",
) -> Surroundings:
    """Measure the tomograms that have particles.

    Args:
        source: the tomograms.
        table: their particles.
        radii_px: radius about a particle of each label that is no background.
        box_voxels: side of the boxes, and of the cubes where the tomograms are so deep.
        title: what stands before the progress bar.

    Raises:
        CryoccdError: too little between the particles, or a tomogram that cannot be read.
    """
    shares = table.positions[:, 2]
    slab = float(shares.min()), float(shares.max())
    numbers = np.unique(table.tomogram).tolist()
    shapes_px = table.shapes_px[numbers]
    slices = [_slices(slab, depth, box_voxels) for depth in shapes_px[:, 2].tolist()]
    thinnest = min(min(end - first for first, end in slices), int(shapes_px[:, :2].min()))
    side = min(box_voxels, thinnest)
    power, cubes = VolumePower(side), 0
    moments: list[tuple[float, float]] = []
    boxes: dict[int, list[tuple[bool, Scale]]] = {label: [] for label in radii_px}
    with progress_bar() as progress:
        parts = list(zip(numbers, slices, strict=True))
        for number, (first, end) in progress.track(parts, description=title):
            tomogram, rows = source.tomograms[number], np.flatnonzero(table.tomogram == number)
            voxels, labels = tomogram.open(), table.label[rows].tolist()
            slab_values = voxels.block((first, 0, 0), (end - first, *tomogram.shape[1:]))
            background = find_background(
                tomogram.name,
                slab_values,
                table.xyz_px[rows] - [0, 0, first],
                np.array([radii_px[label] for label in labels]),
            )
            for cube, weight in background.cubes(side):
                power.add(torch.from_numpy(cube), torch.from_numpy(weight))
                cubes += 1
            mean, deviation = background.mean, background.deviation
            moments.append((mean, deviation))
            for row, label in zip(rows, labels, strict=True):
                whole, own = _moments(voxels, table.centres_px[row], box_voxels)
                scale = Scale((own.mean - mean) / deviation, own.deviation / deviation)
                boxes[label].append((whole, scale))
    if cubes < _LEAST_CUBES:
        raise CryoccdError(
            f"{source.root}: {cubes} cubes of {side} voxels are mostly background, expected "
            f"{_LEAST_CUBES} or more; take more tomograms, or smaller diameters"
        )
    mean, deviation = np.mean(moments, axis=0).tolist()
    slabs = float((shapes_px.prod(axis=1) * max(slab[1] - slab[0], 1 / thinnest)).sum())
    return Surroundings(
        autocorrelation=power.autocorrelation(),
        mean=mean,
        deviation=deviation,
        scales={label: _mean(found) for label, found in boxes.items() if found},
        slab=slab,
        crowding={label: len(found) / slabs for label, found in boxes.items()},
    )


def _slices(slab: tuple[float, float], depth: int, box_voxels: int) -> tuple[int, int]:
    """Slices of a tomogram that boxes reach, first and last but one."""
    first = floor(slab[0] * depth - 0.5) - box_voxels // 2
    end = ceil(slab[1] * depth - 0.5) + box_voxels // 2
    return max(first, 0), min(end, depth)


def _moments(voxels: Voxels, centre_px: NDArray[np.int64], box_voxels: int) -> tuple[bool, Scale]:
    """Whether a box lies wholly in its tomogram, and its mean and deviation."""
    corner = (centre_px - box_voxels // 2)[::-1]
    whole = bool(((corner >= 0) & (corner + box_voxels <= np.array(voxels.shape))).all())
    z, y, x = map(int, corner)
    values = voxels.block((z, y, x), (box_voxels,) * 3).astype(np.float64)
    return whole, Scale(float(values.mean()), float(values.std()))


def _mean(found: list[tuple[bool, Scale]]) -> Scale:
    """Mean over the boxes that lie wholly in their tomogram, or over all where none does."""
    kept = [scale for whole, scale in found if whole] or [scale for _, scale in found]
    return Scale(
        float(np.mean([scale.mean for scale in kept])),
        float(np.mean([scale.deviation for scale in kept])),
    )
