"""A simulated dataset folder and a plain folder of real micrographs, both small."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from cryoccd.io.dataset import DatasetWriter, Item
from cryoccd.io.mrc import write_mrc
from cryoccd.records import PARTICLE_COLUMNS, Exposure, Optics

SIDE = 64
OPTICS_YAML = """voltage_kV: 300
cs_mm: 2.7
amplitude_contrast: 0.1
pixel_size_A: 2.0
defocus_A: [10000, 20000]
particle_diameter_A: 20
"""


def exposure(index: int) -> Exposure:
    """Micrograph 0 has no particle; each other one has as many as its number, and one artefact."""
    instances = torch.zeros(SIDE, SIDE, dtype=torch.int32)
    instances[56:60, 56:60] = 99  # an artefact: not in the truth table
    rows = pd.DataFrame({column: np.zeros(index) for column in PARTICLE_COLUMNS}).assign(
        instance_id=np.arange(1, index + 1), species="s", conformation=0, on_edge=False
    )
    for k in range(index):
        instances[8 : 8 + 10, 4 + 20 * k : 14 + 20 * k] = k + 1
        rows.loc[k, ["x_A", "y_A"]] = (2.0 * (8.5 + 20 * k), 2.0 * 12.5)
    generator = torch.Generator().manual_seed(index)
    clean = 1 + 0.01 * torch.randn(SIDE, SIDE, generator=generator)
    ice = 200 + 400 * torch.rand(SIDE // 8, SIDE // 8, generator=generator)
    return Exposure(clean, instances, ice, rows, Optics(300, 2.7, 0.1, 2.0, 15000, 15000))


@pytest.fixture
def simulated(tmp_path: Path) -> Path:
    writer = DatasetWriter(tmp_path / "simulated", {"seed": 0})
    names = [f"sim{index}" for index in range(3)]
    for index, name in enumerate(names):
        writer.write(Item(name, exposure(index), seed=index))
    writer.finish(names)
    return tmp_path / "simulated"


@pytest.fixture
def real(tmp_path: Path) -> Path:
    """Three training micrographs and one for test, whose pixels are recognisable by their value."""
    root = tmp_path / "real"
    (root / "picks").mkdir(parents=True)
    for index in range(4):
        values = np.random.default_rng(index).normal(size=(80, 72)).astype(np.float32)
        if index == 3:
            values = np.round(values * 4)  # the test micrograph: few distinct values
        write_mrc(root / "micrographs" / f"mic{index}.mrc", values, 2.0, "test")
        picks = "".join(f"{20 * k + 10},{40}\n" for k in range(index))
        (root / "picks" / f"mic{index}.csv").write_text("x_px,y_px\n" + picks)
    splits = "".join(f"mic{index},{'test' if index == 3 else 'train'}\n" for index in range(4))
    (root / "split.csv").write_text("micrograph,split\n" + splits)
    (root / "optics.yaml").write_text(OPTICS_YAML)
    return root
