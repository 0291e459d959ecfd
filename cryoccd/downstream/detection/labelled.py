"""A tomogram with the particles of the classes that a detector is taught."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cryoccd.data.subtomograms.table import ParticleTable
from cryoccd.io.tomograms import Tomogram, TomogramSource


@dataclass(frozen=True, eq=False)
class LabelledTomogram:
    """One tomogram and its particles.

    Args:
        tomogram: on disk.
        labels: (n,) int64 places in the classes.
        xyz_px: (n, 3) centres x, y, z in voxels from the centre of voxel [0, 0, 0].
    """

    tomogram: Tomogram
    labels: NDArray[np.int64]
    xyz_px: NDArray[np.float64]

    @property
    def name(self) -> str:
        """Of the tomogram."""
        return self.tomogram.name

    def particles_A(self, classes: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """(n, 3) centres of each class in angstrom from the centre of voxel [0, 0, 0]."""
        xyz_A = self.xyz_px * self.tomogram.voxel_size_A
        return {name: xyz_A[self.labels == label] for label, name in enumerate(classes)}


def labelled(
    source: TomogramSource, table: ParticleTable, rows: NDArray[np.int64]
) -> tuple[LabelledTomogram, ...]:
    """The tomograms that some rows of a table belong to, with the particles of those rows."""
    found = []
    for number in sorted(set(table.tomogram[rows].tolist())):
        own = rows[table.tomogram[rows] == number]
        found.append(
            LabelledTomogram(source.tomograms[number], table.label[own], table.xyz_px[own])
        )
    return tuple(found)
