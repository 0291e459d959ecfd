"""The values of each job: every choice of the grid, of the list and of the draws together."""

import math
import random
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from cryoccd.errors import CryoccdError
from cryoccd.launch.sweep.dotted import flat

KINDS = frozenset({"uniform", "log_uniform", "choice"})
"""What a flag may be drawn from."""


def points(axes: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Flag to value for each job, equal ones once; one without any where there are no axes.

    Args:
        axes: grid, list and random, see `cryoccd.launch.sweep.config`.

    Raises:
        CryoccdError: a flag stands on two axes, or its values are no list.
    """
    chosen = [_grid(axes["grid"]), _list(axes["list"]), draws(axes["random"])]
    used = [{flag for point in axis for flag in point} for axis in chosen]
    for i, flags in enumerate(used):
        for flag in flags.intersection(*[set().union(*used[:i])]):
            raise CryoccdError(f"axes: {flag} stands on two axes; name it on one")
    found: dict[str, dict[str, Any]] = {}
    for choice in product(*chosen):
        point = {flag: value for part in choice for flag, value in part.items()}
        found.setdefault(repr(sorted(point.items())), point)
    return list(found.values())


def draws(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The draws of a random search, to four digits.

    Each value is drawn by the seed, the number of the draw and the flag alone: more draws, or
    another flag beside, leave it as it is.

    Raises:
        CryoccdError: a law is unknown, its bounds are no two ascending numbers, or not above 0.
    """
    count, seed = settings["draws"], settings["seed"]
    laws = flat(settings["flags"], KINDS)
    if (count > 0) != bool(laws) or count < 0:
        raise CryoccdError(
            f"axes: random.draws = {count} of {len(laws)} flags, expected 1 or more of both"
        )
    drawn = [
        {flag: _draw(flag, law, random.Random(f"{seed}:{k}:{flag}")) for flag, law in laws.items()}
        for k in range(count)
    ]
    return drawn or [{}]


def _draw(flag: str, law: Any, source: random.Random) -> Any:
    if not (isinstance(law, Mapping) and len(law) == 1 and set(law) <= KINDS):
        known = ", ".join(sorted(KINDS))
        raise CryoccdError(f"axes: random.flags.{flag} = {law}, expected one of {known}")
    [(kind, values)] = law.items()
    if kind == "choice":
        return source.choice(_values(f"random.flags.{flag}", values))
    numbers = [v for v in _values(f"random.flags.{flag}", values) if _is_number(v)]
    if len(numbers) != 2 or len(values) != 2 or not numbers[0] < numbers[1]:
        raise CryoccdError(f"axes: random.flags.{flag} = {law}, expected [low, high]")
    low, high = numbers
    if kind == "uniform":
        value = source.uniform(low, high)
    else:
        if low <= 0:
            raise CryoccdError(f"axes: random.flags.{flag} = {law}, expected low above 0")
        value = math.exp(source.uniform(math.log(low), math.log(high)))
    return min(max(float(f"{value:.4g}"), low), high)


def _grid(grid: Mapping[str, Any]) -> list[dict[str, Any]]:
    axes = {flag: _values(f"grid.{flag}", values) for flag, values in flat(grid).items()}
    return [dict(zip(axes, choice, strict=True)) for choice in product(*axes.values())]


def _list(entries: Sequence[Any]) -> list[dict[str, Any]]:
    for number, entry in enumerate(entries):
        if not isinstance(entry, Mapping):
            raise CryoccdError(f"axes: list[{number}] = {entry}, expected flags and their values")
    return [flat(entry) for entry in entries] or [{}]


def _values(name: str, values: Any) -> list[Any]:
    if not isinstance(values, list) or not values:
        raise CryoccdError(f"axes: {name} = {values}, expected a list of values")
    return values


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
