"""A trained network as one file: weights and settings without a pickle."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

import cryoccd
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import atomic_path

N = TypeVar("N", bound=nn.Module)


def save_network(path: Path, network: nn.Module, kind: str, note: dict[str, Any]) -> None:
    """Write weights, and a note of plain values and paths, whole or not at all."""
    note = {"version": cryoccd.__version__, **note}
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    with atomic_path(path) as temporary:
        save_file(weights, temporary, {kind: json.dumps(note, default=str)})


def load_network(path: Path, kind: str, what: str, build: Callable[[dict[str, Any]], N]) -> N:
    """A network from its file, not in training.

    Args:
        path: the file.
        kind: under which the note stands.
        what: it is called in messages.
        build: makes the network of a note.

    Raises:
        CryoccdError: there is no such file, or it is of another kind.
    """
    if not path.is_file():
        raise CryoccdError(f"{path}: no such file; train a {what} first")
    try:
        with safe_open(path, "pt") as file:
            note = json.loads((file.metadata() or {})[kind])
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        network = build(note)
        network.load_state_dict(state)
    except Exception as error:  # each library raises what its reader meets first
        reason = (str(error).split("\n")[0] or type(error).__name__)[:120]
        raise CryoccdError(f"{path}: not a {what} ({reason}); train it again") from error
    return network.eval()
