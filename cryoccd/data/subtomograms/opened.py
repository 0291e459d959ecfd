"""A folder of tomograms, opened and split: all that loaders need."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cryoccd.data.subtomograms.boxes import BoxCutter
from cryoccd.data.subtomograms.density import ClassDensity
from cryoccd.data.subtomograms.maps import read_maps
from cryoccd.data.subtomograms.overlap import OverlapAudit, overlap_audit
from cryoccd.data.subtomograms.split import Split, split_leave_one_out, split_random
from cryoccd.data.subtomograms.table import ParticleTable, particle_table
from cryoccd.errors import CryoccdError
from cryoccd.io.tomograms import TomogramOptions, TomogramSource, open_tomograms


@dataclass(frozen=True)
class Choices:
    """What a data module was asked for; see there."""

    root: Path
    box_voxels: int
    split: str
    fold: int | Sequence[int]
    density: bool
    maps: Path | None
    classes: Sequence[str] | None
    leave_out: Sequence[str]
    options: TomogramOptions | None
    seed: int


@dataclass(frozen=True)
class Opened:
    """Tomograms, their particles, the split, and what cuts boxes."""

    source: TomogramSource
    table: ParticleTable
    split: Split
    audit: OverlapAudit
    density: ClassDensity | None
    cutter: BoxCutter

    @classmethod
    def by(cls, choices: Choices) -> "Opened":
        """Open what was asked for.

        Raises:
            CryoccdError: an input is faulty, or a density is asked for and poses are not known.
        """
        source = open_tomograms(choices.root, choices.options)
        table = particle_table(source, choices.classes, choices.leave_out)
        if choices.split == "random":
            split = split_random(table, choices.seed)
        else:
            split = split_leave_one_out(table, choices.fold)
        density = None
        if choices.density:
            density = _density(source, table, choices.maps)
        cutter = BoxCutter(source, table, choices.box_voxels, density)
        audit = overlap_audit(table, split, choices.box_voxels)
        return cls(source, table, split, audit, density, cutter)

    def lines(self) -> list[str]:
        """What the data is."""
        source, table, split = self.source, self.table, self.split
        counts = zip(
            table.classes, table.counts(split.train), table.counts(split.held), strict=True
        )
        return [
            f"{source.root}: {len(source.tomograms)} tomograms ({source.kind}) at "
            f"{source.voxel_size_A:.3f} A a voxel",
            *source.remarks,
            "boxes to train on + held out: " + ", ".join(f"{n} {a}+{b}" for n, a, b in counts),
            f"held out: {split.name}",
            *self.audit.lines(),
        ]


def _density(source: TomogramSource, table: ParticleTable, maps: Path | None) -> ClassDensity:
    unknown = np.flatnonzero(~np.isfinite(table.rotations).all(axis=(1, 2)))
    if len(unknown):
        raise CryoccdError(
            f"{source.root}: a particle of {table.map_keys[unknown[0]]} has no pose, so no density "
            "can be drawn; take density false, or picks with angles"
        )
    return ClassDensity(read_maps(source, table.map_keys, maps), source.voxel_size_A)
