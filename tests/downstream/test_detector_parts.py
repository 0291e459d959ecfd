"""Targets, loss, peaks, windows and thresholds of the detector in closed form."""

from dataclasses import replace
from math import exp, log

import numpy as np
import pytest
import torch
from detection_toys import SHAPE, all_of, write_folder
from scipy.special import expit

from cryoccd.data.subtomograms.turns import TURNS
from cryoccd.downstream.detection import DetectorConfig
from cryoccd.downstream.detection.examples import DetectionCrops
from cryoccd.downstream.detection.heat import focal_loss, heat_maps
from cryoccd.downstream.detection.network import REACH_VOXELS, DetectorNet
from cryoccd.downstream.detection.peaks import find_peaks
from cryoccd.downstream.detection.scaled import ScaledTomogram
from cryoccd.downstream.detection.thresholds import Candidates, best_threshold
from cryoccd.downstream.detection.windows import heat_of
from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import write_mrc
from cryoccd.io.tomograms import Tomogram
from cryoccd.metrics.volume.detection import count_hits

CONFIG = DetectorConfig(crops=64, crop_voxels=24, batch_size=8, width=4)


@pytest.fixture(scope="module")
def tomograms(tmp_path_factory):
    return all_of(write_folder(tmp_path_factory.mktemp("parts") / "set", 2))[1]


def test_a_target_is_a_gaussian_with_its_axes_in_order_and_one_at_the_nearest_cell():
    places = torch.tensor([[2.25, 5.0, 9.5], [2.0, 5.0, 8.0], [40.0, 3.0, 3.0], [15.4, 0.0, 0.0]])
    target = heat_maps(16, places, torch.tensor([1, 1, 0, 0]), (1.0, 1.5))
    assert target.shape == (2, 16, 16, 16)
    assert target[1, 10, 5, 2] == 1  # z, y, x; 9.5 goes up
    assert target[1, 8, 5, 2] == 1
    # a voxel off both: the larger of the two Gaussians
    one = exp(-(1.75**2 + 1 + 1.5**2) / 4.5)
    assert target[1, 11, 6, 4] == pytest.approx(one)
    assert target[1, 9, 5, 3] == pytest.approx(exp(-(0.75**2 + 0.5**2) / 4.5))
    assert target[0, 0, 0, 15] == 1
    assert (target == 1).sum() == 3  # the one outside has none


def test_the_loss_is_equation_1():
    logits = torch.tensor([0.3, -1.2, 2.0, -3.0], dtype=torch.float64)
    target = torch.tensor([1.0, 0.5, 0.0, 1.0], dtype=torch.float64)
    heat = expit(logits.numpy())
    terms = [
        (1 - heat[0]) ** 2 * log(heat[0]),
        0.5**4 * heat[1] ** 2 * log(1 - heat[1]),
        heat[2] ** 2 * log(1 - heat[2]),
        (1 - heat[3]) ** 2 * log(heat[3]),
    ]
    assert float(focal_loss(logits, target)) == pytest.approx(-sum(terms) / 2)
    empty = focal_loss(logits[1:3], torch.zeros(2, dtype=torch.float64))
    assert float(empty) == pytest.approx(-sum(heat[k] ** 2 * log(1 - heat[k]) for k in (1, 2)))


def test_peaks_of_gaussians_are_found_between_cells_and_axes_are_not_swapped():
    places = np.array([[3.3, 8.0, 14.2], [12.0, 4.6, 5.0], [13.5, 15.8, 2.0]])
    z, y, x = np.indices((18, 20, 16))
    values = np.full(z.shape, -30.0)
    for k, (a, b, c) in enumerate(places):
        squared = (x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2
        values = np.maximum(values, 4 - k - squared / 2)
    found, heat = find_peaks(torch.from_numpy(values), 3.0, 0.01)
    assert np.allclose(found, places, atol=1e-6)
    nearest = [4 - k - ((p - np.round(p)) ** 2).sum() / 2 for k, p in enumerate(places)]
    assert np.allclose(heat, expit(nearest))
    assert len(find_peaks(torch.from_numpy(values), 3.0, 0.9)[0]) == 2  # the third is below


def test_suppression_keeps_the_higher_of_two_and_both_beyond_the_radius():
    logits = torch.full((12, 12, 12), -20.0)
    logits[2, 3, 4], logits[2, 3, 8] = 1.0, 2.0
    for radius, places in ((4.0, [[8, 3, 2]]), (3.9, [[8, 3, 2], [4, 3, 2]])):
        found, _ = find_peaks(logits, radius, 0.01)
        assert found.tolist() == places
    logits[2, 3, 6] = 1.5  # what it would suppress is not kept alive by it being suppressed
    assert find_peaks(logits, 2.0, 0.01)[0].tolist() == [[8, 3, 2], [4, 3, 2]]


def test_a_volume_without_peaks_has_none():
    found, heat = find_peaks(torch.full((6, 6, 6), -9.0), 2.0, 0.01)
    assert found.shape == (0, 3)
    assert heat.shape == (0,)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    network = DetectorNet(3, 4)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm3d):
            layer.running_mean.normal_()
            layer.running_var.uniform_(0.5, 2)
    return network.eval()


