"""One labelled set against others: pickers trained on each, judged on the same real micrographs."""

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from cryoccd.downstream.picking.seen import Labelled
from cryoccd.errors import CryoccdError
from cryoccd.io.folder import MicrographFolder
from cryoccd.launch.pickers import Pickers
from cryoccd.metrics.card import Metric
from cryoccd.metrics.picking.agreement import agreement
from cryoccd.metrics.picking.average_precision import (
    PrecisionRecall,
    average_precision,
    precision_recall,
)
from cryoccd.metrics.picking.difference import difference
from cryoccd.metrics.picking.intervals import interval
from cryoccd.metrics.picking.picks import Picks
from cryoccd.metrics.picking.scored import Scored
from cryoccd.report.anchors import RANDOM_PICKS, REAL_TRAIN, TEMPLATE, TOPAZ_PRETRAINED
from cryoccd.report.picking_card import PickingCard, Versus

GENERATED = "generated"
ANNOTATORS = "annotators"


def make_picking_card(
    pickers: Pickers,
    generated: Labelled,
    real: Labelled | None,
    second: MicrographFolder | None,
    seeds: Sequence[int],
    baselines: bool,
    inputs: dict[str, Any],
    console: Console,
) -> tuple[PickingCard, dict[str, PrecisionRecall]]:
    """Train, pick and judge.

    Args:
        pickers: the real micrographs, and how pickers are made.
        generated: the labelled set that is judged.
        real: real micrographs to train on beside it, the bound; None for none.
        second: the same real micrographs with the picks of another annotator; None for none.
        seeds: of the pickers that are trained.
        baselines: template matching, chance, and Topaz's own detector where Topaz is the picker.
        inputs: for the record.
        console: where the user is told what is done.

    Returns:
        The card, and the curve of each row with its first seed.
    """
    found: dict[str, list[dict[str, Picks]]] = {GENERATED: [], REAL_TRAIN: []}
    sets = {GENERATED: generated} | ({REAL_TRAIN: real} if real else {})
    for name, labels in sets.items():
        for seed in seeds:
            console.rule(f"picker · {name} · seed {seed}")
            found[name].append(pickers.trained(name, labels, seed))
    if baselines:
        if (generated.folder.root / "clean").is_dir():
            found[TEMPLATE] = [pickers.template(generated)]
        found[RANDOM_PICKS] = [pickers.random(seeds[0])]
        if pickers.kind == "topaz":
            found[TOPAZ_PRETRAINED] = [pickers.pretrained()]
    task = pickers.task
    with console.status("judging"):
        rows = {name: [task.figures(each) for each in made] for name, made in found.items() if made}
        parts = {name: task.parts(made[0]) for name, made in found.items() if made}
        if second is not None:
            between = _agreement(pickers, second)
            rows[ANNOTATORS], parts[ANNOTATORS] = [between[0]], between[1]
        versus = [
            _versus(name, parts[GENERATED], other)
            for name, other in parts.items()
            if name != GENERATED
        ]
    title = f"Pickers trained on {inputs['generated']}, judged on {inputs['real']}"
    card = PickingCard(title, rows, seeds, versus, task.protocol.as_dict(), inputs)
    return card, {name: precision_recall(each) for name, each in parts.items()}


def _versus(name: str, one: Sequence[Scored], two: Sequence[Scored]) -> Versus:
    found = difference(one, two)
    ends = found.interval
    return Versus(name, found.value, ends.low, ends.high, ends.kind, found.p)


def _agreement(
    pickers: Pickers, second: MicrographFolder
) -> tuple[dict[str, Metric], list[Scored]]:
    """The second annotator as a picker."""
    task = pickers.task
    lacking = sorted(set(task.names) - set(second.names()))
    if lacking or not second.has_picks:
        what = f"no micrograph {lacking[0]}" if lacking else "no picks/"
        raise CryoccdError(f"{second.root}: {what}; expected another's picks of the same set")
    picks = [second.picks_px(name) for name in task.names]
    first = [each for each in picks if each is not None]
    radius_px = task.protocol.radius * task.protocol.particle_diameter_A / second.pixel_size_A
    targets = [task.targets_px[name] for name in task.names]
    found = agreement(first, targets, radius_px, [task.counted[name] for name in task.names])
    ends = interval(found.parts, average_precision)
    value = found.average_precision
    note = f"precision {found.precision:.3f}, recall {found.recall:.3f}"
    metric = Metric(value, ends.low, ends.high, len(first), ends.kind, note)
    return {"auprc": metric}, list(found.parts)
