"""`cryoccd evaluate picking`: do labels train a picker that finds real particles?"""

import json
from pathlib import Path
from typing import Literal

from rich.console import Console

from cryoccd.cli.evaluate import check_output
from cryoccd.cli.parse import numbers
from cryoccd.downstream.picking.config import PickerConfig
from cryoccd.downstream.picking.topaz_config import TopazConfig
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import write_text
from cryoccd.io.folder import open_folder
from cryoccd.launch.pickers import Pickers, labelled
from cryoccd.launch.picking_card import make_picking_card
from cryoccd.metrics.picking.task import PickingProtocol, PickingTask
from cryoccd.report.anchors import PICKING_TOPAZ
from cryoccd.report.picking_figure import draw_curves

Split = Literal["train", "test", "all"]
_FAST, _TOPAZ = PickerConfig(), TopazConfig()


def evaluate_picking(
    real: Path,
    generated: Path,
    output: Path,
    picker: Literal["fast", "topaz"] = "fast",
    seeds: str = "0,1,2",
    real_split: Split | None = None,
    generated_split: Split = "all",
    second_picks: Path | None = None,
    ruined: Path | None = None,
    particle_diameter_A: float | None = None,
    radius: float = 0.25,
    margin: float = 0.5,
    baselines: bool = True,
    work: Path | None = None,
    fast: PickerConfig = _FAST,
    topaz: TopazConfig = _TOPAZ,
    device: str = "cpu",
) -> None:
    """Train a picker on a labelled set, judge it on real picks; write JSON, Markdown, a picture.

    Beside it stand a picker trained on the real training split, where there is one, template
    matching, and picks at random.

    Args:
        real: folder of real micrographs with picks.
        generated: folder of generated micrographs with labels: a dataset folder.
        output: the JSON file to be written.
        picker: fast, a small network of our own, or topaz, the program.
        seeds: comma list of the seeds of the pickers that are trained.
        real_split: split that is picked; by default test, where the folder has splits.
        generated_split: split that the picker is trained on.
        second_picks: the same micrographs with another annotator's picks: the ceiling of people.
        ruined: folder of masks NAME.mrc, not 0 where a real micrograph is ruined; filled-in
            borders are found without it.
        particle_diameter_A: diameter of the particles; by default that of the real set's optics.
        radius: distance of a hit from a pick, in diameters; 0.25 is half a particle radius.
        margin: width of the border that counts for nothing, in diameters.
        baselines: template matching, random picks, and Topaz's own detector with --picker topaz.
        work: folder for pickers and picks; by default OUTPUT without its ending.
        fast: settings of the fast picker.
        topaz: settings of Topaz.
        device: where the fast picker is trained: cpu or cuda.
    """
    page, picture = check_output(output)
    console = Console(stderr=True)
    folder, made = open_folder(real), open_folder(generated)
    part = real_split or ("test" if folder.has_split else "all")
    if real.resolve() == generated.resolve():
        raise CryoccdError(f"{generated}: is the real set itself; it stands beside as real_train")
    if particle_diameter_A is None:
        particle_diameter_A = folder.optics().particle_diameter_A
    protocol = PickingProtocol(particle_diameter_A, radius, min(1.0, 1.5 * radius), margin)
    names = folder.names(None if part == "all" else part)
    task = PickingTask(folder, tuple(names), protocol, ruined)
    pickers = Pickers(task, work or output.with_suffix(""), picker, fast, topaz, device)
    split = None if generated_split == "all" else generated_split
    training = labelled(folder, "train") if folder.has_split and part == "test" else None
    second = open_folder(second_picks) if second_picks else None
    inputs = {
        "real": str(real),
        "real_split": part,
        "generated": str(generated),
        "generated_split": generated_split,
        "micrographs": len(names),
        "picker": picker,
    }
    chosen = numbers("seeds", seeds)
    known = (pickers, labelled(made, split), training, second, chosen, baselines)
    card, curves = make_picking_card(*known, inputs, console)
    draw_curves(picture, curves, PICKING_TOPAZ.all, f"{generated.name} · picker {picker}")
    write_text(page, card.markdown(picture.name))
    write_text(output, json.dumps(card.record(), indent=2, allow_nan=False) + "\n")
    shown = Console()
    card.show(shown)
    written = f"written {output}, {page}, {picture}"
    shown.print(written, markup=False, style="dim", soft_wrap=True)
