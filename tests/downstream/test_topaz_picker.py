"""Topaz itself: what a short training finds, where, and what is not run twice."""

import re
from importlib.util import find_spec

import numpy as np
import pytest
from topaz_blobs import DIAMETER_A, write_blobs

from cryoccd.downstream.picking import topaz, topaz_files, topaz_program, topaz_train
from cryoccd.downstream.picking.topaz import TopazPicker
from cryoccd.downstream.picking.topaz_config import TopazConfig
from cryoccd.downstream.picking.topaz_score import topaz_average_precision
from cryoccd.downstream.picking.topaz_train import train_topaz
from cryoccd.io.folder import open_folder
from cryoccd.io.mrc import read_mrc, write_mrc
from cryoccd.metrics.picking.average_precision import average_precision
from cryoccd.metrics.picking.scored import score_picks

pytestmark = pytest.mark.skipif(
    find_spec("topaz") is None, reason="topaz is absent: pip install 'cryoccd[picking]'"
)
# a number, a name with a dot and a space, one without particles
TRAIN = ("007", "b.v1 x", "c", "d", "e", "empty")
TEST = ("0010", "0011", "0012")
CONFIG = TopazConfig(
    downsample=1,
    units=8,
    epochs=1,
    epoch_size=150,
    minibatch_size=48,
    learning_rate=2e-3,
    radius_px=3,
)


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    splits = dict.fromkeys(TRAIN, "train") | dict.fromkeys(TEST, "test")
    return open_folder(write_blobs(tmp_path_factory.mktemp("topaz x") / "blobs", splits))


@pytest.fixture(scope="module")
def trained(blobs):
    return train_topaz(CONFIG, blobs, blobs.names("train"), blobs.root.parent / "work")


@pytest.fixture(scope="module")
def picks(blobs, trained):
    return trained.pick_files(blobs, blobs.names("test"))


def log_of(picker, stage="network"):
    return picker.model.parent.parent.joinpath(f"{picker.model.parent.name}.log").read_text()


def numbers(said):
    """The fraction of labelled pixels that Topaz counts, and the pi that it is told."""
    patterns = (r"^# 0\ttrain\t(\S+)", r"^# pi = (\S+)")
    return [float(re.search(pattern, said, re.MULTILINE)[1]) for pattern in patterns]


def offsets(picks_px, targets_px, reach_px):
    """(n, 2) of the nearest pick to each target that has one within reach."""
    found = []
    for target in targets_px:
        gaps = picks_px - target
        nearest = gaps[np.hypot(*gaps.T).argmin()]
        if np.hypot(*nearest) < reach_px:
            found.append(nearest)
    return np.array(found)


def test_a_short_training_finds_the_particles(blobs, picks):
    targets = {name: blobs.picks_px(name) for name in TEST}
    parts = [score_picks(picks[name], targets[name], 6.0, None) for name in TEST]
    ours = average_precision(parts)
    assert ours > 0.6
    assert topaz_average_precision(picks, targets, 6.0) == pytest.approx(ours, abs=1e-9)
    assert min(len(each.scores) for each in picks.values()) > 100  # the curve is whole


def test_scratch_is_from_scratch(trained):
    said = log_of(trained)
    assert "--no-pretrained" in said
    assert "Loading pretrained model" not in said
    assert "WARNING" not in said
    assert numbers(said) == pytest.approx(2 * [5 * 14 * 203 / (6 * 256 * 240)], rel=1e-4)


def test_nothing_runs_again(blobs, trained, picks, monkeypatch):
    def refuse(*words, **options):
        raise AssertionError(words)

    for module in (topaz, topaz_files, topaz_train):
        monkeypatch.setattr(module, "run_topaz", refuse)
    again = train_topaz(CONFIG, blobs, blobs.names("train")[::-1], trained.work)
    assert again == trained
    once_more = again.pick_files(blobs, TEST)
    assert list(once_more) == list(TEST)
    for name in TEST:
        np.testing.assert_array_equal(once_more[name].positions_px, picks[name].positions_px)
        np.testing.assert_array_equal(once_more[name].scores, picks[name].scores)
    with pytest.raises(AssertionError, match="extract"):
        TopazPicker(again.model, DIAMETER_A, again.work, 4.0, threshold=0).pick_files(blobs, TEST)
    with pytest.raises(AssertionError, match="train"):
        train_topaz(TopazConfig(downsample=1, units=9), blobs, TRAIN, again.work)


