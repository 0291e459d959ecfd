"""A segmented volume as a backdrop: compartments of a cell with a potential each."""

from dataclasses import dataclass, field
from functools import lru_cache
from math import ceil
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import interpolate, pad

from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import read_mrc
from cryoccd.records import Body

LAYER_A = 100.0
_BORDER_A = 500.0  # the edge is continued so far beyond the field: else the CTF rings along it
Points = NDArray[np.float64]


@dataclass(frozen=True)
class Backdrop:
    """A label volume that fills the field.

    Its voxel size is a whole multiple of the pixel size, its extent in x and y that of the field,
    and the middle of its depth lies in the middle of the ice. Axes are (z, y, x), z towards the
    electron source, as in a map.

    Args:
        path: MRC file of whole numbers, 0 = ice.
        densities_V: mean potential of each label in excess of ice, in volts.
        names: kind of each label in the table of artefacts, by default label_K.
    """

    path: Path
    densities_V: dict[int, float]
    names: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for label, density in self.densities_V.items():
            if label < 1 or not -50 <= density <= 50:
                raise CryoccdError(
                    f"backdrop: densities_V {label}: {density}, expected labels from 1 and -50 to "
                    "50 (volts in excess of ice)"
                )


@dataclass(frozen=True)
class LabelVolume:
    """The labels of a backdrop in the frame of a field.

    Args:
        labels: (nz, ny, nx) whole numbers.
        voxel_size_A: edge of a voxel.
        pixel_size_A: of the field; voxel [0, 0, 0] begins where pixel [0, 0] does.
    """

    labels: NDArray[np.int32]
    voxel_size_A: float
    pixel_size_A: float

    @property
    def _low_A(self) -> Points:
        return np.array(
            [
                -self.pixel_size_A / 2,
                -self.pixel_size_A / 2,
                -self.labels.shape[0] * self.voxel_size_A / 2,
            ]
        )

    def sample(self, label: int, n: int, generator: np.random.Generator) -> Points:
        """(n, 3) points uniform in the voxels of one label.

        Raises:
            CryoccdError: the volume has no such label.
        """
        voxels = np.flatnonzero(self.labels.ravel() == label)
        if len(voxels) == 0:
            raise CryoccdError(
                f"placement: label {label} is not in the backdrop, which has "
                f"{', '.join(str(k) for k in np.unique(self.labels))}"
            )
        chosen = np.stack(np.unravel_index(generator.choice(voxels, n), self.labels.shape), axis=1)
        inner = chosen[:, ::-1] + generator.uniform(0, 1, (n, 3))
        return np.asarray(self._low_A + inner * self.voxel_size_A)

    def at(self, points_A: Points) -> NDArray[np.int64]:
        """(n,) label at each of (n, 3) points, 0 outside the volume."""
        index = np.floor((points_A - self._low_A) / self.voxel_size_A).astype(np.int64)[:, ::-1]
        inside = ((index >= 0) & (index < self.labels.shape)).all(axis=1)
        found = np.zeros(len(points_A), dtype=np.int64)
        found[inside] = self.labels[tuple(index[inside].T)]
        return found

    def bodies(self, backdrop: Backdrop) -> tuple[Body, ...]:
        """One body a label of `densities_V`, in layers of about LAYER_A."""
        factor = round(self.voxel_size_A / self.pixel_size_A)
        border_px = ceil(_BORDER_A / self.pixel_size_A)
        depth = self.labels.shape[0]
        parts = np.array_split(np.arange(depth), max(1, ceil(depth * self.voxel_size_A / LAYER_A)))
        z_A = (np.arange(depth) + 0.5 - depth / 2) * self.voxel_size_A
        made = []
        for label, density_V in sorted(backdrop.densities_V.items()):
            within = self.labels == label
            if not within.any():
                continue
            counts = np.stack([within[part].sum(0) for part in parts]).astype(np.float32)
            inner = interpolate(
                torch.from_numpy(counts)[None], scale_factor=factor, mode="bilinear"
            )
            images = pad(inner, [border_px] * 4, mode="replicate")[0]
            centre = self._low_A + self.voxel_size_A * (
                np.argwhere(within).mean(axis=0)[::-1] + 0.5
            )
            made.append(
                Body(
                    kind=backdrop.names.get(label, f"label_{label}"),
                    position_A=(float(centre[0]), float(centre[1]), float(centre[2])),
                    top_px=-border_px,
                    left_px=-border_px,
                    potential_V_A=images * (density_V * self.voxel_size_A),
                    z_A=tuple(float(z_A[part].mean()) for part in parts),
                    footprint=images.sum(0) >= 0.5,
                )
            )
        return tuple(made)


def read_backdrop(path: Path, shape_px: tuple[int, int], pixel_size_A: float) -> LabelVolume:
    """The label volume of a file, for a field.

    Raises:
        CryoccdError: no MRC volume, no whole numbers, or another size than the field's.
    """
    values, voxel_size_A = _read(path)
    factor = round(voxel_size_A / pixel_size_A)
    if factor < 1 or abs(voxel_size_A / (factor * pixel_size_A) - 1) > 1e-3:
        raise CryoccdError(
            f"{path}: voxels of {voxel_size_A:g} A, expected a whole multiple of pixel_size_A = "
            f"{pixel_size_A:g}"
        )
    height, width = (side * factor for side in values.shape[1:])
    if (height, width) != tuple(shape_px):
        raise CryoccdError(
            f"{path}: {values.shape[2]} x {values.shape[1]} voxels of {voxel_size_A:g} A cover "
            f"{width} x {height} px, expected the field's {shape_px[1]} x {shape_px[0]} px; "
            "change shape_px or the volume"
        )
    return LabelVolume(values, voxel_size_A, pixel_size_A)


@lru_cache(maxsize=2)
def _read(path: Path) -> tuple[NDArray[np.int32], float]:
    values, voxel_size_A = read_mrc(path, ndim=3)
    whole = np.rint(values)
    if np.abs(values - whole).max() > 1e-3 or whole.min() < 0:
        raise CryoccdError(
            f"{path}: holds fractions or negative values, expected labels 0, 1, 2 ..."
        )
    if not voxel_size_A > 0:
        raise CryoccdError(f"{path}: no voxel size in the header, expected angstrom above 0")
    return whole.astype(np.int32), voxel_size_A
