from dataclasses import replace

import numpy as np
import pytest
import torch
from volume_toys import toy_boxes

from cryoccd.metrics.volume import phase_randomised
from cryoccd.metrics.volume.contrast import class_contrast, contrast_by_class
from cryoccd.metrics.volume.correlation import blurred, central_rows, middle, whole_rows
from cryoccd.metrics.volume.diversity import diversity_ratio
from cryoccd.metrics.volume.memorisation import memorisation_ratio, nearest_distances


@pytest.fixture(scope="module")
def real():
    return toy_boxes(12, seed=1)


@pytest.fixture(scope="module")
def training():
    return toy_boxes(12, seed=2)


@pytest.fixture(scope="module")
def fresh():
    return toy_boxes(12, seed=3)


def half_turned(volumes: torch.Tensor, axes: tuple[int, int]) -> torch.Tensor:
    """Turned about voxel b // 2, the voxels beyond wrapped."""
    return volumes.flip(axes).roll((1, 1), axes)


def test_the_blur_is_a_gaussian():
    point = torch.zeros(1, 32, 32, 32)
    point[0, 16, 16, 16] = 1
    spread = blurred(point, 1.5)[0]
    axis = torch.arange(32) - 16.0
    gaussian = torch.exp(-(axis**2) / (2 * 1.5**2))
    gaussian = gaussian / gaussian.sum()
    expected = gaussian[:, None, None] * gaussian[:, None] * gaussian
    assert torch.allclose(spread, expected, atol=1e-6)


def test_the_middle_keeps_its_place_under_half_turns(real):
    for axes in ((1, 2), (1, 3), (2, 3)):
        turned = middle(half_turned(real.volumes, axes), 15)
        assert torch.equal(turned, middle(real.volumes, 15).flip(axes))


def test_rows_are_correlations(real):
    rows = central_rows(real.volumes[:6])
    crops = blurred(real.volumes[:6])[:, 8:25, 8:25, 8:25].flatten(1).numpy()
    assert np.allclose((rows @ rows.T).numpy(), np.corrcoef(crops), atol=1e-5)


def test_contrast_is_that_of_all_pairs(real):
    rows = central_rows(real.volumes)
    r = (rows @ rows.T).double().numpy()
    labels = real.labels.numpy()
    for label, name in enumerate(real.classes):
        own = [i for i in range(len(labels)) if labels[i] == label]
        others = [i for i in range(len(labels)) if labels[i] != label]
        found = contrast_by_class(real)[name]
        assert found.intra == pytest.approx(np.mean([r[i, j] for i in own for j in own if i != j]))
        assert found.inter == pytest.approx(np.mean([r[i, j] for i in own for j in others]))
        assert found.ratio == pytest.approx(found.intra / found.inter)


def test_contrast_falls_where_classes_are_mixed_and_rises_where_all_are_alike(real, fresh):
    assert class_contrast(real, real).value == 1
    assert class_contrast(real, fresh).value == pytest.approx(1, abs=0.5)
    mixed = replace(fresh, labels=torch.arange(len(fresh)) % 3)
    assert class_contrast(real, mixed).value < 0.4
    assert class_contrast(real, phase_randomised(fresh)).value < 0.4
    alike = fresh.take([12 * (k // 12) for k in range(36)])
    assert class_contrast(real, alike).value > 3


def test_fresh_boxes_are_as_far_from_the_training_ones_as_others(real, fresh, training):
    metric = memorisation_ratio(real, fresh, training)
    assert metric.value == pytest.approx(1, abs=0.2)
    assert metric.interval == "range"  # four tomograms
    assert memorisation_ratio(real, real, training).value == 1


def test_copies_are_seen_turned_and_in_noise_as_well(real, training):
    assert memorisation_ratio(real, training, training).value < 0.01
    for axes in ((1, 2), (1, 3), (2, 3)):
        turned = replace(training, volumes=half_turned(training.volumes, axes))
        assert memorisation_ratio(real, turned, training).value < 0.1
    mirrored = replace(training, volumes=training.volumes.flip(1).roll(1, 1))
    assert memorisation_ratio(real, mirrored, training).value > 0.5
    half = replace(real, volumes=real.volumes.clone())
    half.volumes[::2] = training.volumes[::2]
    distances = nearest_distances(half.volumes, training.volumes)
    assert float(distances[::2].max()) < 1e-4 < 0.01 < float(distances[1::2].min())


def test_copies_of_one_class_alone_are_seen(real, fresh, training):
    volumes = fresh.volumes.clone()
    volumes[12:24] = training.volumes[12:24]
    ratio = memorisation_ratio(real, replace(fresh, volumes=volumes), training).value
    whole = memorisation_ratio(real, fresh, training).value
    assert ratio == pytest.approx(whole * 2 / 3, abs=0.15)


def test_nearest_distances_are_those_of_all_pairs(real, training):
    own = whole_rows(real.volumes[:4])
    turns = [(), (1, 2), (1, 3), (2, 3)]
    known = [
        whole_rows(half_turned(training.volumes, axes) if axes else training.volumes)
        for axes in turns
    ]
    r = torch.stack([own @ rows.T for rows in known]).amax((0, 2))
    # what is rolled in lies beyond what is compared, but for the blur
    found = nearest_distances(real.volumes[:4], training.volumes)
    assert torch.allclose(found, 1 - r.double(), atol=0.01)


def test_one_sample_repeated_has_no_diversity(real, fresh):
    assert diversity_ratio(real, real).value == 1
    assert diversity_ratio(real, fresh).value == pytest.approx(1, abs=0.15)
    repeated = fresh.take([12 * (k // 12) for k in range(36)])
    assert diversity_ratio(real, repeated).value == pytest.approx(0, abs=1e-5)
    few = fresh.take([12 * (k // 12) + k % 2 for k in range(36)])
    # of two samples drawn alike, a pair differs in 6 / 11 of the cases
    assert 0.3 < diversity_ratio(real, few).value < 0.75


def test_diversity_is_that_of_all_pairs(real, fresh):
    def spread(boxes):
        rows = whole_rows(boxes.volumes)
        r = (rows @ rows.T).numpy()
        return [1 - r[a : a + 12, a : a + 12][~np.eye(12, dtype=bool)].mean() for a in (0, 12, 24)]

    expected = np.mean(np.divide(spread(fresh), spread(real)))
    assert diversity_ratio(real, fresh).value == pytest.approx(expected, rel=1e-4)
