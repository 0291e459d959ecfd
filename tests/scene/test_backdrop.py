"""A label volume as a backdrop: its frame, its potential, what it refuses."""

from pathlib import Path

import numpy as np
import pytest

from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import write_mrc
from cryoccd.scene.backdrop import Backdrop, read_backdrop

VOXEL_A, PIXEL_A = 20.0, 5.0
LABELS = np.zeros((12, 10, 16), dtype=np.int16)
LABELS[2:6, 3:7, 4:9] = 1
LABELS[8:, :, :] = 2


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "cell.mrc"
    write_mrc(file, LABELS, VOXEL_A, "test")
    return file


def read(path, shape_px=(40, 64), pixel_size_A=PIXEL_A):
    return read_backdrop(path, shape_px, pixel_size_A)


def test_labels_stand_in_the_frame_of_the_field(path):
    volume = read(path)
    # voxel [k, j, i] begins at i * 20 - 2.5 in x and y, and at k * 20 - 120 in z
    assert volume.at(np.array([[4 * 20 - 2.4, 3 * 20 - 2.4, 2 * 20 - 119.9]]))[0] == 1
    assert volume.at(np.array([[4 * 20 - 2.6, 3 * 20 - 2.4, 2 * 20 - 119.9]]))[0] == 0
    assert volume.at(np.array([[0.0, 0, 119], [0, 0, 121], [-3, 0, 100]])).tolist() == [2, 0, 0]


def test_points_of_a_label_are_uniform_in_its_voxels(path):
    volume = read(path)
    points = volume.sample(1, 4000, np.random.default_rng(0))
    assert (volume.at(points) == 1).all()
    low, high = np.array([77.5, 57.5, -80.0]), np.array([177.5, 137.5, 0.0])
    assert points.min(0) == pytest.approx(low, abs=0.5)
    assert points.max(0) == pytest.approx(high, abs=0.5)
    assert points.mean(0) == pytest.approx((low + high) / 2, abs=4 * 30 / np.sqrt(4000))
    with pytest.raises(CryoccdError, match=r"label 7 .* 0, 1, 2"):
        volume.sample(7, 1, np.random.default_rng(0))


def test_each_label_is_a_body_of_its_volume_times_its_density(path):
    bodies = read(path).bodies(Backdrop(path, {1: 1.5, 2: -0.5, 9: 3.0}, {1: "granule"}))
    assert [body.kind for body in bodies] == ["granule", "label_2"]
    granule, slab = bodies
    total = float(granule.potential_V_A.double().sum()) * PIXEL_A**2
    assert total == pytest.approx(1.5 * 4 * 4 * 5 * VOXEL_A**3, rel=1e-5)
    assert granule.position_A == pytest.approx((127.5, 97.5, -40.0))
    image = granule.potential_V_A.sum(0)
    row, column = (round(place / PIXEL_A) for place in (97.5, 127.5))
    assert float(image[row - granule.top_px, column - granule.left_px]) == pytest.approx(1.5 * 80)
    share = granule.potential_V_A.sum((1, 2)).numpy()
    assert (share * np.array(granule.z_A)).sum() / share.sum() == pytest.approx(-40, abs=20)
    assert np.diff(granule.z_A).max() <= 100
    # a layer over the whole field has no step at the field's edge
    flat = slab.potential_V_A.sum(0)
    assert float(flat.min()) == pytest.approx(float(flat.max()), rel=1e-6)
    assert slab.top_px <= -64
    assert slab.top_px + flat.shape[0] >= 40 + 64
    assert float(flat.mean()) == pytest.approx(-0.5 * 80)


def test_footprint_is_where_the_label_is(path):
    granule, _ = read(path).bodies(Backdrop(path, {1: 1.5, 2: -0.5}))
    rows, columns = np.nonzero(granule.footprint.numpy())
    assert rows.min() + granule.top_px == pytest.approx(3 * 4, abs=2)
    assert columns.max() + granule.left_px == pytest.approx(9 * 4 - 1, abs=2)


@pytest.mark.parametrize(
    ("shape_px", "pixel_size_A", "words"),
    [((64, 64), 5.0, "64 x 40 px.*64 x 64"), ((40, 64), 6.0, "whole multiple.*6")],
)
def test_another_size_is_refused_with_both_sizes(path, shape_px, pixel_size_A, words):
    with pytest.raises(CryoccdError, match=words):
        read(path, shape_px, pixel_size_A)


def test_a_density_map_is_no_segmentation(tmp_path):
    write_mrc(tmp_path / "map.mrc", LABELS.astype(np.float32) + 0.3, VOXEL_A, "test")
    with pytest.raises(CryoccdError, match="fractions"):
        read(tmp_path / "map.mrc")
    write_mrc(tmp_path / "whole.mrc", LABELS.astype(np.float32), VOXEL_A, "test")
    assert (read(tmp_path / "whole.mrc").labels == LABELS).all()


@pytest.mark.parametrize("densities", [{0: 1.0}, {1: 4500.0}])
def test_unphysical_densities_are_refused(densities):
    with pytest.raises(CryoccdError, match="densities_V"):
        Backdrop(Path("cell.mrc"), densities)
