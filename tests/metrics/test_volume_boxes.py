from dataclasses import replace

import numpy as np
import pytest
import torch
from volume_toys import CLASSES, VOXEL_A, toy_boxes, white

from cryoccd.errors import CryoccdError
from cryoccd.metrics.volume import BoxSet, Readings, halves, phase_randomised, standardised
from cryoccd.metrics.volume.groups import Groups
from cryoccd.metrics.volume.matched import matched


def boxes_of(labels: list[int], side: int = 8, classes: tuple[str, ...] = CLASSES) -> BoxSet:
    n = len(labels)
    groups = np.array([f"t{k % 3}" for k in range(n)])
    volumes = standardised(white(n, 1, side))
    return BoxSet(volumes, torch.tensor(labels), groups, VOXEL_A, classes)


def test_standardised_boxes_have_mean_0_and_deviation_1():
    volumes = standardised(5 + 3 * white(4, 0, 8))
    flat = volumes.double().flatten(1)
    assert torch.allclose(flat.mean(1), torch.zeros(4).double(), atol=1e-6)
    assert torch.allclose(flat.std(1, correction=0), torch.ones(4).double(), atol=1e-6)
    with pytest.raises(CryoccdError, match="box 1 is constant"):
        standardised(torch.stack([volumes[0], torch.ones(8, 8, 8)]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"volumes": torch.zeros(0, 8, 8, 8)}, "expected \\(n, b, b, b\\)"),
        ({"volumes": standardised(white(3, 0, 8))[:, :7, :7, :7]}, "even side"),
        ({"labels": torch.tensor([0, 1])}, "one a box"),
        ({"labels": torch.tensor([0, 1, 3])}, "labels from 0 to 3, expected 0 to 2"),
        ({"voxel_size_A": 0.0}, "voxel_size_A = 0"),
        ({"volumes": 2 * standardised(white(3, 0, 8))}, "box 0 has mean .* and deviation 2"),
        ({"volumes": torch.full((3, 8, 8, 8), torch.nan)}, "box 0 has mean nan"),
        ({"densities": torch.zeros(3, 4, 4, 4)}, "densities"),
    ],
)
def test_faulty_boxes_are_refused(change, message):
    with pytest.raises(CryoccdError, match=message):
        replace(boxes_of([0, 1, 2]), **change)


def test_chosen_boxes_keep_what_belongs_to_them():
    boxes = replace(boxes_of([0, 1, 2, 1]), densities=white(4, 3, 8))
    some = boxes.take([3, 0])
    assert torch.equal(some.volumes, boxes.volumes[[3, 0]])
    assert some.labels.tolist() == [1, 0]
    assert some.groups.tolist() == ["t0", "t0"]
    assert torch.equal(some.densities, boxes.densities[[3, 0]])


def test_groups_are_left_out_as_a_whole():
    boxes = boxes_of([0, 1, 2, 1, 0])
    groups = Groups.of(boxes)
    assert groups.count == 3
    assert groups.members([0, 2]).tolist() == [0, 2, 3]
    assert sorted(i for k in range(3) for i in groups.members([k]).tolist()) == list(range(5))


def test_matched_sides_have_as_many_of_each_class():
    real, made = boxes_of([0] * 5 + [1] * 2 + [2] * 3), boxes_of([2, 0, 1, 1, 0, 1, 2])
    one, two = matched(real, made)
    assert torch.bincount(real.labels[one]).tolist() == [2, 2, 2]
    assert torch.bincount(made.labels[two]).tolist() == [2, 2, 2]
    assert torch.equal(one, matched(real, made)[0])
    drawn = {tuple(matched(real, made, seed)[0].tolist()) for seed in range(20)}
    assert len(drawn) > 3


def test_sides_that_cannot_be_compared_are_refused():
    real = boxes_of([0, 1, 2])
    with pytest.raises(CryoccdError, match="no generated one of quince"):
        matched(real, boxes_of([0, 1, 1]))
    with pytest.raises(CryoccdError, match="no real one of quince"):
        matched(boxes_of([0, 1, 1]), real)
    with pytest.raises(CryoccdError, match="classes a, b, c beside apple, pear, quince"):
        matched(real, boxes_of([0, 1, 2], classes=("a", "b", "c")))
    with pytest.raises(CryoccdError, match="10 voxels beside 8"):
        matched(real, boxes_of([0, 1, 2], side=10))
    with pytest.raises(CryoccdError, match="pixel size"):
        matched(real, replace(real, voxel_size_A=11.0))


def test_halves_share_no_tomogram_and_lose_no_box():
    boxes = boxes_of([0, 1, 2, 0, 1, 2, 0, 1])
    one, two = halves(boxes)
    assert not set(one.groups) & set(two.groups)
    assert len(one) + len(two) == 8
    assert abs(len(one) - len(two)) <= 2
    with pytest.raises(CryoccdError, match="all real ones of t0"):
        halves(boxes.take([0, 3, 6]))


def test_phase_randomised_boxes_keep_power_and_lose_the_rest():
    boxes = toy_boxes(2, noise=0.1)
    noise = phase_randomised(boxes, seed=4)
    before, after = (torch.fft.rfftn(b.volumes, dim=(1, 2, 3)).abs() for b in (boxes, noise))
    assert torch.allclose(before, after, atol=1e-2 * float(before.max()) / 100, rtol=1e-3)
    correlation = (boxes.volumes * noise.volumes).mean((1, 2, 3))
    assert float(correlation.abs().max()) < 0.3
    assert len(set(noise.groups)) == len(noise)
    again = phase_randomised(boxes.take([0, 1]), seed=4)
    assert torch.equal(again.volumes, noise.volumes[:2])
    assert not torch.equal(phase_randomised(boxes, seed=5).volumes, noise.volumes)


def test_readings_are_one_row_a_box():
    with pytest.raises(CryoccdError, match="expected \\(n, d\\)"):
        Readings(torch.zeros(3, 4), torch.zeros(2, 4))
    with pytest.raises(CryoccdError, match="NaN"):
        Readings(torch.full((3, 4), torch.nan), torch.zeros(3, 4))
