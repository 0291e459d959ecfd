"""`cryoccd evaluate labels`: how many real labels do generated ones save?"""

import json
from pathlib import Path
from statistics import fmean

from rich.console import Console

from cryoccd.cli.evaluate import check_output
from cryoccd.cli.parse import numbers
from cryoccd.downstream.picking.config import PickerConfig
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import write_text
from cryoccd.io.folder import open_folder
from cryoccd.launch.label_curve import LabelCurve, label_curve
from cryoccd.launch.pickers import Pickers, labelled
from cryoccd.metrics.picking.task import PickingProtocol, PickingTask
from cryoccd.report.label_figure import draw_labels

_FAST = PickerConfig()


def evaluate_labels(
    real: Path,
    generated: Path,
    output: Path,
    micrographs: str = "1,2,4,8",
    seeds: str = "0,1,2",
    particle_diameter_A: float | None = None,
    radius: float = 0.25,
    margin: float = 0.5,
    work: Path | None = None,
    fast: PickerConfig = _FAST,
    device: str = "cpu",
) -> None:
    """AUPRC against the number of real labels, with and without generated ones before.

    Args:
        real: folder of real micrographs with picks and a split; trained on train, judged on test.
        generated: folder of generated micrographs with labels.
        output: the JSON file to be written; the page and the picture lie beside it.
        micrographs: comma list of numbers of real training micrographs.
        seeds: comma list of the seeds of draws and pickers.
        particle_diameter_A: diameter of the particles; by default that of the real set's optics.
        radius: distance of a hit from a pick, in diameters.
        margin: width of the border that counts for nothing, in diameters.
        work: folder for pickers and picks; by default OUTPUT without its ending.
        fast: settings of the picker.
        device: where it is trained: cpu or cuda.
    """
    page, picture = check_output(output)
    folder = open_folder(real)
    if not folder.has_split:
        raise CryoccdError(
            f"{real}: no split.csv; labels are trained on in one part, judged on in the other"
        )
    if particle_diameter_A is None:
        particle_diameter_A = folder.optics().particle_diameter_A
    protocol = PickingProtocol(particle_diameter_A, radius, min(1.0, 1.5 * radius), margin)
    task = PickingTask(folder, tuple(folder.names("test")), protocol)
    pickers = Pickers(task, work or output.with_suffix(""), "fast", fast, device=device)
    counts, chosen = numbers("micrographs", micrographs), numbers("seeds", seeds)
    inputs = {"real": str(real), "generated": str(generated), "seeds": chosen}
    made, training = labelled(open_folder(generated)), labelled(folder, "train")
    curve = label_curve(pickers, made, training, counts, chosen, inputs)
    title = f"Real labels needed, with and without {generated.name}"
    draw_labels(picture, _curves(curve), title)
    lines = [f"# {title}", "", f"![curve]({picture.name})", "", *curve.lines(), ""]
    known = {**inputs, **curve.protocol}
    lines += ["Mean over seeds [least, largest].", "", "## Protocol", ""]
    lines += [f"- {key}: {value}" for key, value in known.items()]
    write_text(page, "\n".join(lines) + "\n")
    write_text(output, json.dumps(curve.record(), indent=2, allow_nan=False) + "\n")
    console = Console()
    for line in (*curve.lines(), f"written {output}, {page}, {picture}"):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _curves(curve: LabelCurve) -> dict[str, list[tuple[float, float, float, float]]]:
    curves = {}
    for start in ("scratch", "generated"):
        points = []
        for count in sorted({point.micrographs for point in curve.points}):
            some = [p for p in curve.points if p.start == start and p.micrographs == count]
            if some:
                values = [point.auprc for point in some]
                labels = fmean(point.labels for point in some)
                points.append((labels, fmean(values), min(values), max(values)))
        curves[start] = points
    return curves