@pytest.mark.slow
def test_labels_that_lack_particles(blobs, trained):
    """GE-binomial is kept, and expects what is missing of the rest."""
    config = TopazConfig(
        downsample=1, units=4, epochs=1, epoch_size=2, radius_px=3, expected_particles=20
    )
    names = [name for name in TRAIN if name != "empty"]
    said = log_of(train_topaz(config, blobs, names, trained.work))
    by_topaz, given = numbers(said)
    assert by_topaz < given
    assert given - by_topaz == pytest.approx(6 * 29 / (256 * 240), rel=1e-2)  # 6 more a micrograph
    assert "WARNING" not in said


@pytest.mark.slow
def test_fine_tuning_starts_at_the_detector(blobs, trained):
    config = TopazConfig(
        start="pretrained", downsample=1, epochs=1, epoch_size=2, minibatch_size=16, radius_px=3
    )
    said = log_of(train_topaz(config, blobs, TRAIN, trained.work))
    assert "Loading pretrained model: resnet8_u32" in said


@pytest.mark.slow
def test_the_detector_as_it_comes(blobs, trained):
    picker = TopazPicker("resnet8_u32", DIAMETER_A, trained.work)
    found = picker.pick_files(blobs, TEST)
    parts = [score_picks(found[name], blobs.picks_px(name), 6.0, None) for name in TEST]
    assert average_precision(parts) > 0.3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("factor", "side_px"), [(1, (300, 260)), (2, (603, 521)), (4, (1203, 1042))]
)
def test_positions_at_every_factor(tmp_path, factor, side_px):
    """Topaz picks the peaks of what it down-sampled itself; sides leave a remainder."""
    root = write_blobs(tmp_path / "a", {"b": "test"}, side_px, 4.0 / factor, noise_sd=0.002)
    folder = open_folder(root)
    small = topaz_files.downsample(folder, ["b"], factor, tmp_path / "work")
    image, _ = read_mrc(small.path("b"), ndim=2)
    write_mrc(tmp_path / "m0.mrc", -image, 1.0, "scores")
    words = ("extract", "--model", "none", "--radius", 8, "--output", "picks.txt", "m0.mrc")
    topaz_program.run_topaz(*words, log=tmp_path / "log", folder=tmp_path)
    found = topaz_files.read_picks(tmp_path / "picks.txt", small.aliases)["b"].positions_px
    targets = folder.picks_px("b")
    gaps = offsets(small.to_full("b", found), targets, factor)
    assert len(gaps) == len(targets) == 14
    rounding = 0.5 * factor + 0.2  # of the grid, and the noise of a peak
    assert np.abs(gaps).max() < rounding
    if factor > 1:  # what keeping the outer edges instead would make of it
        assert np.abs(gaps + (factor - 1) / 2).max() > rounding


@pytest.mark.slow
def test_a_network_is_where_it_was_at_every_factor(trained, tmp_path):
    """Blobs of the same size after down-sampling, at the same places."""
    means = []
    for factor in (1, 2, 4):
        side_px = (300 * factor + 3, 260 * factor + 2)
        root = write_blobs(
            tmp_path / str(factor),
            dict.fromkeys("abcdef", "test"),
            side_px,
            4.0 / factor,
            0.05 * factor,
        )
        folder = open_folder(root)
        found = trained.pick_files(folder, list("abcdef"))
        gaps = [
            offsets(found[n].positions_px, folder.picks_px(n), 8 * factor) / factor
            for n in "abcdef"
        ]
        assert sum(map(len, gaps)) == 84  # within half a diameter
        means.append(np.concatenate(gaps).mean(axis=0))
    # where a network of so short a training sees the middle of a blob, it sees it at every factor
    assert np.ptp(means, axis=0).max() < 0.24  # outer edges kept instead: 0.375
