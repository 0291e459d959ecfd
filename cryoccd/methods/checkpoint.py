"""A fitted method from its checkpoint and the configuration beside it."""

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from jsonargparse import ArgumentParser

from cryoccd.errors import CryoccdError
from cryoccd.io.checked import read_yaml
from cryoccd.io.dotted import with_dotted
from cryoccd.io.refusal import one_line
from cryoccd.methods.base import Translator
from cryoccd.methods.fittable import Fittable
from cryoccd.methods.volume_generator import VolumeGenerator

Kind = TypeVar("Kind", bound=Fittable)

_OTHER: dict[type[Fittable], str] = {
    Translator: "generates boxes of tomograms; use `cryoccd sample`",
    VolumeGenerator: "is a translator; use `cryoccd translate`",
}


def load_translator(checkpoint: Path, settings: Mapping[str, Any] | None = None) -> Translator:
    """See `_load`."""
    return _load(Translator, checkpoint, settings)  # type: ignore[type-abstract]


def load_generator(checkpoint: Path, settings: Mapping[str, Any] | None = None) -> VolumeGenerator:
    """See `_load`."""
    return _load(VolumeGenerator, checkpoint, settings)  # type: ignore[type-abstract]


def _load(kind: type[Kind], checkpoint: Path, settings: Mapping[str, Any] | None) -> Kind:
    """Build the method that `config.yaml` beside the checkpoint names and load its weights.

    Args:
        kind: base of the methods that will do.
        checkpoint: of a fit.
        settings: values by dotted names below `model`, in place of the configuration's.

    Raises:
        CryoccdError: a file is missing, or is no checkpoint of ours; pickled objects are refused. A
            setting is unknown, or asks for other weights.
    """
    config_path = checkpoint.parent / "config.yaml"
    for path in (checkpoint, config_path):
        if not path.is_file():
            raise CryoccdError(f"{path}: no such file; `cryoccd fit` writes both side by side")
    config = read_yaml(config_path)
    if "model" not in config:
        raise CryoccdError(f"{config_path}: no key `model`; it is not a configuration of a fit")
    settings = settings or {}
    for name in settings:
        if not name.startswith("model."):
            raise CryoccdError(f"set: {name} is no setting of a model, expected model.init_args...")
    parser = ArgumentParser(prog="cryoccd fit", exit_on_error=False)
    parser.add_subclass_arguments(Fittable, "model")
    with one_line(parser, [config_path]):
        changed = with_dotted({"model": config["model"]}, settings)
        model = parser.instantiate(parser.parse_object(changed)).model
    if not isinstance(model, kind):
        raise CryoccdError(f"{checkpoint}: {model.label} {_OTHER[kind]}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # what torch says of foreign pickles
            state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
        model.load_state_dict(state)
    except Exception as error:  # torch raises whatever its reader meets first
        reason = (str(error).split("\n")[0].split(". ")[0] or type(error).__name__)[:120]
        raise CryoccdError(
            f"{checkpoint}: not a checkpoint of {config_path} ({reason}); fit again"
        ) from error
    return model.eval()
