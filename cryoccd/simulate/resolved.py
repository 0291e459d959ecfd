"""A configuration as plain values, for the manifest: it builds the same objects again."""

from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from cryoccd.scene.artefacts import Artefact
from cryoccd.scene.membranes import Membranes
from cryoccd.scene.orientation import OrientationLaw
from cryoccd.scene.placement import PlacementLaw

_CHOSEN = (PlacementLaw, OrientationLaw, Membranes, Artefact)
"""What a configuration names by its class."""


def resolved(value: Any) -> Any:
    """Nested dictionaries and lists; what has a class of its own choice stands with class_path."""
    if is_dataclass(value):
        plain = {part.name: resolved(getattr(value, part.name)) for part in fields(value)}
        if isinstance(value, _CHOSEN):
            kind = type(value)
            return {"class_path": f"{kind.__module__}.{kind.__name__}", "init_args": plain}
        return plain
    if isinstance(value, dict):
        return {key: resolved(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [resolved(part) for part in value]
    return str(value) if isinstance(value, Path) else value
