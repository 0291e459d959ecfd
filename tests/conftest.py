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
