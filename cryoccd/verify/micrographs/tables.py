"""The truth tables by their own rules: ranges, and what follows from another column."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from cryoccd.imaging.stamps import species_key
from cryoccd.io.dataset import Dataset
from cryoccd.io.folder_tables import inside_field
from cryoccd.io.mrc import read_mrc_shape
from cryoccd.verify.finding import Finding

_SAME_A = 0.01


def check_tables(dataset: Dataset) -> Finding:
    """All rows of a set; the first fault of each micrograph is told."""
    faults: list[str] = []
    count = 0
    labelled = (dataset.root / "instances").is_dir()
    table = dataset.micrographs.to_dict(orient="records")
    settings = {str(row["micrograph"]): row for row in table}
    maps = {path.stem for path in (dataset.root / "species").glob("*.mrc")}
    for name, rows in dataset.walk():
        count += len(rows)
        shape = read_mrc_shape(dataset.root / "micrographs" / f"{name}.mrc")[-2:]
        faults += [f"{name}: {fault}" for fault in _ids(rows)]
        faults += [f"{name}: {fault}" for fault in _places(rows, shape, settings[name])]
        if labelled:
            faults += [f"{name}: {fault}" for fault in _truth(rows, settings[name], maps)]
    if faults:
        more = f" and {len(faults) - 1} more faults" if len(faults) > 1 else ""
        return Finding("tables", "FAIL", faults[0] + more)
    return Finding("tables", "pass", f"{count} rows within their ranges")


def _ids(rows: pd.DataFrame) -> Iterator[str]:
    ids = rows["instance_id"]
    if len(ids) and (ids.min() < 1 or ids.duplicated().any()):
        yield "instance_id is not unique from 1"


def _places(rows: pd.DataFrame, shape: tuple[int, ...], settings: dict[Any, Any]) -> Iterator[str]:
    points = rows[["x_A", "y_A"]].to_numpy(np.float64)
    if not np.isfinite(points).all():
        yield "x_A or y_A is no number"
        return
    beyond = ~inside_field(points / settings["pixel_size_A"], (shape[0], shape[1]))
    wrong = beyond & ~rows["on_edge"].to_numpy(bool)
    if wrong.any():
        row = rows[wrong].iloc[0]
        yield f"instance {row['instance_id']} lies outside the field and is not on_edge"


def _truth(rows: pd.DataFrame, settings: dict[Any, Any], maps: set[str]) -> Iterator[str]:
    """What holds for simulated particles."""
    angles = rows[["rot_deg", "tilt_deg", "psi_deg"]].to_numpy(np.float64)
    if not (np.abs(angles) <= 360).all():
        yield "an angle is not within 360 degrees"
    for column in ("visible_fraction", "overlap_fraction"):
        if not rows[column].between(0, 1).all():
            yield f"{column} is not within 0 and 1"
    alone = rows[rows["overlap_fraction"] == 0]
    if ((alone["visible_fraction"] < 1) != alone["on_edge"]).any():
        yield "on_edge is not that of the footprint"
    for column in ("defocus_u_A", "defocus_v_A"):
        apart = (rows[column] - (settings[column] - rows["z_A"])).abs()
        if not (apart < _SAME_A).all():
            yield f"{column} is not that of the micrograph minus z_A"
    if not (rows["astigmatism_deg"] == settings["astigmatism_deg"]).all():
        yield "astigmatism_deg is not that of the micrograph"
    kinds = rows[["species", "conformation"]].drop_duplicates()
    for name, conformation in kinds.itertuples(index=False):
        if species_key(name, conformation) not in maps:
            yield f"no map species/{species_key(name, conformation)}.mrc"
