from dataclasses import replace

import pytest
import torch
from volume_toys import toy_boxes, toy_map

from cryoccd.errors import CryoccdError
from cryoccd.metrics.volume import VOLUMES, BoxSet, Readings, halves, volume_figures
from cryoccd.metrics.volume.class_accuracy import accuracy_by_class, class_accuracy
from cryoccd.metrics.volume.feature_distance import fd_volume, kd_volume


def read(boxes: BoxSet, seed: int, right: float = 1.0) -> Readings:
    """Features about a point of each class; a share of the boxes is read as its class."""
    draw = torch.Generator().manual_seed(seed)
    n = len(boxes)
    features = torch.randn(n, 5, generator=draw)
    features[torch.arange(n), boxes.labels] += 6
    shown = torch.where(torch.rand(n, generator=draw) < right, boxes.labels, (boxes.labels + 1) % 3)
    return Readings(features, torch.nn.functional.one_hot(shown, 3).float())


@pytest.fixture(scope="module")
def real():
    return toy_boxes(20, seed=1, noise=1.0)


@pytest.fixture(scope="module")
def fresh():
    return toy_boxes(20, seed=2, noise=1.0)


def test_a_set_beside_itself_is_perfect(real):
    readings = read(real, 0)
    found = volume_figures(real, real, readings, readings)
    assert list(found) == [figure.name for figure in VOLUMES]
    for name in ("fd_volume", "fd_volume_classes", "spectrum_db", "wedge_error_db"):
        assert found[name].value == pytest.approx(0, abs=1e-4)
    for name in ("class_accuracy", "class_contrast", "diversity_ratio"):
        assert found[name].value == pytest.approx(1)
    assert found["memorisation_ratio"].note == "left out: needs the training boxes"
    assert found["fsc_beyond_40A"].note == "left out: needs maps of the classes"


def test_the_fsc_is_that_of_both_bands(real):
    few = real.take([0, 1, 20, 21, 40, 41])
    maps = {name: toy_map(kind) for kind, name in enumerate(few.classes)}
    readings = read(few, 0)
    found = volume_figures(few, few, readings, readings, maps=maps)
    assert found["fsc_beyond_80A"].value > found["fsc_beyond_40A"].value > 0.3
    assert found["fsc_beyond_80A"].value > 0.7


def test_fresh_boxes_are_near_and_halves_of_real_ones_too(real, fresh):
    one, two = halves(real)
    for here, there in ((real, fresh), (one, two)):
        found = volume_figures(here, there, read(here, 0), read(there, 1), training=fresh)
        assert found["fd_volume"].value < 3
        assert found["spectrum_db"].value < 0.5
        assert found["diversity_ratio"].value == pytest.approx(1, abs=0.2)
        assert found["memorisation_ratio"].value is not None


def test_swapped_classes_are_seen_within_classes_and_not_over_all(real, fresh):
    swapped = replace(fresh, labels=(fresh.labels + 1) % 3)
    readings, made = read(real, 0), read(fresh, 1)
    found = volume_figures(real, swapped, readings, made)
    good = volume_figures(real, fresh, readings, made)
    assert found["class_accuracy"].value == 0
    assert found["fd_volume"].value == pytest.approx(good["fd_volume"].value)
    assert good["fd_volume_classes"].value < 10 < 60 < found["fd_volume_classes"].value
    assert found["kd_volume_classes"].value > 20 * abs(good["kd_volume_classes"].value)


def test_a_shift_of_all_features_is_its_square(real):
    features = read(real, 0).features
    moved = features + torch.tensor([0, 3.0, 0, 4.0, 0])
    found = fd_volume(real, real, features, moved)
    assert found["fd_volume"].value == pytest.approx(25, rel=1e-4)
    assert found["fd_volume_classes"].value == pytest.approx(25, rel=1e-4)
    assert found["fd_volume"].n == 4
    alone = kd_volume(real.take(range(0, 60, 4)), real, features[::4], moved)
    assert alone["kd_volume"].value is None
    assert "undefined" in alone["kd_volume"].note


def test_accuracy_is_the_mean_over_classes(fresh):
    boxes = fresh.take([*range(10), 20, 21, 40, 41])
    readings = read(boxes, 3)
    readings.probabilities[:5] = torch.tensor([0.0, 1.0, 0.0])
    readings.probabilities[10] = torch.tensor([0.0, 0.0, 1.0])
    shares = accuracy_by_class(boxes, readings)
    assert shares == {"apple": 0.5, "pear": 0.5, "quince": 1.0}
    metric = class_accuracy(boxes, readings)
    assert metric.value == pytest.approx(2 / 3)
    assert metric.note == "apple 0.50, pear 0.50, quince 1.00"


def test_intervals_are_over_tomograms_or_samples(real, fresh):
    many = toy_boxes(10, seed=4, tomograms=10)
    wide = class_accuracy(many, read(many, 0, right=0.7))
    assert wide.interval == "jackknife95"
    assert wide.n == 10
    assert wide.ci_low < wide.value < wide.ci_high
    assert class_accuracy(fresh, read(fresh, 1)).interval == "range"  # four tomograms
    single = fd_volume(
        real.take(range(0, 60, 4)), fresh, read(real, 0).features[::4], read(fresh, 1).features
    )
    assert single["fd_volume"].interval == "none"
    assert single["fd_volume"].value is not None


def test_readings_of_other_boxes_are_refused(real, fresh):
    with pytest.raises(CryoccdError, match="59 of 60 generated boxes"):
        volume_figures(real, fresh, read(real, 0), read(fresh, 1).take(torch.arange(59)))
