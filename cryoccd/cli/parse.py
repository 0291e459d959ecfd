"""A typed function as a command line, with `--config` and plain flags for booleans."""

import inspect
from collections.abc import Callable
from typing import Any

from jsonargparse import ArgumentParser


def call(prog: str, function: Callable[..., Any], argv: list[str]) -> None:
    """Parse `argv` for the parameters of a typed function and call it.

    An unknown key, on the command line or in a --config file, is an error; nothing exits here.
    """
    parser = ArgumentParser(prog=f"cryoccd {prog}", exit_on_error=False)
    parser.add_argument("--config", action="config", help="YAML file with any of the options")
    parser.add_function_arguments(function, as_group=False, fail_untyped=True)
    flags = {
        f"--{name}"
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.annotation is bool
    }
    settings = parser.parse_args(_plain_flags(argv, flags))
    settings = parser.instantiate(settings)
    values = {k: v for k, v in vars(settings).items() if k not in ("config", "__default_config__")}
    function(**values)


def _plain_flags(argv: list[str], flags: set[str]) -> list[str]:
    """`--resume` alone means true."""
    words = [
        word.replace("-", "_") if word[:2] == "--" and "=" not in word else word for word in argv
    ]
    words = ["--" + word[2:] if word[:2] == "__" else word for word in words]
    plain: list[str] = []
    for i, word in enumerate(words):
        plain.append(word)
        if word in flags and (i + 1 == len(words) or words[i + 1].startswith("--")):
            plain.append("true")
    return plain
