"""What a command asks of other verbs."""

from pathlib import Path

import pytest

import cryoccd.cli
from cryoccd.cli import dispatch, main


def verbs_of(argv: list[str]) -> list[list[str]]:
    """Run a command; the command lines that it ran."""
    verbs = []

    def listens(words: list[str]) -> None:
        verbs.append(words)
        dispatch(words)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cryoccd.cli, "dispatch", listens)
        assert main(argv) == 0
    return verbs[1:]  # without the command itself


def folders_of(verbs: list[list[str]], verb: str, option: str) -> list[str]:
    """Names of the folders that an option of a verb was given."""
    start = f"--{option}="
    return [
        Path(word.removeprefix(start)).name
        for words in verbs
        if words[0] == verb
        for word in words
        if word.startswith(start)
    ]


def fits_of(argv: list[str]) -> list[str]:
    """Run a command; the folders that it fitted."""
    return folders_of(verbs_of(argv), "fit", "trainer.default_root_dir")
