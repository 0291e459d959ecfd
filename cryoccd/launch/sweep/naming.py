"""Names of jobs, made from their values: `lambda_nce-10__seed_everything-0`.

A flag is called by its last part, or by as many as tell it from the others; flags are in the order
of the alphabet, so that a name does not depend on the order of the axes. A name that would be long,
or that cannot show a value as it is, ends in a hash of the values.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

LONGEST = 100
_UNFIT = re.compile(r"[^A-Za-z0-9.+_-]+|__+")


def text_of(value: object) -> str:
    """A value on a command line, that reads it as YAML; 1e-05 is a number there with a point."""
    if isinstance(value, str):
        return value
    text = json.dumps(value)
    if isinstance(value, float) and "e" in text and "." not in text:
        text = text.replace("e", ".0e")
    return text


def names_of(points: Sequence[Mapping[str, Any]]) -> list[str]:
    """A name for each point, no two alike on any file system."""
    short = _short(sorted({flag for point in points for flag in point}))
    plain = [_plain(point, short) for point in points]
    shared = Counter(name.casefold() for name, _ in plain)
    return [
        name
        if faithful and len(name) <= LONGEST and shared[name.casefold()] == 1
        else f"{name[: LONGEST - 9].rstrip('._-')}-{_hash(point)}"
        for (name, faithful), point in zip(plain, points, strict=True)
    ]


def _plain(point: Mapping[str, Any], short: Mapping[str, str]) -> tuple[str, bool]:
    """The name, and whether all values are in it as they are."""
    parts, faithful = [], True
    for flag in sorted(point):
        text = text_of(point[flag])
        fit = _UNFIT.sub("-", text).strip("-_.") or "empty"
        faithful &= fit == text
        parts.append(f"{short[flag]}-{fit}")
    return "__".join(parts) or "job", faithful


def _short(flags: Sequence[str]) -> dict[str, str]:
    """The fewest last parts of each flag that no other flag ends in."""
    found = {}
    for flag in flags:
        parts = flag.split(".")
        ends = [".".join(parts[-n:]) for n in range(1, len(parts) + 1)]
        others = [f".{other}" for other in flags if other != flag]
        alone = (end for end in ends if not any(o.endswith(f".{end}") for o in others))
        found[flag] = _UNFIT.sub("-", next(alone, flag))
    return found


def _hash(point: Mapping[str, Any]) -> str:
    text = json.dumps(point, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
