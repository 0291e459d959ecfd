"""Tomograms that generators of boxes are fitted to and judged on, as configurations name them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser

from cryoccd.data.subtomograms import SubtomogramDataModule
from cryoccd.errors import CryoccdError
from cryoccd.io.checked import read_yaml
from cryoccd.io.refusal import one_line


def read_data(path: Path) -> SubtomogramDataModule:
    """The data of a configuration file, prepared and opened.

    Args:
        path: YAML with the key `data`, such as configs/data/tomograms.yaml or the config.yaml of a
            fit.

    Raises:
        CryoccdError: it has no such key, names other data, or these cannot be read.
    """
    settings = read_yaml(path)
    if "data" not in settings:
        raise CryoccdError(f"{path}: no key data, expected the configuration of tomograms")
    return open_data(settings["data"], path)


def open_data(settings: Mapping[str, Any], path: Path) -> SubtomogramDataModule:
    """The data of class_path and init_args, prepared and opened; `path` names where they stand.

    Raises:
        CryoccdError: they are faulty, or of other data.
    """
    data = configured(settings, path)
    data.prepare_data()
    data.setup()
    return data


def configured(settings: Mapping[str, Any], path: Path) -> SubtomogramDataModule:
    """The same, not yet prepared.

    Raises:
        CryoccdError: they are faulty, or of other data.
    """
    parser = ArgumentParser(prog="cryoccd fit", exit_on_error=False)
    parser.add_subclass_arguments(SubtomogramDataModule, "data")
    with one_line(parser, [path]):
        data = parser.instantiate(parser.parse_object({"data": dict(settings)})).data
    assert isinstance(data, SubtomogramDataModule)  # the parser takes no other
    return data
