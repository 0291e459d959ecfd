"""A detector is trained, finds what it was taught, and is written and read."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from detection_toys import CLASSES, RADII_A, VOXEL_A, all_of, places_of, volume_of, write_folder
from safetensors import safe_open

from cryoccd.downstream.detection import DetectorConfig, fit_detector, load_detector
from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import write_mrc
from cryoccd.io.tomograms import Tomogram
from cryoccd.metrics.volume.detection import count_hits

CONFIG = DetectorConfig(crops=320, crop_voxels=24, batch_size=8, width=4, learning_rate=2e-2)


@pytest.fixture(scope="module")
def tomograms(tmp_path_factory):
    return all_of(write_folder(tmp_path_factory.mktemp("training") / "set", 4))[1]


@pytest.fixture(scope="module")
def fitted(tomograms, tmp_path_factory):
    path = tmp_path_factory.mktemp("detector") / "detector.safetensors"
    known = (CONFIG, tomograms[:2], tomograms[2], RADII_A, path)
    return fit_detector(*known, seed=1, accelerator="cpu"), path


def test_particles_of_another_tomogram_are_found(fitted, tomograms):
    held = tomograms[3]
    picks = fitted[0].detect(held.tomogram)
    assert all(_score(picks[name], held, name) > 0.8 for name in CLASSES)
    swapped = {"ball": picks["ring"], "ring": picks["ball"]}
    assert all(_score(swapped[name], held, name) < 0.3 for name in CLASSES)
    nearest = [
        np.linalg.norm(picks[name] - place, axis=1).min()
        for name, places in held.particles_A(CLASSES).items()
        for place in places
    ]
    assert np.median(nearest) < 0.8 * VOXEL_A  # finer than a cell of 2 voxels


def test_axes_are_not_swapped(fitted, tmp_path):
    """One particle in a volume of three different sides, away from its diagonals."""
    shape, place = (24, 40, 64), np.array([[50.0, 11.0, 7.0]])
    write_mrc(tmp_path / "one.mrc", volume_of(place, [0], 9, shape), VOXEL_A, "toy")
    found = fitted[0].candidates(Tomogram("one", tmp_path / "one.mrc", shape, VOXEL_A))
    assert np.linalg.norm(found["ball"].xyz_A[0] - place[0] * VOXEL_A) < VOXEL_A
    assert found["ball"].heat[0] > found["ring"].heat.max(initial=0)


def test_a_turned_tomogram_has_its_particles_turned(fitted, tmp_path):
    shape = (32, 52, 48)
    places = places_of(7, shape)
    values = volume_of(places, np.arange(8) % 2, 7, shape)
    found = []
    for name, each in (("as_is", values), ("about_z", values[:, ::-1, ::-1])):
        write_mrc(tmp_path / f"{name}.mrc", np.ascontiguousarray(each), VOXEL_A, "toy")
        tomogram = Tomogram(name, tmp_path / f"{name}.mrc", shape, VOXEL_A)
        found.append(fitted[0].candidates(tomogram)["ball"].xyz_A[:4])
    back = np.array([47, 51, 0]) * VOXEL_A - found[1] * [1, 1, -1]
    distances = np.linalg.norm(found[0][:, None] - back, axis=2).min(1)
    assert np.median(distances) < VOXEL_A


def test_a_file_gives_the_same_detector(fitted, tomograms):
    detector, path = fitted
    loaded = load_detector(path)
    assert loaded.thresholds == detector.thresholds
    one, two = (each.detect(tomograms[3].tomogram) for each in (detector, loaded))
    assert all(np.array_equal(one[name], two[name]) for name in CLASSES)
    with safe_open(path, "pt") as file:
        note = json.loads(file.metadata()["detector"])
    assert note["tomograms"] == ["tomo_0", "tomo_1"]
    assert note["thresholds_of"] == "tomo_2"


def test_the_window_does_not_matter(fitted, tomograms):
    detector = load_detector(fitted[1])
    whole = detector.candidates(tomograms[3].tomogram)
    detector.config = replace(CONFIG, window_voxels=32)
    parts = detector.candidates(tomograms[3].tomogram)
    for name in CLASSES:
        assert np.allclose(whole[name].xyz_A, parts[name].xyz_A, atol=0.05)
        assert np.allclose(whole[name].heat, parts[name].heat, atol=1e-4)


def test_thresholds_are_those_of_their_own_tomogram(fitted, tomograms, tmp_path):
    """Other labels there change thresholds and no weight; those of the others change weights."""
    small = replace(CONFIG, crops=16)
    fewer = replace(tomograms[2], labels=tomograms[2].labels[:2], xyz_px=tomograms[2].xyz_px[:2])
    fits = [
        fit_detector(small, training, choosing, RADII_A, tmp_path / "d", seed, accelerator="cpu")
        for training, choosing, seed in (
            (tomograms[:2], tomograms[2], 1),
            (tomograms[:2], fewer, 1),
            (tomograms[:2], tomograms[2], 2),
        )
    ]
    weights = [each.network.head.weight for each in fits]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    picks = load_detector(fitted[1])
    found = picks.candidates(tomograms[2].tomogram)
    chosen = picks.thresholds
    for name, each in found.items():
        mine = _score(each.above(chosen[name]), tomograms[2], name)
        rest = (_score(each.above(t), tomograms[2], name) for t in (0.05, 0.2, 0.5, 0.8))
        assert mine >= max(rest) - 0.1  # not to the last hit


def _score(picks_A, tomogram, name):
    return count_hits(picks_A, tomogram.particles_A(CLASSES)[name], RADII_A[name]).f_beta()


def test_faults_are_one_line(fitted, tomograms, tmp_path):
    path = tmp_path / "detector.safetensors"
    balls = replace(
        tomograms[0],
        labels=tomograms[0].labels[::2],
        xyz_px=tomograms[0].xyz_px[::2],
    )
    with pytest.raises(CryoccdError, match="no ring to train on"):
        fit_detector(CONFIG, [balls], tomograms[1], RADII_A, path)
    with pytest.raises(CryoccdError, match="tomo_0: no ring, so no threshold can be chosen"):
        fit_detector(CONFIG, tomograms[1:2], balls, RADII_A, path)
    other = replace(tomograms[0], tomogram=replace(tomograms[0].tomogram, voxel_size_A=8.0))
    with pytest.raises(CryoccdError, match="pixel size"):
        fit_detector(CONFIG, [tomograms[1], other], tomograms[2], RADII_A, path)
    with pytest.raises(CryoccdError, match="pixel size"):
        fitted[0].detect(other.tomogram)
    with pytest.raises(CryoccdError, match="train a detector first"):
        load_detector(path)
    path.write_bytes(b"nothing")
    with pytest.raises(CryoccdError, match="not a detector"):
        load_detector(path)
