"""A fitted method from its checkpoint and the configuration beside it."""

from pathlib import Path

import torch
import yaml
from jsonargparse import ArgumentParser

from cryoccd.errors import CryoccdError
from cryoccd.methods.base import Translator


def load_translator(checkpoint: Path) -> Translator:
    """Build the method that `config.yaml` beside the checkpoint names and load its weights.

    Raises:
        CryoccdError: a file is missing, or is no checkpoint of ours. Pickled objects are refused.
    """
    config_path = checkpoint.parent / "config.yaml"
    for path in (checkpoint, config_path):
        if not path.is_file():
            raise CryoccdError(f"{path}: no such file; `cryoccd fit` writes both side by side")
    config = yaml.safe_load(config_path.read_text(encoding="utf8"))
    if not isinstance(config, dict) or "model" not in config:
        raise CryoccdError(f"{config_path}: no key `model`; it is not a configuration of a fit")
    parser = ArgumentParser(exit_on_error=False)
    parser.add_subclass_arguments(Translator, "model")
    model = parser.instantiate(parser.parse_object({"model": config["model"]})).model
    if not isinstance(model, Translator):
        raise CryoccdError(f"{config_path}: `model` is no Translator")
    try:
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)["state_dict"]
        model.load_state_dict(state)
    except Exception as error:
        line = " ".join(str(error).split())[:200]
        raise CryoccdError(f"{checkpoint}: not a checkpoint of {config_path} ({line})") from error
    return model.eval()
