import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform

from cryoccd.errors import CryoccdError
from cryoccd.geometry import euler_to_matrix
from cryoccd.imaging.projection import Projector
from cryoccd.records import Volume

BOX, VOXEL_A, SIGMA_PX = 48, 2.0, 1.8
# chiral and asymmetric, up to half the box radius from the origin: x, y, z in pixels, and weight
CENTRES = np.array(
    [[0, 0, 0], [7.3, 2, -1], [-4, 8, 3.6], [1, -5, 10], [6, 6, 7.5], [-8, -6.2, -5]], dtype=float
)
WEIGHTS = np.array([1.0, 0.8, 0.6, 1.2, 0.5, 0.9])
GENERIC = torch.tensor(
    [[0.0, 0, 0], [31, 57, 112], [-140, 95, 12], [77, 163, -48], [5, 90, 91], [200, 20, 300]],
    dtype=torch.float64,
)


def gaussians(centres, weights, box=BOX):
    axis = np.arange(box) - box // 2
    z, y, x = np.meshgrid(axis, axis, axis, indexing="ij")
    values = np.zeros((box, box, box))
    for (cx, cy, cz), weight in zip(centres, weights, strict=True):
        r2 = (x - cx) ** 2 + (y - cy) ** 2 + (z - cz) ** 2
        values += weight * np.exp(-r2 / (2 * SIGMA_PX**2))
    return Volume(torch.from_numpy(values).float(), VOXEL_A)


def closed_form(centres_xy, weights, box=BOX):
    axis = np.arange(box) - box // 2
    y, x = np.meshgrid(axis, axis, indexing="ij")
    image = np.zeros((box, box))
    for (cx, cy), weight in zip(centres_xy, weights, strict=True):
        image += weight * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * SIGMA_PX**2))
    return image * np.sqrt(2 * np.pi) * SIGMA_PX * VOXEL_A


def expected(eulers_deg, transposed=False):
    matrices = euler_to_matrix(eulers_deg).numpy()
    if transposed:
        matrices = matrices.transpose(0, 2, 1)
    return np.stack([closed_form((CENTRES @ a.T)[:, :2], WEIGHTS) for a in matrices])


@pytest.fixture(scope="module")
def projector():
    return Projector(gaussians(CENTRES, WEIGHTS))


def worst(views, truth):
    """Largest deviation of any view as a part of its peak."""
    return (np.abs(views - truth).max((1, 2)) / truth.max((1, 2))).max()


def test_gaussians_at_generic_rotations_match_the_closed_form(projector):
    assert worst(projector.project(GENERIC).numpy(), expected(GENERIC)) < 0.02


def test_the_transposed_rotation_does_not_match(projector):
    views = projector.project(GENERIC[1:]).numpy()
    assert worst(views, expected(GENERIC[1:], transposed=True)) > 0.3


def test_agrees_with_turning_the_map_in_real_space(projector):
    volume = gaussians(CENTRES, WEIGHTS).values.numpy()
    matrix_zyx = euler_to_matrix(GENERIC[1]).numpy()[::-1, ::-1]
    origin = np.full(3, BOX // 2)
    turned = affine_transform(volume, matrix_zyx.T, origin - matrix_zyx.T @ origin, order=3)
    truth = turned.sum(0) * VOXEL_A
    assert worst(projector.project(GENERIC[1:2]).numpy(), truth[None]) < 0.02


def test_sum_is_the_integral_of_the_potential(projector):
    volume = gaussians(CENTRES, WEIGHTS)
    total = float(volume.values.double().sum()) * VOXEL_A
    sums = projector.project(GENERIC).double().sum((1, 2)).numpy()
    assert sums == pytest.approx(total, rel=1e-5)


def test_sub_pixel_shift_moves_the_image(projector):
    shifts_px = torch.tensor([[0.3, -0.45]]).expand(len(GENERIC), 2)
    matrices = euler_to_matrix(GENERIC).numpy()
    truth = np.stack(
        [closed_form((CENTRES @ a.T)[:, :2] + [0.3, -0.45], WEIGHTS) for a in matrices]
    )
    assert worst(projector.project(GENERIC, shifts_px).numpy(), truth) < 0.02


@pytest.mark.parametrize("box", [32, 33])
def test_a_centred_gaussian_is_round_and_in_its_place(box):
    views = Projector(gaussians([[0, 0, 0]], [1.0], box)).project(GENERIC).numpy()
    truth = closed_form([[0, 0]], [1.0], box)
    assert np.abs(views - truth).max() / truth.max() < 0.01


def test_linear(projector):
    one = Projector(gaussians(CENTRES[:3], WEIGHTS[:3])).project(GENERIC)
    rest = Projector(gaussians(CENTRES[3:], WEIGHTS[3:])).project(GENERIC)
    both = projector.project(GENERIC)
    assert float((one + rest - both).abs().max() / both.abs().max()) < 1e-5


def test_a_view_does_not_depend_on_its_batch(projector, monkeypatch):
    together = projector.project(GENERIC)
    monkeypatch.setattr("cryoccd.imaging.projection._SAMPLES_AT_ONCE", 1)
    alone = projector.project(GENERIC)  # but for rounding: some CPUs sum a batch otherwise
    assert float((together - alone).abs().max() / together.abs().max()) < 1e-6


def test_no_views(projector):
    assert projector.project(torch.zeros(0, 3)).shape == (0, BOX, BOX)


def test_saved_and_mapped_again(projector, tmp_path):
    projector.save(tmp_path / "transform.pt")
    again = Projector.load(tmp_path / "transform.pt")
    assert (again.box_px, again.voxel_size_A) == (BOX, VOXEL_A)
    assert torch.equal(again.project(GENERIC), projector.project(GENERIC))


def test_a_tiny_volume_is_refused():
    with pytest.raises(CryoccdError, match="2 voxels"):
        Projector(Volume(torch.zeros(2, 2, 2), 1.0))
