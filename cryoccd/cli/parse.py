"""A typed function as a command line, with `--config` files and plain flags."""

import inspect
import re
from collections.abc import Callable, Collection
from itertools import pairwise
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser

from cryoccd.errors import CryoccdError
from cryoccd.io.refusal import one_line


def call(prog: str, function: Callable[..., Any], argv: list[str], **given: object) -> None:
    """Parse `argv` for the parameters of a typed function, but for those given, and call it.

    A parameter that is false by default is a flag without a value, and one that is a list of
    strings may come several times. An unknown key, on the command line or in a --config file, is an
    error; nothing exits here, but after --help.

    Raises:
        CryoccdError: the command line or a file was refused.
    """
    described = inspect.getdoc(function) or ""
    parser = ArgumentParser(
        prog=f"cryoccd {prog}",
        description=described.partition("\n")[0],
        exit_on_error=False,
        allow_abbrev=False,
    )
    parser.add_argument("--config", action="config", help="YAML file with any of the options")
    parameters = inspect.signature(function).parameters
    flags = [name for name, parameter in parameters.items() if parameter.default is False]
    left_out: set[str | int] = {*flags, *given}
    parser.add_function_arguments(function, as_group=False, fail_untyped=True, skip=left_out)
    for name in flags:
        text = re.search(rf"^ +{name}: (.*)", described, re.MULTILINE)
        parser.add_argument(f"--{name}", action="store_true", help=text[1] if text else None)
    lists = [name for name, p in parameters.items() if p.annotation == list[str] | None]
    argv = appended(underscored(argv), lists)
    with one_line(parser, config_files(argv)):
        settings = parser.instantiate(parser.parse_args(argv))
    function(**given, **{key: value for key, value in vars(settings).items() if key != "config"})


def underscored(argv: list[str]) -> list[str]:
    """`--real-split` means `--real_split`."""
    options = [word.partition("=") if word.startswith("--") else ("", "", word) for word in argv]
    return [
        "--" + name[2:].replace("-", "_") + equals + value if name else value
        for name, equals, value in options
    ]


def appended(argv: list[str], lists: Collection[str]) -> list[str]:
    """`--set=a --set=b` means `--set+=a --set+=b`: the second does not replace the first."""
    options = [word.partition("=") for word in argv]
    return [
        f"{name}+{equals}{value}" if name.removeprefix("--") in lists else name + equals + value
        for name, equals, value in options
    ]


def config_files(argv: list[str]) -> list[Path]:
    """The files that --config or -c names, in order."""
    split = [part for word in argv for part in re.split(r"^(--config)=", word) if part]
    return [Path(b) for a, b in pairwise(split) if a in ("--config", "-c")]


def names(text: str | None) -> list[str] | None:
    """The names of a comma list, each once; None where there is none."""
    return list(dict.fromkeys(n.strip() for n in text.split(",") if n.strip())) if text else None


def numbers(field: str, text: str) -> list[int]:
    """The whole numbers of a comma list, each once.

    Raises:
        CryoccdError: something else stands in it.
    """
    try:
        return list(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError as error:
        raise CryoccdError(f"{field} = {text!r}, expected whole numbers such as 0,1,2") from error
