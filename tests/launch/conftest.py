"""The table of the mini profile, made once."""

from pathlib import Path

import pytest

from cryoccd.cli import main


@pytest.fixture(scope="session")
def run(tmp_path_factory) -> tuple[Path, list[str]]:
    """The folder with results/ and runs/, and the command that made them."""
    root = tmp_path_factory.mktemp("mini")
    argv = ["table", "fid", "--profile", "mini"]
    argv += ["--results", str(root / "results"), "--runs", str(root / "runs")]
    assert main(argv) == 0
    return root, argv
