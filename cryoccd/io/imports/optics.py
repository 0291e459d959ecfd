"""What is known of the optics of each real micrograph; NaN where nothing is."""

from dataclasses import MISSING, fields
from pathlib import Path

import numpy as np
import pandas as pd

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.folder import MicrographFolder
from cryoccd.io.folder_tables import image_stem
from cryoccd.io.picks.relion import our_columns
from cryoccd.io.star import find_table, join_optics
from cryoccd.io.star_blocks import read_blocks
from cryoccd.records import Optics

DEFOCUS = ("defocus_u_A", "defocus_v_A", "astigmatism_deg")
_KEYS = tuple(Optics.__dataclass_fields__)
_UNKNOWN = {f.name: float("nan") if f.default is MISSING else f.default for f in fields(Optics)}
_UNKNOWN["astigmatism_deg"] = float("nan")
"""Other terms that are 0 by default are absent from the model and stay so."""


def micrograph_optics(
    folder: MicrographFolder, rows: pd.DataFrame, pixel_size_A: float
) -> dict[str, dict[str, float]]:
    """Columns of Optics for each micrograph of a folder.

    What optics.yaml or the folder's tables tell goes before what the picks tell; the defocus is
    that of micrographs.star, else that of the particle whose defocus is in the middle.

    Args:
        folder: the micrographs.
        rows: usable picks with those columns that a STAR file tells.
        pixel_size_A: of the set.
    """
    shared = {k: float(v) for k, v in folder.known_optics.items() if k in _KEYS}
    own = _table(folder)
    picked = rows.groupby("micrograph").indices
    optics: dict[str, dict[str, float]] = {}
    for name in folder.names():
        particles = rows.iloc[picked.get(name, [])]
        known = {key: first for key in _KEYS if (first := _first(particles, key)) is not None}
        known |= _middle_defocus(particles) | own.get(name, {}) | shared
        optics[name] = {**_UNKNOWN, **known, "pixel_size_A": pixel_size_A}
        if np.isfinite(optics[name]["defocus_u_A"]) and np.isnan(optics[name]["astigmatism_deg"]):
            optics[name]["astigmatism_deg"] = 0.0
        _check(folder.root, name, optics[name])
    return optics


def _table(folder: MicrographFolder) -> dict[str, dict[str, float]]:
    """Optics that the folder tells micrograph by micrograph."""
    path = folder.root / "micrographs.star"
    if (folder.root / "manifest.json").is_file():
        table = Dataset(folder.root).micrographs
    elif path.is_file():
        blocks = read_blocks(path)
        star = find_table(path, blocks, ("rlnMicrographName",), "micrographs")
        star = join_optics(path, star, blocks.get("optics"))
        table = our_columns(star).assign(micrograph=star["rlnMicrographName"].map(image_stem))
    else:
        return {}
    columns = [key for key in _KEYS if key in table.columns]
    records = table[columns].to_dict(orient="records")
    return {
        str(name): {str(k): float(v) for k, v in record.items() if np.isfinite(v)}
        for name, record in zip(table["micrograph"], records, strict=True)
    }


def _first(particles: pd.DataFrame, column: str) -> float | None:
    if column not in particles:
        return None
    values = particles[column].dropna()
    return float(values.iloc[0]) if len(values) else None


def _middle_defocus(particles: pd.DataFrame) -> dict[str, float]:
    if not set(DEFOCUS[:2]) <= set(particles.columns):
        return {}
    known = particles.dropna(subset=list(DEFOCUS[:2]))
    if len(known) == 0:
        return {}
    order = (known["defocus_u_A"] + known["defocus_v_A"]).argsort().to_numpy()
    row = known.iloc[order[(len(known) - 1) // 2]]
    return {key: float(row[key]) for key in DEFOCUS if key in known and np.isfinite(row[key])}


def _check(root: Path, name: str, values: dict[str, float]) -> None:
    """Refuse what no microscope has; unknown ones pass."""
    filler = Optics(300, 2.7, 0.1, 1, 1e4, 1e4)
    try:
        Optics(**{k: getattr(filler, k) if np.isnan(v) else v for k, v in values.items()})
    except CryoccdError as error:
        raise CryoccdError(f"{root}: {name}: {error}; mend the STAR file or optics.yaml") from error
