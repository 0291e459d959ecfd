"""Tomograms made where they are absent."""

import pytest

from cryoccd.data.subtomograms import SubtomogramDataModule
from cryoccd.data.subtomograms.simulated import SimulatedTomograms
from cryoccd.errors import CryoccdError
from cryoccd.io.tomograms import TomogramOptions

CONFIG = """
count: 3
shape_px: [64, 64]
pixel_size_A: 10.0
box_px: 24
species:
  - {source: "assembly:lobed_c1"}
  - {source: "assembly:dimer_d2"}
particles: {mean: 12, overlap_in_projection: true}
ice: {median_A: 300, sigma_log: 0.0, roughness: 0.0, minimum_A: 200}
dose: {dose_e_per_A2: 120}
tilts: {lowest_deg: -60, highest_deg: 60, step_deg: 10}
tomogram: {thickness_A: 480, binning: 1, denoised: true}
"""


def test_a_data_module_makes_its_tomograms_and_holds_one_out(tmp_path):
    config = tmp_path / "tilts.yaml"
    config.write_text(CONFIG)
    root = tmp_path / "tomograms"
    data = SubtomogramDataModule(
        root,
        box_voxels=16,
        fold=2,
        batch_size=4,
        options=TomogramOptions(flavour="denoised"),
        recipe=SimulatedTomograms(config, seed=5),
    )
    data.prepare_data()
    data.setup()
    assert data.classes == ("dimer_d2", "lobed_c1")
    assert data.voxel_size_A == 10.0
    assert "held out: tomogram tomo_00002" in data.describe()
    batch = next(iter(data.train_dataloader()))
    assert batch.volume.shape == (4, 1, 16, 16, 16)
    # particles are dark, and lie in the middle of their boxes
    held = data.boxes("held")
    middle = sum(float(held[k].volume[0, 6:10, 6:10, 6:10].mean()) for k in range(len(held)))
    assert middle / len(held) < -0.5
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*.mrc")}
    data.prepare_data()
    assert before == {path: path.stat().st_mtime_ns for path in root.rglob("*.mrc")}


def test_a_configuration_of_micrographs_is_refused(tmp_path):
    config = tmp_path / "flat.yaml"
    config.write_text(CONFIG.replace("tilts:", "# tilts:"))
    with pytest.raises(CryoccdError, match=r"flat.yaml: has no tilts, so no tomograms; add tilts"):
        SimulatedTomograms(config).prepare(tmp_path / "none")
