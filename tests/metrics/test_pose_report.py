import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from cryoccd.errors import CryoccdError
from cryoccd.metrics.pose.alignment import mirror_poses
from cryoccd.metrics.pose.bootstrap import (
    percentile_interval,
    resampling_weights,
    weighted_mean,
    weighted_median,
)
from cryoccd.metrics.pose.poses import Poses
from cryoccd.metrics.pose.report import pose_errors
from cryoccd.specimen.symmetry import point_group

N = 240
MICROGRAPHS = [f"mic_{i % 12:02d}" for i in range(N)]


def random_rotations(n, seed):
    return torch.from_numpy(Rotation.random(n, rng=np.random.default_rng(seed)).as_matrix())


def turns(axis, degrees):
    axis = np.asarray(axis, dtype=float) / np.linalg.norm(axis)
    return torch.from_numpy(Rotation.from_rotvec(np.outer(np.deg2rad(degrees), axis)).as_matrix())


def shifts(seed):
    return torch.from_numpy(np.random.default_rng(seed).normal(0, 5, (N, 2)))


def report(true, estimated, symmetry=None, **more):
    return pose_errors(true, estimated, symmetry, **({"n_resamples": 200} | more))


def test_known_errors():
    true = Poses(random_rotations(N, 0), shifts(1))
    degrees = np.repeat([4.0, 8.0, 20.0, 60.0], N // 4)
    moved = Poses(turns([1, 0, 0], degrees) @ true.rotations, true.shifts_A + 3)
    found = report(true, moved, micrographs=MICROGRAPHS)
    values = {name: score.value for name, score in found.unaligned.items()}
    for kind in ("geodesic", "view"):
        assert values[f"{kind}_mean_deg"] == pytest.approx(23)
        assert values[f"{kind}_median_deg"] == pytest.approx(14)
        shares = [values[f"{kind}_under_{limit}deg"] for limit in (5, 10, 30)]
        assert shares == pytest.approx([0.25, 0.5, 0.75])
    assert values["in_plane_mean_deg"] == pytest.approx(0, abs=1e-9)
    assert values["shift_mean_A"] == pytest.approx(3 * 2**0.5)
    assert values["shift_median_A"] == pytest.approx(3 * 2**0.5)
    assert "shift_mean_A" not in found.aligned
    assert found.unaligned["shift_mean_A"].chance == pytest.approx(5 * np.pi**0.5, rel=0.3)


def test_a_frame_of_its_own_costs_the_unaligned_figures_alone():
    true = Poses(random_rotations(N, 0))
    found = report(true, Poses(turns([0, 0, 1], 20) @ true.rotations @ random_rotations(1, 1)[0]))
    assert found.unaligned["geodesic_mean_deg"].value > 40
    # a turn of all images is no turn of the map: it stays, in the plane
    assert found.aligned["geodesic_median_deg"].value == pytest.approx(20, abs=4)
    exact = report(true, Poses(true.rotations @ random_rotations(1, 1)[0]))
    assert exact.aligned["geodesic_mean_deg"].value < 1e-5
    assert exact.aligned["view_under_5deg"].value == 1


def test_a_turn_in_the_plane_is_invisible_to_the_view():
    true = Poses(random_rotations(N, 0))
    found = report(true, Poses(turns([0, 0, 1], 20) @ true.rotations)).unaligned
    assert found["view_mean_deg"].value == pytest.approx(0, abs=1e-9)
    assert found["geodesic_mean_deg"].value == pytest.approx(20)
    assert found["in_plane_median_deg"].value == pytest.approx(20)


def test_chance_is_what_alignment_and_symmetry_give_away():
    true, random = Poses(random_rotations(N, 0)), Poses(random_rotations(N, 1))
    whole = report(true, random)
    mates = report(true, random, torch.from_numpy(point_group("D7")))
    assert whole.unaligned["geodesic_mean_deg"].chance == pytest.approx(126.5, abs=3)
    assert whole.unaligned["view_mean_deg"].chance == pytest.approx(90, abs=4)
    assert whole.aligned["geodesic_mean_deg"].chance < 124  # 120
    assert mates.unaligned["geodesic_mean_deg"].chance == pytest.approx(59.2, abs=2)
    assert mates.aligned["geodesic_mean_deg"].chance == pytest.approx(56, abs=2)
    assert mates.aligned["view_mean_deg"].chance < 30
    for found in (whole, mates):  # and random estimates are no better
        score = found.aligned["geodesic_median_deg"]
        assert score.chance_range[0] - 3 < score.value < score.chance_range[1] + 3


def test_a_constant_estimate_is_chance_itself():
    true = Poses(random_rotations(N, 0))
    constant = Poses(torch.eye(3, dtype=torch.float64).expand(N, 3, 3))
    score = report(true, constant).aligned["geodesic_mean_deg"]
    assert score.value == pytest.approx(score.chance, abs=1e-6)


def test_the_mirrored_hand_is_told_and_not_counted():
    true = Poses(random_rotations(N, 0))
    mirrored = Poses(mirror_poses(turns([1, 1, 0], 3) @ true.rotations) @ random_rotations(1, 1)[0])
    found = report(true, mirrored)
    assert found.mirrored_fits
    assert found.alignment.mirrored_median_deg == pytest.approx(3, abs=1)
    assert found.aligned["geodesic_median_deg"].value > 90
    assert "the mirrored hand would fit, and is not counted" in found.lines()[-1]


def test_neither_hand_fits_random_poses():
    told = [
        report(Poses(random_rotations(N, seed)), Poses(random_rotations(N, 100 + seed)))
        for seed in range(5)
    ]
    assert {each.alignment.hand for each in told} == {"same", "mirrored"}
    assert sum(each.mirrored_fits for each in told) <= 1
    assert not any(each.mirrored_fits for each in told if each.alignment.hand == "same")


def test_the_order_of_the_particles_is_nothing():
    true = Poses(random_rotations(N, 0), shifts(1))
    estimated = Poses(turns([1, 2, 0], np.arange(N) / 4) @ true.rotations, shifts(2))
    order = torch.from_numpy(np.random.default_rng(3).permutation(N))
    for names in (MICROGRAPHS, None):
        shuffled = names and [names[i] for i in order]
        one = report(true, estimated, micrographs=names)
        two = report(true[order], estimated[order], micrographs=shuffled)
        assert one.lines() == two.lines()
        for a, b in ((one.unaligned, two.unaligned), (one.aligned, two.aligned)):
            assert a == b


def test_the_seed_moves_chance_and_intervals_alone():
    true, estimated = Poses(random_rotations(N, 0)), Poses(random_rotations(N, 1))
    one, two = (report(true, estimated, seed=seed).aligned["view_mean_deg"] for seed in (0, 1))
    assert one.value == two.value
    assert one.chance != two.chance
    assert one.interval != two.interval


def test_what_the_intervals_are_over_is_said():
    true, estimated = Poses(random_rotations(N, 0)), Poses(random_rotations(N, 1))
    assert report(true, estimated).resampled == "240 particles (their micrographs are unknown)"
    assert report(true, estimated, micrographs=MICROGRAPHS).resampled == "12 micrographs"
    one = report(true, estimated, micrographs=["mic"] * N)
    assert one.resampled == "1 micrograph"
    assert one.aligned["view_mean_deg"].interval.kind == "none"
    assert "240 particles, 95 % intervals over 1 micrograph" in one.lines()


def test_as_many_of_each():
    true, few = Poses(random_rotations(N, 0)), Poses(random_rotations(3, 1))
    with pytest.raises(CryoccdError, match="3 estimated, 240 true, expected as many"):
        pose_errors(true, few)
    with pytest.raises(CryoccdError, match="240 true, 2 names of micrographs"):
        pose_errors(true, true, micrographs=["a", "b"])


def test_weighted_median_against_repeats():
    rng = np.random.default_rng(4)
    values = torch.from_numpy(rng.integers(0, 6, 9)).double()
    weights = torch.from_numpy(rng.integers(0, 4, (200, 9))).double()
    weights = weights[weights.sum(1) > 0]
    repeated = [np.repeat(values.numpy(), each.long().numpy()) for each in weights]
    expected = [float(np.median(each)) for each in repeated]
    assert weighted_median(values, weights).tolist() == expected
    means = [float(each.mean()) for each in repeated]
    assert weighted_mean(values, weights).tolist() == pytest.approx(means)


def test_intervals_over_micrographs_hold_and_those_over_particles_do_not():
    """Particles of one micrograph share a fault: 20 micrographs of 10, coverage of the mean."""
    groups = torch.arange(200) // 10
    held = {"micrographs": 0, "particles": 0}
    for trial in range(200):
        rng = np.random.default_rng(trial)
        values = torch.from_numpy(rng.normal(size=200) + np.repeat(rng.normal(size=20), 10))
        for name, of in (("micrographs", groups), ("particles", torch.arange(200))):
            drawn = weighted_mean(values, resampling_weights(of, 200, trial))
            interval = percentile_interval(drawn, int(of.max()) + 1)
            held[name] += interval.low < 0 < interval.high
    assert 0.88 < held["micrographs"] / 200 < 0.98
    assert held["particles"] / 200 < 0.75
