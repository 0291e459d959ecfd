"""Boxes of tomograms about particles: their table, splits, turns, density and data module."""

from cryoccd.data.subtomograms.boxes import Box, BoxCutter, HeldBoxes, TrainingBoxes, collate
from cryoccd.data.subtomograms.datamodule import SubtomogramDataModule
from cryoccd.data.subtomograms.density import ClassDensity
from cryoccd.data.subtomograms.overlap import OverlapAudit, overlap_audit
from cryoccd.data.subtomograms.recipe import TomogramRecipe
from cryoccd.data.subtomograms.split import Split, split_leave_one_out, split_random
from cryoccd.data.subtomograms.table import ParticleTable, particle_table

__all__ = [
    "Box",
    "BoxCutter",
    "ClassDensity",
    "HeldBoxes",
    "OverlapAudit",
    "ParticleTable",
    "Split",
    "SubtomogramDataModule",
    "TomogramRecipe",
    "TrainingBoxes",
    "collate",
    "overlap_audit",
    "particle_table",
    "split_leave_one_out",
    "split_random",
]
