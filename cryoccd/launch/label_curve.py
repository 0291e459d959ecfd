"""How many real labels does a picker need, with and without training on generated ones first?

Real training micrographs are drawn once a seed; n of them are the first n, so that more labels hold
the fewer. A picker starts from random weights, or from those of a picker trained on the generated
set with the same seed and goes on with a third of its learning rate. Without real labels only the
second exists.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cryoccd
from cryoccd.downstream.picking.seen import Labelled
from cryoccd.errors import CryoccdError
from cryoccd.launch.pickers import Pickers
from cryoccd.randomness import item_seed

_SLOWER = 3.0


@dataclass(frozen=True)
class Point:
    """One trained picker.

    Args:
        micrographs: real ones that it was trained on.
        labels: their particles.
        start: "scratch", or "generated" where it was trained on generated labels first.
        seed: of picker and draw.
        auprc: on the test micrographs.
    """

    micrographs: int
    labels: int
    start: str
    seed: int
    auprc: float


@dataclass(frozen=True)
class LabelCurve:
    """All of them.

    Args:
        points: in the order in which they were made.
        protocol: what counts as a hit.
        inputs: what was compared.
    """

    points: Sequence[Point]
    protocol: dict[str, Any]
    inputs: dict[str, Any]

    def record(self) -> dict[str, Any]:
        """The curve as plain values."""
        return {
            "points": [asdict(point) for point in self.points],
            "protocol": self.protocol,
            "inputs": self.inputs,
            "version": cryoccd.__version__,
        }

    def lines(self) -> list[str]:
        """Mean and range over seeds, a line each number of labels."""
        rows = [
            "| micrographs | labels | from scratch | after generated labels |",
            "|---:" * 4 + "|",
        ]
        for count in sorted({point.micrographs for point in self.points}):
            chosen = [point for point in self.points if point.micrographs == count]
            labels = round(sum(point.labels for point in chosen) / len(chosen))
            cells = [self._cell(chosen, start) for start in ("scratch", "generated")]
            rows.append(f"| {count} | {labels} | {cells[0]} | {cells[1]} |")
        return rows

    @staticmethod
    def _cell(points: Sequence[Point], start: str) -> str:
        values = [point.auprc for point in points if point.start == start]
        if not values:
            return "–"
        mean = sum(values) / len(values)
        ends = f" [{min(values):.3f}, {max(values):.3f}]" if len(values) > 1 else ""
        return f"{mean:.3f}{ends}"


def label_curve(
    pickers: Pickers,
    generated: Labelled,
    real: Labelled,
    counts: Sequence[int],
    seeds: Sequence[int],
    inputs: dict[str, Any],
) -> LabelCurve:
    """Train and judge every picker; finished ones are read again.

    Args:
        pickers: the test micrographs, and how pickers are made.
        generated: labelled set.
        real: real training micrographs.
        counts: numbers of them.
        seeds: of draws and pickers.
        inputs: for the record.

    Raises:
        CryoccdError: more micrographs asked for than there are.
    """
    if max(counts) > len(real.names) or min(counts) < 1:
        raise CryoccdError(
            f"micrographs = {','.join(map(str, counts))}, expected 1 to {len(real.names)}, as many "
            "as the real set has to train on"
        )
    points = []
    for seed in seeds:
        found = pickers.trained("generated", generated, seed)
        start = pickers.folder("generated", seed) / "picker.safetensors"
        points.append(Point(0, 0, "generated", seed, _auprc(pickers, found)))
        order = sorted(real.names, key=lambda name: item_seed(seed, "labels", name))
        for count in counts:
            some = Labelled(real.folder, tuple(sorted(order[:count])))
            labels = sum(len(_picks(real, name)) for name in some.names)
            for way, changes in (("scratch", {}), ("generated", _going_on(pickers, start))):
                name = f"{way}_{count}"
                picks = pickers.trained(name, some, seed, changes)
                points.append(Point(count, labels, way, seed, _auprc(pickers, picks)))
    return LabelCurve(points, pickers.task.protocol.as_dict(), inputs)


def _going_on(pickers: Pickers, start: Path) -> dict[str, Any]:
    return {"start": start, "learning_rate": pickers.fast.learning_rate / _SLOWER}


def _auprc(pickers: Pickers, picks: Any) -> float:
    value = pickers.task.figures(picks)["auprc"].value
    assert value is not None  # the task has particles
    return value


def _picks(real: Labelled, name: str) -> Any:
    picks = real.folder.picks_px(name)
    return () if picks is None else picks
