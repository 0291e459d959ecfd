"""What the reader of one kind of folder finds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from cryoccd.io.tomograms.tomogram import Tomogram


@dataclass(frozen=True)
class Found:
    """Tomograms and what lies with them.

    Args:
        tomograms: in the order of their names or of their table.
        particles: as PARTICLE_TABLE; None where no picks lie with them, or others were chosen.
        maps: maps of the classes: LABEL, or LABEL-CONFORMATION.
        remarks: what a user should know of the choice.
    """

    tomograms: tuple[Tomogram, ...]
    particles: pd.DataFrame | None
    maps: Mapping[str, Path] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()
