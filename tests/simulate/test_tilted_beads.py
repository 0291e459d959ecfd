"""Gold beads go with the stage, and the filtered tomogram shows them where the raw one does."""

from dataclasses import replace

import mrcfile
import numpy as np
import pytest
import torch
from scipy.ndimage import center_of_mass, label

from cryoccd.io.dataset.tomograms import TomogramSet
from cryoccd.records import Body
from cryoccd.scene.artefacts import GoldBeads
from cryoccd.scene.artefacts.moved import moved
from cryoccd.scene.crowding import CrowdingConfig
from cryoccd.scene.ice import IceConfig
from cryoccd.simulate.config import SimulateConfig, SpeciesConfig
from cryoccd.simulate.run import simulate
from cryoccd.simulate.tilt_config import TiltConfig, TomogramConfig

CONFIG = SimulateConfig(
    species=[SpeciesConfig("assembly:lobed_c1")],
    count=1,
    seed=4,  # two beads, whole and apart
    shape_px=(96, 96),
    pixel_size_A=8.0,
    particles=CrowdingConfig(0.0),
    ice=IceConfig(median_A=400.0, sigma_log=0.0, roughness=0.0, minimum_A=100.0),
    artefacts=[GoldBeads(mean=1.0, radius_A=(40.0, 40.0))],
    tilts=TiltConfig(-60.0, 60.0, 3.0, axis_deg=90.0),
    tomogram=TomogramConfig(thickness_A=640.0, binning=1, denoised=True),
)


def beads(volume):
    """(n, 3) centres z, y, x of what is half as dark as the darkest voxel, or darker."""
    parts, count = label(volume < volume.min() / 2)
    found = [k for k in range(1, count + 1) if (parts == k).sum() > 20]
    return np.array([center_of_mass(-volume * (parts == k)) for k in found])


@pytest.mark.parametrize("step_A", [(0.0, 0.0), (8.0, -16.0), (3.0, 11.0), (-5.0, 0.5)])
def test_a_moved_body_keeps_its_mass_and_goes_as_far_as_its_centre(step_A):
    image = torch.zeros(1, 12, 12)
    image[0, 3:8, 4:9] = torch.rand(5, 5, generator=torch.Generator().manual_seed(0))
    body = Body("gold_bead", (40.0, 48.0, 5.0), 2, 7, image, (5.0,), image[0] > 0)
    after = moved(body, (40.0 + step_A[0], 48.0 + step_A[1], -3.0), 8.0)
    assert after.z_A == (-3.0,)
    assert float(after.potential_V_A.sum()) == pytest.approx(float(image.sum()), rel=1e-5)
    corner = np.array([after.top_px - 2, after.left_px - 7])
    before_px = np.array(center_of_mass(image[0].numpy()))
    after_px = np.array(center_of_mass(after.potential_V_A[0].numpy())) + corner
    assert (after_px - before_px) * 8 == pytest.approx([step_A[1], step_A[0]], abs=1e-3)


def test_a_bead_stands_on_a_face_of_the_ice_in_the_tomogram(tmp_path):
    """Were it not turned with the stage, all tilts would meet in the middle of the ice."""
    simulate(CONFIG, tmp_path / "set")
    volume = mrcfile.read(tmp_path / "set/tomograms/tomo_00000.mrc")
    assert -volume.min() > 8 * volume.std()
    found = beads(volume)
    assert len(found) == 2
    assert np.abs(found[:, 0] - 40) * 8 == pytest.approx(200, abs=4)
    assert TomogramSet(tmp_path / "set").denoised
    filtered = mrcfile.read(tmp_path / "set/denoised/tomo_00000.mrc")
    assert beads(filtered) == pytest.approx(found, abs=1)


def test_a_set_without_filtered_tomograms_says_so(tmp_path):
    plain = replace(CONFIG, tilts=TiltConfig(-40.0, 40.0, 20.0), tomogram=TomogramConfig(640.0, 2))
    simulate(plain, tmp_path / "set")
    assert not TomogramSet(tmp_path / "set").denoised
