"""Sets of tilt series: membranes turn with the particles, and the folder says what it holds."""

from dataclasses import replace
from pathlib import Path

import mrcfile
import numpy as np
import pandas as pd
import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.imaging.tilt import tilt_matrix, tilt_scene
from cryoccd.io.dataset import Dataset
from cryoccd.records import Particles, Scene
from cryoccd.scene.crowding import CrowdingConfig
from cryoccd.scene.ice import IceConfig
from cryoccd.scene.membranes.surfaces import Ellipsoid
from cryoccd.simulate.config import SimulateConfig, SpeciesConfig
from cryoccd.simulate.run import simulate
from cryoccd.simulate.tilt_config import TiltConfig, TomogramConfig
from cryoccd.simulate.tomogram import _Turned, _wide

CONFIG = SimulateConfig(
    species=[SpeciesConfig("assembly:lobed_c1")],
    count=2,
    shape_px=(64, 80),
    pixel_size_A=8.0,
    particles=CrowdingConfig(2.0),
    ice=IceConfig(median_A=400.0, sigma_log=0.0, roughness=0.0, minimum_A=100.0),
    tilts=TiltConfig(-40.0, 40.0, 20.0, axis_deg=70.0),
    tomogram=TomogramConfig(thickness_A=640.0, binning=2),
)


@pytest.mark.parametrize("tilt_deg", [0.0, -40.0, 25.0])
def test_a_vesicle_goes_where_a_particle_in_its_middle_goes(tilt_deg: float) -> None:
    assert CONFIG.tilts is not None
    wide = _wide(CONFIG, CONFIG.tilts)
    centre = np.array([wide.shape_px[1] * 4.0 + 90, wide.shape_px[0] * 4.0 - 60, 50.0])
    sphere = Ellipsoid(centre, np.eye(3), np.full(3, 100.0), 50.0)
    none = np.zeros(1, dtype=np.int64)
    particles = Particles(centre[None], np.zeros((1, 3)), none, none)
    cells = tuple(-(-side // 8) for side in wide.shape_px)
    scene = Scene(particles, ("p",), np.full(cells, 400, np.float32), wide.shape_px, 8.0)
    turned = tilt_scene(scene, tilt_deg, 70.0, CONFIG.shape_px).particles.positions_A[0]
    (body,) = _Turned(wide, CONFIG.shape_px, (sphere,))(tilt_matrix(tilt_deg, 70.0))
    assert body.position_A == pytest.approx(turned, abs=1e-6)
    # its ring, the darkest part of the projection, stands about that point
    image = body.potential_V_A.sum(0)
    rows, columns = torch.nonzero(image > 0.5 * image.max(), as_tuple=True)
    middle = (rows.float().mean() + body.top_px, columns.float().mean() + body.left_px)
    assert np.array(middle) * 8 == pytest.approx(turned[[1, 0]], abs=8)


def test_a_set_of_tilt_series_is_whole_and_no_set_of_micrographs(tmp_path: Path) -> None:
    simulate(CONFIG, tmp_path / "set")
    simulate(CONFIG, tmp_path / "two", workers=2)
    names = ["tomo_00000", "tomo_00001"]
    tilts = pd.read_parquet(tmp_path / "set/tilts.parquet")
    assert tilts.groupby("tomogram")["angle_deg"].apply(list).to_dict() == {
        name: [-40.0, -20.0, 0.0, 20.0, 40.0] for name in names
    }
    particles = pd.read_parquet(tmp_path / "set/particles.parquet")
    assert set(particles["tomogram"]) <= set(names)
    with mrcfile.open(tmp_path / "set/tilts/tomo_00001.mrcs") as file:
        assert file.is_image_stack()
        assert file.data.shape == (5, 64, 80)
    with mrcfile.open(tmp_path / "set/tomograms/tomo_00001.mrc") as file:
        assert file.data.shape == (40, 32, 40)
        assert float(file.voxel_size.x) == 16.0
    for kind in ("tilts/tomo_00001.mrcs", "tomograms/tomo_00000.mrc"):
        assert (tmp_path / "set" / kind).read_bytes() == (tmp_path / "two" / kind).read_bytes()
    with pytest.raises(CryoccdError, match="holds tilt series, expected a set of micrographs"):
        Dataset(tmp_path / "set")


def test_an_empty_tomogram_has_a_table_without_rows(tmp_path: Path) -> None:
    simulate(replace(CONFIG, count=1, particles=CrowdingConfig(0.0)), tmp_path / "set")
    table = pd.read_parquet(tmp_path / "set/particles.parquet")
    assert len(table) == 0
    assert "rot_deg" in table.columns
