"""A fitted method from its checkpoint and the configuration beside it."""

import warnings
from pathlib import Path

import torch
from jsonargparse import ArgumentParser

from cryoccd.errors import CryoccdError
from cryoccd.io.checked import read_yaml
from cryoccd.io.refusal import one_line
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
    config = read_yaml(config_path)
    if "model" not in config:
        raise CryoccdError(f"{config_path}: no key `model`; it is not a configuration of a fit")
    parser = ArgumentParser(prog="cryoccd fit", exit_on_error=False)
    parser.add_subclass_arguments(Translator, "model")
    with one_line(parser, [config_path]):
        model = parser.instantiate(parser.parse_object({"model": config["model"]})).model
    if not isinstance(model, Translator):
        raise CryoccdError(f"{config_path}: `model` is no Translator")
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
