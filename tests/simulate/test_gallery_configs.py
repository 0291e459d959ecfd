"""Every configuration of the gallery runs through the verb and shows what its name says."""

from pathlib import Path

import mrcfile
import numpy as np
import pandas as pd
import pytest

from cryoccd.cli import main
from cryoccd.io.dataset import Dataset

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs/simulate/gallery").glob("*.yaml"))
KINDS = {
    "artefact_aggregates": "aggregate",
    "artefact_broken": "broken",
    "artefact_carbon_edge": "carbon_edge",
    "artefact_crystalline_ice": "crystalline_ice",
    "artefact_ethane_blobs": "ethane_blob",
    "artefact_gold_beads": "gold_bead",
    "artefact_ice_crystals": "ice_crystal",
    "context_ellipsoids": "membrane",
    "context_plane": "membrane",
    "context_tubes": "membrane",
    "context_vesicles": "membrane",
    "placement_label": "lumen",
    "placement_membrane": "membrane",
}


@pytest.fixture(autouse=True)
def from_the_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)  # the gallery names its inputs from there


def test_there_are_enough() -> None:
    assert len(CONFIGS) >= 25
    assert {path.stem for path in CONFIGS} >= {"empty", *KINDS}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_gallery_configuration(
    path: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    output = tmp_path / "set"
    assert main(["simulate", "--config", str(path), "--output", str(output), "--count", "1"]) == 0
    assert "particles found room" not in caplog.text  # every law reaches its number
    if path.stem == "imaging_tilts":
        _check_tilts(output)
        return
    dataset = Dataset(output)
    (name,) = dataset.names
    image, labels = dataset.image(name), dataset.image(name, "instances")
    particles, artefacts = dataset.particles_of(name), dataset.artefacts_of(name)
    # an instance has a row and a row an instance
    known = [*particles["instance_id"], *artefacts["instance_id"]]
    assert sorted(known) == sorted(set(np.unique(labels[labels > 0]).astype(int)))
    if path.stem == "empty":
        assert known == []
    else:
        assert len(particles) >= 3
    if path.stem in KINDS:
        assert KINDS[path.stem] in set(artefacts["kind"])
    else:
        assert len(artefacts) == 0
    # all are exposed and counted: noise about the dose, not the clean image
    dose = float(dataset.micrographs["dose_e_per_A2"].iloc[0]) * dataset.pixel_size_A**2
    assert 0.5 * dose < np.median(image) < dose
    assert image.std() > 0.3 * np.sqrt(dose)


def _check_tilts(output: Path) -> None:
    tilts = pd.read_parquet(output / "tilts.parquet")
    stack = mrcfile.read(output / "tilts/tomo_00000.mrcs")
    assert len(tilts) == len(stack) == 41
    particles = pd.read_parquet(output / "particles.parquet")
    volume = mrcfile.read(output / "tomograms/tomo_00000.mrc")
    voxel_A = float(pd.read_parquet(output / "tomograms.parquet")["voxel_size_A"].iloc[0])
    depth = volume.shape[0]

    def darkness(z_A: pd.Series) -> float:
        """Mean of a cube about each particle; particles are dark."""
        at = (
            np.stack(
                [
                    z_A / voxel_A + depth // 2,
                    particles["y_A"] / voxel_A,
                    particles["x_A"] / voxel_A,
                ],
                axis=1,
            )
            .round()
            .astype(int)
        )
        cubes = [volume[tuple(slice(max(c - 6, 0), c + 7) for c in centre)].mean() for centre in at]
        return float(np.mean(cubes))

    assert darkness(particles["z_A"]) < 2 * darkness(-particles["z_A"])
    assert darkness(particles["z_A"]) < -0.2 * volume.std()
