"""What was found about one family of labels."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Verdict = Literal["pass", "FAIL", "undecided"]

FAMILIES = (
    "checksums",
    "headers",
    "tables",
    "instances",
    "positions",
    "angles",
    "hand",
    "pixel size",
    "defocus",
    "signal",
)
"""Families of labels in the order in which they are told."""


@dataclass(frozen=True)
class Finding:
    """A verdict with the figures or the fault behind it.

    Args:
        family: one of FAMILIES.
        verdict: undecided where the set cannot tell.
        text: one line.
    """

    family: str
    verdict: Verdict
    text: str


def merged(findings: Iterable[Finding]) -> list[Finding]:
    """One finding a family, in order; a fault goes before a doubt, a doubt before a pass."""
    found = list(findings)
    result = []
    for family in FAMILIES:
        own = [finding for finding in found if finding.family == family]
        for verdict in ("FAIL", "undecided", "pass"):
            texts = [finding.text for finding in own if finding.verdict == verdict]
            if texts:
                result.append(Finding(family, verdict, "; ".join(dict.fromkeys(texts))))
                break
    return result
