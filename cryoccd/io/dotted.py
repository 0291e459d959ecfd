"""Nested settings by dotted names, such as model.init_args.sampler.init_args.steps=50."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from cryoccd.errors import CryoccdError


def parse_dotted(field: str, words: Sequence[str]) -> dict[str, Any]:
    """Dotted name to value, of words NAME=VALUE; a value is read as YAML.

    Raises:
        CryoccdError: a word is no NAME=VALUE, its value no YAML, or a name comes twice.
    """
    found: dict[str, Any] = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not (equals and all(name.split("."))):
            raise CryoccdError(f"{field}: {word!r}, expected NAME=VALUE such as a.b.steps=50")
        if name in found:
            raise CryoccdError(f"{field}: {name} is given twice; give it once")
        try:
            found[name] = yaml.safe_load(text)
        except yaml.YAMLError as error:
            raise CryoccdError(f"{field}: {name} = {text!r} is no YAML; mend it") from error
    return found


def with_dotted(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Nested mappings with some values replaced, each as a whole; the given ones stay as they are.

    A name that is absent is added: what reads the settings knows which names there are.
    """
    changed = dict(values)
    for name, value in changes.items():
        first, _, rest = name.partition(".")
        if rest:
            inner = changed.get(first)
            value = with_dotted(inner if isinstance(inner, Mapping) else {}, {rest: value})
        changed[first] = value
    return changed
