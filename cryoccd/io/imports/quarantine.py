"""Picks that cannot be used: found, listed, and refused where they are too many."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import atomic_path
from cryoccd.io.folder_tables import inside_field
from cryoccd.io.image_header import ImageHeader

UNKNOWN, NO_NUMBER, OUTSIDE, TWICE = (
    "unknown micrograph",
    "no number",
    "outside the field",
    "duplicate",
)
_HINTS = {
    UNKNOWN: "are all micrographs there?",
    NO_NUMBER: "mend the file",
    OUTSIDE: "picks of another binning need --scale",
    TWICE: "remove those that were picked twice",
}
_SAME_PX = 0.5  # two picks so near mean one particle


def faults_of(rows: pd.DataFrame, headers: dict[str, ImageHeader]) -> NDArray[np.object_]:
    """(n,) why each row cannot be used, "" where it can.

    Args:
        rows: micrograph ("" = unknown), at_x_px, at_y_px.
        headers: by name of the micrograph.
    """
    points_px = rows[["at_x_px", "at_y_px"]].to_numpy(np.float64)
    faults = np.full(len(rows), "", dtype=object)
    unknown = (rows["micrograph"] == "").to_numpy()
    # the height is not known where the micrograph is not
    numbers = np.isfinite(rows[["x_px", "y_px"]].to_numpy(np.float64)).all(axis=1)
    faults[unknown] = UNKNOWN
    faults[~numbers | (~unknown & ~np.isfinite(points_px).all(axis=1))] = NO_NUMBER
    for name, indices in rows.groupby("micrograph").indices.items():
        if name == "":
            continue
        usable = indices[faults[indices] == ""]
        inside = inside_field(points_px[usable], headers[str(name)].shape_px)
        faults[usable[~inside]] = OUTSIDE
        usable = usable[inside]
        faults[usable[_repeated(points_px[usable])]] = TWICE
    return faults


def check_share(rows: pd.DataFrame, faults: NDArray[np.object_], threshold: float) -> None:
    """Refuse a set of picks with too many faults.

    Raises:
        CryoccdError: their share is above `threshold`.
    """
    bad = np.flatnonzero(faults != "")
    if len(bad) <= threshold * len(rows):
        return
    reasons, counts = np.unique(faults[bad].astype(str), return_counts=True)
    listed = ", ".join(f"{n} {reason}" for n, reason in zip(counts, reasons, strict=True))
    first = rows.iloc[bad[0]]
    raise CryoccdError(
        f"{first['source']}: {len(bad)} of {len(rows)} picks cannot be used, more than the share "
        f"{threshold:g} of --threshold: {listed}; the first is row {int(first['row'])} of "
        f"{first['written'] or 'no micrograph'} at ({first['at_x_px']:g}, {first['at_y_px']:g}), "
        f"{faults[bad[0]]}: {_HINTS[str(faults[bad[0]])]}"
    )


def write_quarantine(path: Path, rows: pd.DataFrame, faults: NDArray[np.object_]) -> None:
    """A CSV file with one row a pick that was left out; a header alone where there is none."""
    bad = faults != ""
    listed = pd.DataFrame(
        {
            "source": rows["source"].map(lambda source: Path(source).name),
            "row": rows["row"].astype(int),
            "micrograph": rows["written"],
            "x_px": rows["at_x_px"],
            "y_px": rows["at_y_px"],
            "reason": faults,
        }
    )[bad]
    with atomic_path(path) as temporary:
        listed.to_csv(temporary, index=False, float_format="%.3f", lineterminator="\n")


def _repeated(points_px: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which of (n, 2) points lie by an earlier one that is kept."""
    repeated = np.zeros(len(points_px), dtype=bool)
    if len(points_px) < 2:
        return repeated
    nearest = cKDTree(points_px).query(points_px, k=2)[0][:, 1]
    cells: dict[tuple[int, int], list[NDArray[np.float64]]] = {}
    for i in np.flatnonzero(nearest <= _SAME_PX):
        column, row = (int(v) for v in np.floor(points_px[i] / _SAME_PX))
        around = [(column + dx, row + dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
        kept = [point for cell in around for point in cells.get(cell, [])]
        if any(float(np.hypot(*(points_px[i] - point))) <= _SAME_PX for point in kept):
            repeated[i] = True
        else:
            cells.setdefault((column, row), []).append(points_px[i])
    return repeated