@torch.no_grad()
def test_what_a_cell_says_hangs_on_its_reach_alone(network):
    volume = torch.randn(1, 120, 12, 12)
    changed = volume.clone()
    changed[:, 60:] += 3
    moved = (network(changed) - network(volume))[0].abs().amax((0, 2, 3)).nonzero()
    first = 2 * int(moved[0])  # voxel of the first cell that notices voxel 60
    assert REACH_VOXELS - 4 <= 60 - first <= REACH_VOXELS


class _Array:
    """Values as a tomogram that is read in blocks."""

    def __init__(self, values):
        self.values, self.shape = values, values.shape

    def block(self, corner, sides):
        block = np.zeros(sides, np.float32)
        part = self.values[tuple(slice(c, c + s) for c, s in zip(corner, sides, strict=True))]
        block[tuple(map(slice, part.shape))] = part
        return block


@torch.no_grad()
def test_windows_agree_with_the_whole(network):
    shape = (21, 90, 70)
    volume = _Array(np.random.default_rng(0).normal(size=shape).astype(np.float32))
    whole = heat_of(network, volume, 192, torch.device("cpu"))
    assert whole.shape == (3, 11, 45, 35)
    for window in (32, 44):
        parts = heat_of(network, volume, window, torch.device("cpu"))
        assert torch.allclose(parts, whole, atol=1e-4)
    plain = network(torch.from_numpy(volume.block((0, 0, 0), (24, 92, 72)))[None])
    assert torch.allclose(plain[0, :, :11, :45, :35], whole, atol=1e-4)


@torch.no_grad()
def test_turned_input_gives_turned_output():
    """Of a network whose kernels are the same after half turns; others learn it from crops."""
    torch.manual_seed(1)
    network = DetectorNet(2, 4).eval()
    turns = [[2 + axis for axis in axes] for axes in ((), (0, 1), (0, 2), (1, 2))]
    for layer in network.modules():
        if isinstance(layer, torch.nn.Conv3d):
            layer.weight.set_(torch.stack([layer.weight.flip(turn) for turn in turns]).mean(0))
    volume = torch.randn(1, 24, 32, 28)
    heat = network(volume)
    for axes in ((1, 2), (1, 3), (2, 3)):
        turned = network(volume.flip(axes)).flip([axis + 1 for axis in axes])
        assert torch.allclose(turned, heat, atol=1e-5)
    assert not torch.allclose(network(volume.transpose(1, 3)).transpose(2, 4), heat, atol=1e-2)


def test_crops_and_targets_are_turned_together_and_keep_within(tomograms):
    config = replace(CONFIG, crops=200)
    crops = DetectionCrops(tomograms, (15.0 / 10, 18.0 / 10), config, seed=2)
    scaled = [ScaledTomogram(each.tomogram) for each in tomograms]
    whole = [each.block((0, 0, 0), SHAPE) for each in scaled]
    seen, positives = set(), []
    for number in range(40):
        crop, target = crops[number]
        assert crop.shape == (24,) * 3
        assert target.shape == (2, 12, 12, 12)
        place, flips, corner = _where(crop.numpy(), whole)
        seen.add(flips)
        axes = np.flatnonzero(flips)
        assert all(0 <= c <= n - 24 for c, n in zip(corner, SHAPE, strict=True))
        positive = (target == 1).nonzero().numpy()
        positives.append(len(positive))
        cells = positive[:, 1:].copy()
        cells[:, axes] = 11 - cells[:, axes]  # of the crop as it lies in the tomogram
        voxels = (2 * cells + 0.5 + corner)[:, ::-1]
        for (label, *_), voxel in zip(positive, voxels, strict=True):
            own = tomograms[place].xyz_px[tomograms[place].labels == label]
            assert np.abs(own - voxel).max(1).min() <= 1.01
    assert seen == {tuple(bool(v) for v in turn[::-1]) for turn in TURNS}
    assert min(positives[::2]) >= 1
    again = DetectionCrops(tomograms, (1.5, 1.8), CONFIG, seed=2)[17]
    assert torch.equal(again[0], crops[17][0])
    assert torch.equal(again[1], crops[17][1])


