from dataclasses import replace

import pytest
import torch
from volume_toys import toy_boxes

from cryoccd.downstream.volumes import (
    VolumeClassifierConfig,
    fit_classifier,
    load_classifier,
)
from cryoccd.downstream.volumes.examples import VolumeExamples
from cryoccd.downstream.volumes.network import VolumeNet
from cryoccd.errors import CryoccdError
from cryoccd.metrics.volume import phase_randomised
from cryoccd.metrics.volume.class_accuracy import class_accuracy
from cryoccd.metrics.volume.feature_distance import fd_volume

CONFIG = VolumeClassifierConfig(boxes=640, width=8, batch_size=8, features=16)


@pytest.fixture(scope="module")
def training():
    return toy_boxes(30, seed=1)


@pytest.fixture(scope="module")
def fitted(training, tmp_path_factory):
    path = tmp_path_factory.mktemp("classifier") / "classifier.safetensors"
    return fit_classifier(CONFIG, training, path, seed=3, accelerator="cpu"), path


@pytest.fixture(scope="module")
def held():
    return toy_boxes(20, seed=2)


def test_classes_are_learnt_and_swapped_ones_are_seen(fitted, held):
    readings = fitted[0].read(held)
    assert readings.features.shape == (60, 16)
    assert torch.allclose(readings.probabilities.sum(1), torch.ones(60), atol=1e-5)
    assert class_accuracy(held, readings).value > 0.7
    swapped = replace(held, labels=(held.labels + 1) % 3)
    assert class_accuracy(swapped, readings).value < 0.3


def test_noise_is_far_in_features_and_fresh_boxes_are_near(fitted, training, held):
    near, fresh = (fitted[0].read(boxes).features for boxes in (held, toy_boxes(20, seed=4)))
    noise = fitted[0].read(phase_randomised(held)).features
    floor = fd_volume(held, held, near, fresh)["fd_volume"].value
    assert fd_volume(held, held, near, noise)["fd_volume"].value > 10 * floor


def test_readings_do_not_change_with_the_batch_nor_with_a_half_turn(fitted, held):
    whole = fitted[0].read(held)
    some = fitted[0].read(held.take([7, 3]))
    assert torch.allclose(some.features, whole.features[[7, 3]], atol=1e-5)
    turned = fitted[0].read(replace(held, volumes=held.volumes.flip((1, 3))))
    assert torch.allclose(turned.features, whole.features, atol=1e-4)


def test_a_file_gives_the_same_classifier(fitted, held):
    loaded = load_classifier(fitted[1])
    assert loaded.classes == held.classes
    assert torch.equal(loaded.read(held).features, fitted[0].read(held).features)


def test_the_same_seed_gives_the_same_weights(training, tmp_path):
    config = replace(CONFIG, boxes=32)
    fits = [
        fit_classifier(config, training, tmp_path / f"{k}.safetensors", seed, accelerator="cpu")
        for k, seed in enumerate((5, 5, 6))
    ]
    weights = [fit.network.head.weight for fit in fits]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_examples_take_classes_alike_and_turn_by_half_turns_only(training):
    few = training.take([*range(30), 30, 31, *range(60, 65)])
    examples = VolumeExamples(few, replace(CONFIG, boxes=120), seed=1)
    labels = [int(examples[number][1]) for number in range(120)]
    assert len(examples) == 120
    assert torch.bincount(torch.tensor(labels)).tolist() == [40, 40, 40]
    turns = ((), (0, 1), (0, 2), (1, 2))
    seen = set()
    for number in range(24):
        box, _ = examples[number]
        matches = [
            (row, turn)
            for row, volume in enumerate(few.volumes)
            for turn, axes in enumerate(turns)
            if torch.equal(volume.flip(axes), box)
        ]
        assert len(matches) == 1
        seen.add(matches[0][1])
    assert seen == {0, 1, 2, 3}
    assert torch.equal(examples[17][0], VolumeExamples(few, CONFIG, seed=1)[17][0])


@pytest.mark.parametrize("side", [16, 32, 64, 96])
def test_the_network_takes_boxes_of_any_usual_side(side):
    network = VolumeNet(side, 6)
    grid = network.trunk(torch.zeros(1, 1, side, side, side))
    assert grid.shape[-1] in (4, 6)
    assert 4e4 < sum(weight.numel() for weight in network.parameters()) < 2e6


def test_faults_are_one_line(fitted, training, tmp_path):
    path = tmp_path / "classifier.safetensors"
    with pytest.raises(CryoccdError, match="no box of quince to train on"):
        fit_classifier(CONFIG, training.take(range(60)), path)
    with pytest.raises(CryoccdError, match="train a classifier of boxes first"):
        load_classifier(path)
    path.write_bytes(b"nothing")
    with pytest.raises(CryoccdError, match="not a classifier of boxes"):
        load_classifier(path)
    with pytest.raises(CryoccdError, match="train another"):
        fitted[0].read(replace(training, classes=("a", "b", "c")))
    with pytest.raises(CryoccdError, match="pixel size"):
        fitted[0].read(replace(training, voxel_size_A=8.0))
    with pytest.raises(CryoccdError, match="width = 12, expected a multiple of 8"):
        VolumeClassifierConfig(width=12)
    with pytest.raises(CryoccdError, match="expected a batch"):
        VolumeClassifierConfig(boxes=4)
