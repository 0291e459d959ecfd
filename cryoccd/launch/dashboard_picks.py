"""Precision-recall curves of a picking table, from the picks that are left on disk."""

from pathlib import Path
from typing import Any, get_args

import numpy as np

from cryoccd.errors import CryoccdError
from cryoccd.io.folder import open_folder
from cryoccd.launch.pickers import PickerKind, read_picks
from cryoccd.launch.places import Runs
from cryoccd.metrics.picking.average_precision import PrecisionRecall, precision_recall
from cryoccd.metrics.picking.task import PickingProtocol, PickingTask
from cryoccd.report.anchors import TEMPLATE, TOPAZ_PRETRAINED
from cryoccd.report.table import Table
from cryoccd.report.web.dashboard import Curves
from cryoccd.report.web.line_chart import Chart, Line, stroke


def picking_curves(table: Table, dataset: str, runs: Runs) -> tuple[Curves | None, tuple[str, ...]]:
    """Curves of every row whose picks are those that its cell was judged by, with the first seed.

    Returns:
        The chart, None without picks; notes on rows whose picks are of another run.

    Raises:
        CryoccdError: the real micrographs cannot be read.
    """
    seed = table.seeds[0]
    files = {}
    for method in table.methods:
        for cell in table.cells.get((method, dataset), ()):
            kind = cell.protocol.get("picker")
            once = 0 if method in (TEMPLATE, TOPAZ_PRETRAINED) else seed
            path = runs.root / "picking" / dataset / f"{method}__{kind}__{once}" / "picks.csv"
            if cell.seed == seed and kind in get_args(PickerKind) and path.is_file():
                files[method] = (path, cell.metrics.get("auprc", {}).get("value"))
    if not files:
        return None, ()
    task = _task(table, dataset, runs)
    curves: dict[str, PrecisionRecall] = {}
    others = []
    for method, (path, known) in files.items():
        curve = precision_recall(task.parts(read_picks(path, task.names)))
        if known is not None and abs(_area(curve) - known) > 1e-9:
            others.append(method)
        else:
            curves[method] = curve
    notes = [f"The picks of {', '.join(others)} are of another run than the cells."] * bool(others)
    if not curves:
        return None, tuple(notes)
    return _chart(table, curves, task.protocol), tuple(notes)


def _task(table: Table, dataset: str, runs: Runs) -> PickingTask:
    cells = [cell for method in table.methods for cell in table.cells.get((method, dataset), ())]
    given: dict[str, Any] = cells[0].protocol
    fields = PickingProtocol.__dataclass_fields__
    try:
        protocol = PickingProtocol(**{name: given[name] for name in fields})
    except KeyError as error:
        raise CryoccdError(f"picking: a cell of {dataset} has no protocol of picking") from error
    real: Path = runs.data(dataset).real
    folder = open_folder(real)
    return PickingTask(folder, tuple(folder.names("test")), protocol)


def _chart(table: Table, curves: dict[str, PrecisionRecall], protocol: PickingProtocol) -> Curves:
    anchors = [name for name in table.methods if name in table.anchors.all]
    methods = [name for name in table.methods if name not in table.anchors.all]
    styles = {name: stroke(k) for k, name in enumerate(methods)}
    styles |= {name: stroke(k, "anchor") for k, name in enumerate(anchors)}
    ranked = sorted(curves, key=lambda name: -_area(curves[name]))
    lines = tuple(
        Line(name, curves[name].recall, curves[name].precision, styles[name]) for name in ranked
    )
    labels = tuple(f"{name}  {_area(curves[name]):.3f}" for name in ranked)
    unit = (0.0, 1.0)
    chart = Chart("precision against recall", "recall", "precision", lines, "linear", unit, unit)
    caption = (
        f"First seed; a hit lies within {protocol.radius:g} particle diameters; the figure beside "
        "a name is its average precision."
    )
    return Curves((chart,), lines, labels, caption)


def _area(curve: PrecisionRecall) -> float:
    return float(np.diff(curve.recall, prepend=0.0) @ curve.precision)
