"""Nested mappings, and the dotted names of what is in them: the flags of a command line."""

from collections.abc import Mapping
from typing import Any

from cryoccd.errors import CryoccdError


def flat(values: Mapping[str, Any], leaf: frozenset[str] = frozenset()) -> dict[str, Any]:
    """Dotted names to the values of nested mappings; one with a key of `leaf` is a value."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value and not leaf & set(value):
            found |= {f"{name}.{inner}": each for inner, each in flat(value, leaf).items()}
        else:
            found[str(name)] = value
    return found


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """The opposite of `flat`: what dotted names mean."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        *above, last = str(name).split(".")
        inner = found
        for part in above:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise CryoccdError(f"{name}: {part} has a value of its own; name it once")
        if last in inner:
            raise CryoccdError(f"{name}: {last} has values below it; name it once")
        inner[last] = value
    return found
