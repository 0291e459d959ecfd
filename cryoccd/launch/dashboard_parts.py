"""What the page shows of one data set of a table: pictures, curves, and what cannot be shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from cryoccd.errors import CryoccdError
from cryoccd.launch.dashboard_boxes import box_viewers
from cryoccd.launch.dashboard_picks import picking_curves
from cryoccd.launch.dashboard_sets import GeneratedSets
from cryoccd.launch.dashboard_tables import FoundTable
from cryoccd.report.page import read_png
from cryoccd.report.web.dashboard import Curves, SetPart
from cryoccd.report.web.viewer import Viewer


@dataclass
class Budget:
    """Bytes that are left for pictures."""

    left: int

    def take(self, n_bytes: int) -> bool:
        """Whether there is room; it is taken then."""
        if n_bytes > self.left:
            return False
        self.left -= n_bytes
        return True


def set_part(found: FoundTable, sets: GeneratedSets, side_px: int, budget: Budget) -> SetPart:
    """The part of one data set.

    Args:
        found: the table.
        sets: what its rows generated for the data set.
        side_px: of crops of micrographs.
        budget: for slices and for pictures of the results folder.
    """
    notes: list[str] = []
    viewers: tuple[Viewer, ...] = ()
    curves: list[Curves] = []
    if sets.folders and found.kind == "volume":
        with _noted("slices", notes):
            viewers, remarks = box_viewers(sets)
            notes += remarks
            if not budget.take(sum(viewer.n_bytes for viewer in viewers)):
                viewers = ()
                notes.append("Slices are left out, so that the page stays small.")
    elif sets.folders:
        with _noted("crops", notes):
            viewers = (sets.viewer(side_px),)
        with _noted("spectra", notes):
            curves.append(sets.spectra())
    drawn = False
    if found.kind == "picking":
        with _noted("precision-recall curves", notes):
            precision, remarks = picking_curves(sets.rows.table, sets.dataset, sets.runs)
            notes += remarks
            curves += [precision] if precision else []
            drawn = precision is not None
    # of these the page has the same, and more of it
    shown = {"gallery": bool(viewers), "curves": drawn}
    pictures = {}
    for name, path in sets.pictures(found.folder).items():
        if shown.get(name):
            continue
        with _noted("picture", notes):
            png = read_png(path)
            if budget.take(len(png)):
                pictures[path.name] = png
            else:
                notes.append(f"{path.name} is left out, so that the page stays small.")
    return SetPart(sets.dataset, viewers, tuple(curves), pictures, tuple(notes))


@contextmanager
def _noted(what: str, notes: list[str]) -> Iterator[None]:
    """Go on without what cannot be shown, and note why."""
    try:
        yield
    except CryoccdError as error:
        notes.append(f"No {what}: {error}")
