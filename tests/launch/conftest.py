"""The table of the mini profile and the stage of the control gallery, made once."""

from pathlib import Path

import pytest

from cryoccd.cli import main
from cryoccd.io.folder_optics import FolderOptics
from cryoccd.launch.control_scene import Stage


@pytest.fixture(scope="session")
def run(tmp_path_factory) -> tuple[Path, list[str]]:
    """The folder with results/ and runs/, and the command that made them."""
    root = tmp_path_factory.mktemp("mini")
    argv = ["table", "fid", "--profile", "mini"]
    argv += ["--results", str(root / "results"), "--runs", str(root / "runs")]
    assert main(argv) == 0
    return root, argv


@pytest.fixture(scope="session")
def stage() -> Stage:
    """The molecule of the mini profile under optics like those of its real side."""
    return Stage.of("assembly:dimer_d2", FolderOptics(300.0, 2.7, 0.1, 4.0, (12500, 20000), 170.0))
