"""The noise report card on paper: one JSON record and one Markdown page."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from typing import Any

import cryoccd
from cryoccd.metrics.card import Metric
from cryoccd.metrics.measure import Figure
from cryoccd.metrics.statistics.verdict import LEVEL, Verdict
from cryoccd.report.text import UNDEFINED, number_text


@dataclass(frozen=True)
class Difference:
    """A figure of the judged method less that of another, and its permutation test."""

    value: float
    verdict: Verdict


@dataclass(frozen=True)
class NoiseCard:
    """All that is known of one generated set against one real one.

    Args:
        title: heading.
        figures: meaning and ideal of each figure.
        metrics: their values.
        anchors: the same figures of other sets against the same real one, such as `floor` and
            `ceiling`.
        verdicts: permutation tests of some of them.
        differences: the same of the difference from another method.
        protocol: what must be equal for two cards to be compared.
        inputs: what was compared.
        made_by: hash of all that the card depends on.
    """

    title: str
    figures: Mapping[str, Figure]
    metrics: Mapping[str, Metric]
    anchors: Mapping[str, Mapping[str, Metric]]
    verdicts: Mapping[str, Verdict]
    differences: Mapping[str, Difference]
    protocol: Mapping[str, Any]
    inputs: Mapping[str, Any]
    made_by: str = ""

    @property
    def indistinguishable(self) -> bool | None:
        """Whether no test found a difference; None where nothing was tested."""
        if not self.verdicts:
            return None
        return all(verdict.indistinguishable for verdict in self.verdicts.values())

    def record(self) -> dict[str, Any]:
        """The card as plain values."""
        metrics = {}
        for name, metric in self.metrics.items():
            entry = asdict(metric) | {"ideal": self.figures[name].ideal}
            entry |= {key: asdict(report[name]) for key, report in self.anchors.items()}
            if verdict := self.verdicts.get(name):
                entry["test"] = _plain(verdict)
            if difference := self.differences.get(name):
                entry["difference"] = {"value": difference.value} | _plain(difference.verdict)
            metrics[name] = entry
        return {
            "metrics": metrics,
            "indistinguishable": self.indistinguishable,
            "protocol": dict(self.protocol),
            "inputs": dict(self.inputs),
            "version": cryoccd.__version__,
        } | ({"made_by": self.made_by} if self.made_by else {})

    def markdown(self, figure: str) -> str:
        """The page, with the picture of that name."""
        heads = ["figure", "ideal", "value", "interval", *self.anchors, "what it is"]
        rows = [
            [f"`{name}`", f"{self.figures[name].ideal:g}", *self.text(metric)]
            + [self.text(report[name])[0] for report in self.anchors.values()]
            + [self.figures[name].what + (f" ({metric.note})" if metric.note else "")]
            for name, metric in self.metrics.items()
        ]
        lines = [f"# {self.title}", "", self.verdict(), "", f"![spectra]({figure})", ""]
        lines += _table(heads, rows)
        if self.verdicts:
            found = {
                name: (self.metrics[name].value or 0.0, v) for name, v in self.verdicts.items()
            }
            lines += ["", "## Against real micrographs", "", *_tests(found)]
        if self.differences:
            found = {name: (d.value, d.verdict) for name, d in self.differences.items()}
            lines += ["", f"## Less {self.inputs['against']}", "", *_tests(found)]
        lines += [
            "",
            "[a, b] is the 95 % interval over micrographs; a to b, with few of them, the range of "
            "the estimates that leave one out.",
            "",
            "## Protocol",
            "",
        ]
        lines += [f"- {key}: {value}" for key, value in {**self.inputs, **self.protocol}.items()]
        return "\n".join(lines) + "\n"

    @staticmethod
    def text(metric: Metric) -> tuple[str, str]:
        """Value and interval as text: [a, b] of 95 %, or a to b, the range of leave-one-out."""
        if metric.value is None:
            return UNDEFINED, UNDEFINED
        if metric.ci_low is None or metric.ci_high is None:
            return _number(metric.value), UNDEFINED
        low, high = _number(metric.ci_low), _number(metric.ci_high)
        ends = f"{low} to {high}" if metric.interval == "range" else f"[{low}, {high}]"
        return _number(metric.value), ends

    def verdict(self) -> str:
        """What the tests say together, in one sentence."""
        if self.indistinguishable is None:
            return "No permutation test was made."
        tested = f"{len(self.verdicts)} figures tested together at {LEVEL:g}"
        if self.indistinguishable:
            return (
                f"Indistinguishable from real ({tested}); what would have been seen stands below."
            )
        found = [name for name, verdict in self.verdicts.items() if not verdict.indistinguishable]
        return f"Distinguishable from real by {', '.join(found)} ({tested})."


def _plain(verdict: Verdict) -> dict[str, Any]:
    values = {k: v if isfinite(v) else None for k, v in asdict(verdict).items()}
    return values | {"indistinguishable": verdict.indistinguishable}


def _tests(found: Mapping[str, tuple[float, Verdict]]) -> list[str]:
    heads = ["figure", "value", "p", "found", "seen above", "seen in 4 of 5 above"]
    rows = [
        [
            f"`{name}`",
            _number(value),
            f"{verdict.p:.3g}",
            "no" if verdict.indistinguishable else "yes",
            _number(verdict.critical),
            _number(verdict.detectable),
        ]
        for name, (value, verdict) in found.items()
    ]
    return [
        "Labels are exchanged between whole micrographs. A deviation from the ideal is a finding "
        "above the fifth column; a true one of the last is found in four of five experiments of "
        "this size.",
        "",
        *_table(heads, rows),
    ]


def _number(value: float) -> str:
    return number_text(value, abs(value)) if isfinite(value) else "nothing of any size"


def _table(heads: list[str], rows: list[list[str]]) -> list[str]:
    lines = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in lines]
