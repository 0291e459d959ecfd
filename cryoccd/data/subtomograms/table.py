"""The particles of a source as arrays: what boxes are cut from, and what they are labelled with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.geometry import euler_to_matrix
from cryoccd.imaging.stamps import species_key
from cryoccd.io.tomograms import ANGLES, POSITION, TomogramSource


@dataclass(frozen=True)
class ParticleTable:
    """Particles in the order of their source.

    Args:
        root: of the source, for messages.
        classes: names of the classes; a label is a place in them.
        tomograms: names of the tomograms.
        shapes_px: (t, 3) voxels of each along x, y, z.
        tomogram: (n,) places in `tomograms`.
        label: (n,) places in `classes`.
        map_keys: (n,) name of each one's map, LABEL or LABEL-CONFORMATION.
        xyz_px: (n, 3) centres in voxels of their tomogram from the centre of voxel [0, 0, 0].
        rotations: (n, 3, 3) matrices from the map to the tomogram, NaN where not known.
    """

    root: Path
    classes: tuple[str, ...]
    tomograms: tuple[str, ...]
    shapes_px: NDArray[np.int64]
    tomogram: NDArray[np.int64]
    label: NDArray[np.int64]
    map_keys: tuple[str, ...]
    xyz_px: NDArray[np.float64]
    rotations: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.label)

    @property
    def centres_px(self) -> NDArray[np.int64]:
        """(n, 3) nearest voxel x, y, z of each centre, halves upwards."""
        return np.floor(self.xyz_px + 0.5).astype(np.int64)

    @property
    def positions(self) -> NDArray[np.float64]:
        """(n, 3) centres as shares x, y, z of their tomogram's extent [-1/2, n - 1/2]."""
        return ((self.xyz_px + 0.5) / self.shapes_px[self.tomogram]).clip(0, 1)

    def counts(self, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
        """Particles of each class among some rows."""
        return np.bincount(self.label[chosen], minlength=len(self.classes))


def particle_table(
    source: TomogramSource,
    classes: Sequence[str] | None = None,
    leave_out: Sequence[str] = (),
) -> ParticleTable:
    """The particles of a source.

    Args:
        source: tomograms with particles.
        classes: names in the order of their labels; None takes all that occur, sorted.
        leave_out: names whose particles are not taken.

    Raises:
        CryoccdError: no particles, a class that is not in the list, or one named twice or in vain.
    """
    root, rows = source.root, source.particles
    occurring = sorted(set(rows["label"]))
    strange = sorted({*leave_out} - {*occurring})
    if strange:
        raise CryoccdError(f"{root}: leave_out names {strange[0]}, known are {_listed(occurring)}")
    rows = rows[~rows["label"].isin(list(leave_out))]
    if len(rows) == 0:
        raise CryoccdError(f"{root}: no particles, expected picks of one class or more")
    names = tuple(classes) if classes is not None else tuple(sorted(set(rows["label"])))
    if len(set(names)) < len(names):
        raise CryoccdError(f"{root}: classes names one twice ({_listed(names)})")
    unknown = sorted(set(rows["label"]) - set(names))
    if unknown:
        raise CryoccdError(
            f"{root}: particles of the class {unknown[0]}, but classes are {_listed(names)}; add "
            "it, or name it in leave_out"
        )
    place = {name: number for number, name in enumerate(source.names)}
    sizes_A = np.array([tomogram.voxel_size_A for tomogram in source.tomograms])
    tomogram = np.array([place[name] for name in rows["tomogram"]], np.int64)
    angles_deg = torch.from_numpy(rows[ANGLES].to_numpy(np.float64, copy=True))
    return ParticleTable(
        root=root,
        classes=names,
        tomograms=tuple(source.names),
        shapes_px=np.array([each.shape[::-1] for each in source.tomograms], np.int64),
        tomogram=tomogram,
        label=np.array([names.index(label) for label in rows["label"]], np.int64),
        map_keys=tuple(map(species_key, rows["label"], rows["conformation"])),
        xyz_px=rows[POSITION].to_numpy(np.float64) / sizes_A[tomogram, None],
        rotations=euler_to_matrix(angles_deg).numpy(),
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
