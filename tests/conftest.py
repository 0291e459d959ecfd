"""Shared fixtures: one torch thread, the real data where it is at hand."""

import os
from pathlib import Path

import pytest
import torch

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def real_data() -> Path:
    root = os.environ.get("CRYOCCD_DATA")
    if not root or not Path(root).is_dir():
        pytest.skip("real data absent: set CRYOCCD_DATA to its folder")
    return Path(root)


@pytest.fixture(scope="session")
def toy_folders(tmp_path_factory) -> tuple[Path, Path]:
    """A simulated dataset folder and a plain folder of real micrographs (see tests/toys.py)."""
    from toys import write_real, write_simulated

    root = tmp_path_factory.mktemp("toy")
    return write_simulated(root / "simulated", empty=(3,)), write_real(root / "real")


@pytest.fixture(scope="session")
def exact(tmp_path_factory) -> Path:
    """verify-c1.yaml with 8 of its 40 micrographs: 400 whole particles without symmetry."""
    from dataclasses import replace

    from cryoccd.simulate.config import read_config
    from cryoccd.simulate.run import simulate

    root = tmp_path_factory.mktemp("exact") / "exact"
    config = read_config(Path(__file__).parents[1] / "configs/simulate/verify-c1.yaml")
    simulate(replace(config, count=8), root)
    return root


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """A home folder of its own, without a login at W&B."""
    for name in [name for name in os.environ if name.startswith(("WANDB_", "XDG_", "NETRC"))]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    return folder
