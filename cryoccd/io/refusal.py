"""What a parser of settings refuses, told in one line: the file, the key, the nearest known name.

jsonargparse nests its reasons and lists every alternative that a value could have been; a user
needs the innermost reason and the place where the key stands.
"""

import inspect
import re
from argparse import ArgumentError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser

from cryoccd.errors import CryoccdError
from cryoccd.io.checked import read_yaml

_FRAME = (
    "Does not validate",
    "Subtypes:",
    "Errors",
    "Given value",
    "Expected a <class 'NoneType'>",
)
_LISTED = 20  # more keys than these are better read in the help
_WORDING = (
    (r"Parser key \"([^\"]+)\"", r"\1"),
    (r"Problem with given class_path '([^']+)'", r"\1"),
    (
        r"Expected an? (?:<class '([^']+)'>|typing\.(\w.*?))(?:\. Got value: |$)",
        r"expected \1\2, got ",
    ),
    (r"Option '([^']+)' is not accepted.*", r"unknown key \1"),
    (r"Group '([^']+)' does not accept option '([^']+)'", r"unknown key \1.\2"),
    (r"unrecognized arguments: --([\w.-]+).*", r"unknown key \1"),
    (r"the following arguments are required: ", "missing: "),
)


@contextmanager
def one_line(parser: ArgumentParser, files: Sequence[Path] = ()) -> Iterator[None]:
    """Turn what parsing or building raises into one line.

    Args:
        parser: whose keys are suggested for a misspelt one.
        files: configuration files that took part, the last one rules.

    Raises:
        CryoccdError: the values were refused.
    """
    try:
        yield
    except (ArgumentError, ValueError, TypeError, OSError) as error:
        raise _refusal(error, parser, files) from error


def _refusal(error: Exception, parser: ArgumentParser, files: Sequence[Path]) -> CryoccdError:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, CryoccdError):
            return type(cause)(str(cause))
        cause = cause.__cause__ or cause.__context__
    try:
        contents = {path: read_yaml(path) for path in files}
    except CryoccdError as unreadable:
        return unreadable
    reason = _innermost(str(error))
    places = [path for path in files if _holds(contents[path], reason)]
    return CryoccdError(f"{f'{places[-1]}: ' if places else ''}{reason}{_hint(reason, parser)}")


def _innermost(message: str) -> str:
    """The reasons without the frame of alternatives around them."""
    lines = [line.strip(" -").rstrip(":") for line in message.splitlines()]
    text = ": ".join(line for line in lines if line and not line.startswith(_FRAME))
    for pattern, words in _WORDING:
        text = re.sub(pattern, words, text)
    given = re.search(r"Given value: (.*)", message)
    return text + given[1] if given and text.endswith("got ") else text


def _holds(values: object, reason: str) -> bool:
    """Whether a file has the unknown key, or the refused value, or the class that lacks one."""
    unknown = re.search(r"unknown key (?:.*\.)?(\w+)", reason)
    if unknown:
        return any(key == unknown[1] for key, _ in _items(values))
    got = re.search(r"got (?:value: )?(.*)", reason, re.IGNORECASE)
    if got:
        named = set(re.findall(r"(\w+): ", reason))
        return any(key in named and str(value) == got[1] for key, value in _items(values))
    return any(key == "class_path" and str(value) in reason for key, value in _items(values))


def _items(values: object) -> Iterator[tuple[str, object]]:
    nested: list[Any] = list(values) if isinstance(values, list) else []
    if isinstance(values, dict):
        yield from ((str(key), value) for key, value in values.items())
        nested = list(values.values())
    for value in nested:
        yield from _items(value)


def _hint(reason: str, parser: ArgumentParser) -> str:
    """The nearest name of the class or of the parser to one that is unknown."""
    help_line = f"; `{parser.prog} --help` lists the keys"
    unknown = re.search(r"unknown key ([\w.-]+)", reason)
    if unknown is None:
        return help_line if "missing: " in reason else ""
    classes = re.findall(r"([\w.]+)\.(\w+): ", reason)
    if classes:
        built = getattr(import_module(classes[-1][0]), classes[-1][1])
        known = _accepted(built)
    else:
        known = list(parser.get_defaults().keys(branches=True))
    near = get_close_matches(unknown[1].replace("-", "_"), known, n=1)
    if near:
        return f" (is it {near[0]}?)"
    return f"; known: {', '.join(known)}" if len(known) <= _LISTED else help_line


def _accepted(built: Any) -> list[str]:
    """Names of the parameters, with those of the base class where `**` hands them on."""
    names: dict[str, None] = {}
    for kind in getattr(built, "__mro__", (built,)):
        parameters = inspect.signature(kind).parameters.values()
        names |= {p.name: None for p in parameters if p.kind is not p.VAR_KEYWORD}
        if all(p.kind is not p.VAR_KEYWORD for p in parameters):
            break
    return list(names)