def _where(crop, volumes):
    """Tomogram, flips (z, y, x) and corner of a crop: the one place where its first voxel is."""
    for turn in TURNS:
        flips = turn[::-1]
        upright = np.flip(crop, np.flatnonzero(flips))
        for place, volume in enumerate(volumes):
            for corner in np.argwhere(volume == upright[0, 0, 0]):
                found = volume[tuple(slice(c, c + 24) for c in corner)]
                if np.array_equal(found, upright):
                    return place, tuple(map(bool, flips)), corner
    raise AssertionError


def test_a_tomogram_is_scaled_without_its_gold(tomograms, tmp_path):
    scaled = ScaledTomogram(tomograms[0].tomogram)
    whole = scaled.block((0, 0, 0), SHAPE)
    assert abs(whole.mean()) < 0.02
    assert whole.std() == pytest.approx(1, abs=0.02)
    block = scaled.block((-2, 50, 3), (4, 4, 4))
    assert not block[:2].any()
    assert not block[:, 2:].any()
    assert np.array_equal(block[2:, :2], whole[:2, 50:, 3:7])
    values = tomograms[0].tomogram.open().block((0, 0, 0), SHAPE)
    values[:2, :6, :6] = -1000
    write_mrc(tmp_path / "gold.mrc", values, 10.0, "toy")
    gold = ScaledTomogram(Tomogram("gold", tmp_path / "gold.mrc", SHAPE, 10.0))
    elsewhere = gold.block((8, 12, 12), (16, 16, 16)), whole[8:24, 12:28, 12:28]
    assert np.abs(elsewhere[0].std() / elsewhere[1].std() - 1) < 0.25
    write_mrc(tmp_path / "flat.mrc", np.ones(SHAPE, np.float32), 10.0, "toy")
    with pytest.raises(CryoccdError, match="constant, expected values that vary"):
        ScaledTomogram(Tomogram("flat", tmp_path / "flat.mrc", SHAPE, 10.0))


def test_a_threshold_is_the_best_after_a_shift_by_brute_force():
    rng = np.random.default_rng(4)
    grid = np.linspace(log(0.01 / 0.99), 5, 61)
    for _ in range(10):
        particles_A = rng.uniform(0, 800, (6, 3))
        good = particles_A[:5] + rng.normal(0, 5, (5, 3))
        picks_A = np.vstack([good, rng.uniform(0, 800, (20, 3))])
        heat = np.concatenate([rng.uniform(0.2, 0.9, 5), rng.uniform(0.02, 0.6, 20)])
        candidates = Candidates(picks_A, heat)
        scores = [
            count_hits(picks_A[heat >= expit(each)], particles_A, 60.0).f_beta(4.0) for each in grid
        ]
        expected = []
        for threshold in grid:
            weights = [exp(-(((other - threshold) / 0.6) ** 2) / 2) for other in grid]
            total = sum(w * f for w, f in zip(weights, scores, strict=True))
            expected.append(total / sum(weights))
        chosen = best_threshold(candidates, particles_A, 60.0, 4.0)
        assert chosen == pytest.approx(expit(grid[np.argmax(expected)]))


def test_a_threshold_keeps_away_from_the_weakest_hit_and_the_strongest_miss():
    particles_A = np.arange(12.0).reshape(4, 3) * 100
    picks_A = np.vstack([particles_A, particles_A + 50])
    heat = np.array([0.9, 0.8, 0.95, 0.7, 0.05, 0.04, 0.02, 0.03])
    chosen = best_threshold(Candidates(picks_A, heat), particles_A, 60.0, 4.0)
    assert 0.08 < chosen < 0.5


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"crops": 4}, "crops = 4, expected a batch of 8"),
        ({"crop_voxels": 42}, "crop_voxels = 42, expected a multiple of 4"),
        ({"window_voxels": 16}, "window_voxels = 16, expected 32"),
        ({"batch_size": 1}, "batch_size = 1, expected 2"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"sigma": 2.0}, "sigma"),
        ({"width": 0}, "width"),
    ],
)
def test_settings_are_checked(changed, told):
    with pytest.raises(CryoccdError, match=told):
        DetectorConfig(**changed)
