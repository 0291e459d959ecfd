"""The trained picker, template matching and the floor, on blobs of a known place."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from toys import DIAMETER_PX, PIXEL_SIZE_A, write_real, write_simulated

from cryoccd.downstream.picking.base import pick_folder
from cryoccd.downstream.picking.config import PickerConfig
from cryoccd.downstream.picking.front import Front
from cryoccd.downstream.picking.random import RandomPicker
from cryoccd.downstream.picking.seen import Labelled
from cryoccd.downstream.picking.template import TemplatePicker
from cryoccd.downstream.picking.train import fit_picker, load_picker
from cryoccd.errors import CryoccdError
from cryoccd.io.folder import open_folder
from cryoccd.metrics.picking.average_precision import average_precision
from cryoccd.metrics.picking.scored import counted_area, score_picks

CONFIG = PickerConfig(iterations=60, batch_size=4, crop_px=48, diameter_px=10.0)
FRONT = Front(DIAMETER_PX * PIXEL_SIZE_A, 10.0)


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    return open_folder(write_real(tmp_path_factory.mktemp("blobs") / "real", gain=30.0))


@pytest.fixture(scope="module")
def trained(blobs, tmp_path_factory):
    path = tmp_path_factory.mktemp("trained") / "picker.safetensors"
    training = Labelled(blobs, blobs.names("train"))
    return fit_picker(CONFIG, training, path, seed=1, accelerator="cpu"), path


def precision(folder, picks):
    parts = []
    for name, found in picks.items():
        counted = counted_area(folder.image(name).shape, 8, None)
        parts.append(score_picks(found, folder.picks_px(name), DIAMETER_PX / 4, counted))
    return average_precision(parts)


def test_it_finds_blobs_that_it_was_not_trained_on(blobs, trained):
    picks = pick_folder(trained[0], blobs, blobs.names("test"))
    assert list(picks) == blobs.names("test")
    assert precision(blobs, picks) > 0.9
    misplaced = {n: replace(p, positions_px=p.positions_px + 8) for n, p in picks.items()}
    assert precision(blobs, misplaced) < 0.2


def test_template_matching_finds_them_untrained(blobs, tmp_path):
    training, test = Labelled(blobs, blobs.names("train")), blobs.names("test")
    whitened = TemplatePicker.from_picks(training, FRONT)
    plain = TemplatePicker.from_picks(training, FRONT, whiten=False)
    clean = open_folder(write_simulated(tmp_path / "simulated", count=3))
    simulated = TemplatePicker.from_clean(Labelled(clean, clean.names()), FRONT)
    found = [precision(blobs, pick_folder(p, blobs, test)) for p in (whitened, plain, simulated)]
    assert min(found) > 0.9
    with pytest.raises(CryoccdError, match="no clean images"):
        TemplatePicker.from_clean(training, FRONT)


def test_chance_hits_as_often_as_discs_of_its_radius_cover(blobs):
    """Precision over all peaks: at most density x pi r^2 where discs do not overlap."""
    hits = total = 0
    for seed in range(6):
        picks = pick_folder(RandomPicker(FRONT, seed), blobs, blobs.names("test"))
        for name, found in picks.items():
            counted = counted_area(blobs.image(name).shape, 8, None)
            part = score_picks(found, blobs.picks_px(name), DIAMETER_PX / 4, counted)
            hits, total = hits + int(part.hits.sum()), total + len(part.hits)
    expected = 9 * np.pi * (DIAMETER_PX / 4) ** 2 / 128**2
    assert hits / total == pytest.approx(expected, rel=0.25)


def test_random_peaks_depend_on_seed_and_pixels_alone(blobs):
    names = blobs.names("test")[:2]
    first = pick_folder(RandomPicker(FRONT, 0), blobs, names)
    second = pick_folder(RandomPicker(FRONT, 0), blobs, names[::-1])
    other = pick_folder(RandomPicker(FRONT, 1), blobs, names)
    for name in names:
        np.testing.assert_array_equal(first[name].positions_px, second[name].positions_px)
        assert first[name].positions_px.tolist() != other[name].positions_px.tolist()
    assert first[names[0]].positions_px.tolist() != first[names[1]].positions_px.tolist()


def test_picks_keep_their_distance_and_go_down_to_low_scores(blobs, trained):
    for picker in (trained[0], RandomPicker(FRONT)):
        found = picker.pick(blobs.image(blobs.names("test")[0]), PIXEL_SIZE_A)
        gaps = np.linalg.norm(found.positions_px[:, None] - found.positions_px[None], axis=2)
        np.fill_diagonal(gaps, np.inf)
        # half a diameter between pixels, each moved by half a pixel of 1.6 at most along x and y
        assert gaps.min() > DIAMETER_PX / 2 - 2 * np.sqrt(0.5) * 1.6
        assert len(found.scores) > 50
        assert (np.diff(found.scores) <= 0).all()
    scores = trained[0].pick(blobs.image(blobs.names("test")[0]), PIXEL_SIZE_A).scores
    assert 0 < scores.min() < 0.05 < 0.5 < scores.max() < 1


def test_a_seed_gives_the_same_weights_and_another_others(blobs, tmp_path):
    config = replace(CONFIG, iterations=3)
    training = Labelled(blobs, blobs.names("train")[:2])
    states = [
        fit_picker(config, training, tmp_path / "p", seed, accelerator="cpu").state_dict()
        for seed in (5, 5, 6)
    ]
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    assert not torch.equal(states[0]["net.head.weight"], states[2]["net.head.weight"])


def test_a_file_gives_the_picker_back(blobs, trained):
    picker, path = trained
    again = load_picker(path)
    assert (again.config, again.particle_diameter_A) == (picker.config, DIAMETER_PX * PIXEL_SIZE_A)
    image = blobs.image(blobs.names("test")[0])
    first, second = picker.pick(image, PIXEL_SIZE_A), again.pick(image, PIXEL_SIZE_A)
    np.testing.assert_array_equal(first.positions_px, second.positions_px)
    np.testing.assert_array_equal(first.scores, second.scores)


def test_fine_tuning_goes_on_from_the_weights(blobs, trained, tmp_path):
    picker, path = trained
    tiny = replace(CONFIG, iterations=1, learning_rate=1e-7, start=path, contrast=None)
    training = Labelled(blobs, blobs.names("train")[:1])
    tuned = fit_picker(tiny, training, tmp_path / "t", accelerator="cpu")
    for name, value in picker.state_dict().items():
        torch.testing.assert_close(tuned.state_dict()[name], value, atol=1e-6, rtol=1e-5)
    assert load_picker(tmp_path / "t").config.start == path
    with pytest.raises(CryoccdError, match="diameter_px"):
        fit_picker(replace(tiny, diameter_px=12.0), training, tmp_path / "u")


def test_the_loss_on_other_micrographs_is_noted(blobs, tmp_path):
    import json

    from safetensors import safe_open

    config = replace(CONFIG, iterations=2)
    names = blobs.names("train")
    training, held = Labelled(blobs, names[:2]), Labelled(blobs, names[2:3])
    fit_picker(config, training, tmp_path / "p", validation=held, accelerator="cpu")
    with safe_open(tmp_path / "p", "pt") as file:
        note = json.loads(file.metadata()["picker"])
    assert 0 < note["validation_loss"] < 2
    assert (note["seed"], note["micrographs"]) == (0, names[:2])


def test_what_is_no_file_of_a_picker_is_refused(tmp_path):
    with pytest.raises(CryoccdError, match="no such file"):
        load_picker(tmp_path / "absent")
    foreign = tmp_path / "foreign"
    torch.save({"net.head.weight": torch.zeros(1)}, foreign)
    with pytest.raises(CryoccdError, match="not a picker"):
        load_picker(foreign)


REAL_RADIUS_PX, REAL_MARGIN_PX = 30, 40


def real_precision(folder, picker):
    parts = []
    for name, found in pick_folder(picker, folder, folder.names("test")).items():
        counted = counted_area(folder.image(name).shape, REAL_MARGIN_PX, None)
        parts.append(score_picks(found, folder.picks_px(name), REAL_RADIUS_PX, counted))
    return average_precision(parts)


def real_training(folder):
    """Those of the training micrographs that have picks."""
    names = folder.names("train")
    return Labelled(folder, [name for name in names if len(folder.picks_px(name)) > 5])


def test_template_matching_finds_real_particles_and_chance_does_not(real_data):
    folder = open_folder(real_data / "empiar-10146")
    front = Front(folder.optics().particle_diameter_A)
    template = TemplatePicker.from_picks(real_training(folder), front)
    assert real_precision(folder, template) > 0.95
    # crowded: a fifth of the field is within 30 px of a particle
    assert 0.1 < real_precision(folder, RandomPicker(front)) < 0.3


@pytest.mark.slow
def test_single_frames_are_picked_better_than_by_template_matching(real_data, tmp_path):
    folder = open_folder(real_data / "empiar-10146-single-frame")
    training = real_training(folder)
    picker = fit_picker(PickerConfig(), training, tmp_path / "p", accelerator="cpu")
    template = TemplatePicker.from_picks(training, picker.front)
    assert real_precision(folder, picker) > real_precision(folder, template) + 0.03
