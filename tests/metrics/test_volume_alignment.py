import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation
from volume_toys import SIDE, VOXEL_A, drawn, toy_map, turns, wedged, white

from cryoccd.errors import CryoccdError
from cryoccd.metrics.pose.errors import geodesic_deg
from cryoccd.metrics.volume import BoxSet, phase_randomised, standardised
from cryoccd.metrics.volume.aligned_class import aligned_class
from cryoccd.metrics.volume.alignment import align
from cryoccd.metrics.volume.class_average import fsc_beyond
from cryoccd.metrics.volume.rotation_grid import rotation_grid, small_turns
from cryoccd.metrics.volume.transform import Transform, covered, sphere_of


def posed(n: int, noise: float, seed: int) -> tuple[BoxSet, torch.Tensor, torch.Tensor]:
    """Boxes of a particle with their rotations and shifts."""
    draw = torch.Generator().manual_seed(seed)
    rotations, shifts_px = turns(n, seed), 3 * torch.rand(n, 3, generator=draw).double() - 1.5
    stack = torch.stack([drawn(0, a, s) for a, s in zip(rotations, shifts_px, strict=True)])
    volumes = standardised(wedged(-(stack / stack.std() + noise * white(n, seed))))
    groups = np.array([str(k) for k in range(n)])
    labels = torch.zeros(n, dtype=torch.int64)
    return BoxSet(volumes, labels, groups, VOXEL_A, ("apple",)), rotations, shifts_px


def test_the_grid_covers_all_rotations_evenly():
    grid = rotation_grid(15)
    assert torch.allclose(grid @ grid.mT, torch.eye(3).double().expand_as(grid), atol=1e-12)
    assert torch.allclose(torch.linalg.det(grid), torch.ones(len(grid)).double())
    traces = torch.einsum("gij,nij->ng", grid, turns(500, 0))
    nearest_deg = torch.rad2deg(((traces.amax(1) - 1) / 2).clamp(-1, 1).acos())
    assert float(nearest_deg.max()) < 15
    assert float(nearest_deg.mean()) < 9
    with pytest.raises(CryoccdError, match="step_deg = 1"):
        rotation_grid(1)


def test_small_turns_begin_with_none():
    found = small_turns(5)
    assert torch.equal(found[0], torch.eye(3).double())
    angles = Rotation.from_matrix(found.numpy()).magnitude()
    assert np.rad2deg(angles[1:]).min() == pytest.approx(5)
    assert np.rad2deg(angles).max() == pytest.approx(5 * np.sqrt(3))


def test_a_transform_is_read_between_its_samples():
    sigma_A, at_A = 15.0, torch.tensor([40.0, -30.0, 20.0])
    axis = (torch.arange(SIDE) - SIDE // 2) * VOXEL_A
    x, y, z = (torch.exp(-((axis - c) ** 2) / (2 * sigma_A**2)) for c in at_A)
    volume = z[:, None, None] * y[:, None] * x
    k = 0.02 * torch.randn(300, 3, generator=torch.Generator().manual_seed(0))
    k = k[(k.abs() < 0.045).all(1)]
    scale = (2 * torch.pi) ** 1.5 * (sigma_A / VOXEL_A) ** 3
    fall = torch.exp(-2 * (torch.pi * sigma_A) ** 2 * k.square().sum(1))
    expected = scale * torch.polar(fall, -2 * torch.pi * (k @ at_A))
    error = (Transform(volume, VOXEL_A).at(k) - expected).abs().max()
    assert float(error) < 0.03 * scale
    # an odd side has its origin at n // 2 too
    odd = Transform(torch.nn.functional.pad(volume, (0, 1) * 3), VOXEL_A).at(k)
    assert float((odd - expected).abs().max()) < 0.03 * scale


def test_frequencies_come_once_of_each_pair():
    cycles = sphere_of(SIDE, VOXEL_A, 40.0)
    both = torch.cat([cycles, -cycles])
    assert len(torch.unique(both, dim=0)) == len(both)
    radius = both.double().norm(dim=1)
    assert float(radius.max()) <= 8
    assert len(both) == pytest.approx(4 / 3 * np.pi * 8**3, rel=0.05)


def test_the_wedge_is_about_kz_in_the_plane_of_kx():
    k = torch.tensor([[1.0, 0, 0], [0, 0, 1.0], [0, 1.0, 0.1], [1.0, 5, 1.7], [1.0, -5, -1.8]])
    assert covered(k, 60).tolist() == [True, False, False, True, False]


def test_rotations_and_shifts_are_recovered():
    boxes, rotations, shifts_px = posed(8, 0.5, 3)
    found = align(boxes.volumes, toy_map(0), VOXEL_A)
    assert float(geodesic_deg(rotations, found.rotations).max()) < 4
    assert float((found.shifts_px - shifts_px).norm(dim=1).max()) < 0.5
    bright = align(-boxes.volumes[:1], toy_map(0), VOXEL_A, dark=False)
    assert torch.equal(bright.rotations, found.rotations[:1])


def test_averages_reach_the_map_and_aligned_noise_does_not():
    boxes, _, _ = posed(16, 1.5, 4)
    every = torch.arange(len(boxes))
    signal = aligned_class(boxes.volumes, toy_map(0), VOXEL_A)
    noise = aligned_class(phase_randomised(boxes).volumes, toy_map(0), VOXEL_A)
    assert signal.beyond(every) > 0.7
    assert signal.resolution_A(every) < 28
    # what aligned the noise agrees with the map, what did not does not
    assert noise.curve(every)[2:8].mean() > 0.3
    assert abs(noise.beyond(every)) < 0.12
    assert np.isnan(noise.resolution_A(every))


def test_the_figure_is_a_mean_over_classes_with_an_interval():
    boxes, _, _ = posed(8, 0.5, 5)
    labels = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])
    both = BoxSet(boxes.volumes, labels, boxes.groups, VOXEL_A, ("apple", "other"))
    metric = fsc_beyond(both, {"apple": toy_map(0), "other": toy_map(1)})
    single = fsc_beyond(both.take([0, 1, 2, 3]), {"apple": toy_map(0)})
    wrong = fsc_beyond(both.take([4, 5, 6, 7]), {"other": toy_map(1)})
    assert metric.value == pytest.approx((single.value + wrong.value) / 2)
    assert single.value > 0.7 > 0.3 > wrong.value
    assert metric.ci_low < metric.value < metric.ci_high
    assert "apple 0." in metric.note
    assert fsc_beyond(both, {"apple": toy_map(0), "other": toy_map(1)}, at_most=2).n == 4


def test_what_cannot_be_scored_is_refused():
    boxes, _, _ = posed(1, 0.5, 6)
    with pytest.raises(CryoccdError, match="no map of apple, known are none"):
        fsc_beyond(boxes, {})
    with pytest.raises(CryoccdError, match=r"voxels of 10 A, expected 6\.75 or finer"):
        fsc_beyond(boxes, {"apple": toy_map(0)}, band_A=(40, 15))
    with pytest.raises(CryoccdError, match="no shell of boxes of 320 A between 27 and 25 A"):
        fsc_beyond(boxes, {"apple": toy_map(0)}, band_A=(27, 25))
