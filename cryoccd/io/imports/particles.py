"""Usable picks as rows of the truth table."""

import numpy as np
import pandas as pd

from cryoccd.io.imports.optics import DEFOCUS
from cryoccd.records import PARTICLE_COLUMNS

_ANGLES = ("rot_deg", "tilt_deg", "psi_deg")


def species_of(rows: pd.DataFrame) -> pd.Series:
    """The species of each pick: its class where the classes differ, else "particle"."""
    species = pd.Series("particle", index=rows.index, dtype=object)
    if "class_number" not in rows:
        return species
    known = rows["class_number"].where(rows["class_number"] > 0)  # pickers write -999 for none
    if known.nunique() < 2:
        return species
    return species.where(known.isna(), "class" + known.fillna(0).astype(int).astype(str))


def particles_of(rows: pd.DataFrame, optics: dict[str, float], pixel_size_A: float) -> pd.DataFrame:
    """PARTICLE_COLUMNS of the picks of one micrograph.

    Args:
        rows: at_x_px, at_y_px, species, and angles and defocus where a STAR file tells them.
        optics: of the micrograph; its defocus is that of particles without their own.
        pixel_size_A: of the micrograph.
    """
    nothing = pd.Series(np.nan, index=rows.index)
    table = {
        "instance_id": range(1, len(rows) + 1),
        "species": rows["species"],
        "conformation": 0,
        "x_A": rows["at_x_px"] * pixel_size_A,
        "y_A": rows["at_y_px"] * pixel_size_A,
        "z_A": np.nan,
        **{angle: rows.get(angle, nothing) for angle in _ANGLES},
        **{key: rows.get(key, nothing).fillna(optics[key]) for key in DEFOCUS},
        "visible_fraction": np.nan,
        "overlap_fraction": np.nan,
        "on_edge": False,
    }
    return pd.DataFrame(table, index=rows.index, columns=list(PARTICLE_COLUMNS))
