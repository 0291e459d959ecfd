"""An estimator learns poses, the same ones for one seed, and comes back from its file."""

import json
from dataclasses import replace

import pytest
import torch
from pose_views import particle_images, random_rotations
from safetensors import safe_open
from safetensors.torch import save_file

from cryoccd.downstream.pose.boxes import BoxOptions
from cryoccd.downstream.pose.config import PoseConfig
from cryoccd.downstream.pose.estimator import PoseEstimator
from cryoccd.downstream.pose.examples import PoseExamples
from cryoccd.downstream.pose.train import fit_pose, load_pose
from cryoccd.errors import CryoccdError
from cryoccd.metrics.pose.errors import geodesic_deg
from cryoccd.specimen.symmetry import point_group

BOXES = BoxOptions(box_px=32, phase_flip=False)
CONFIG = PoseConfig(images=9600, batch_size=24, width=8, learning_rate=6e-3, boxes=BOXES)
SHORT = replace(CONFIG, images=240)


@pytest.fixture(scope="module")
def training():
    return particle_images(1500, seed=0)


@pytest.fixture(scope="module")
def test_images():
    return particle_images(200, seed=1, shift_px=1.5)


@pytest.fixture(scope="module")
def fitted(training, test_images, tmp_path_factory):
    path = tmp_path_factory.mktemp("pose") / "pose.safetensors"
    return fit_pose(CONFIG, training, 0, path, test_images, accelerator="cpu"), path


def test_it_learns(fitted, test_images):
    estimator, path = fitted
    found = estimator.estimate(test_images)
    truth = test_images.poses
    errors_deg = geodesic_deg(truth.rotations, found.rotations)
    assert errors_deg.median() < 25  # 14; chance 126
    off_A = (found.shifts_A - truth.shifts_A).norm(dim=1).median()
    assert off_A < 0.6 * truth.shifts_A.norm(dim=1).median()
    with safe_open(path, "pt") as file:
        curve = json.loads(file.metadata()["pose"])["curve"]
    assert [point["images"] for point in curve] == list(range(960, 9601, 960))
    assert curve[-1]["median_deg"] == pytest.approx(float(errors_deg.median()))
    assert curve[0]["median_deg"] > 2 * curve[-1]["median_deg"]
    minutes = [point["minutes"] for point in curve]
    assert 0 < minutes[0] < minutes[-1]


def test_an_estimate_is_of_its_image_alone(fitted, test_images):
    estimator, _ = fitted
    found = estimator.estimate(test_images)
    some = torch.tensor([7, 3, 150])
    other = replace(test_images.select(some), poses=particle_images(3, seed=5).poses)
    torch.testing.assert_close(
        estimator.estimate(other).rotations, found.rotations[some], atol=1e-4, rtol=0
    )


def test_it_comes_back_from_its_file(fitted, test_images, tmp_path):
    estimator, path = fitted
    again = load_pose(path)
    assert again.config == estimator.config
    assert torch.equal(
        again.estimate(test_images).rotations, estimator.estimate(test_images).rotations
    )
    with pytest.raises(CryoccdError, match="no such file; train a pose estimator"):
        load_pose(tmp_path / "absent")
    save_file({"a": torch.zeros(1)}, tmp_path / "other")
    with pytest.raises(CryoccdError, match="not a pose estimator"):
        load_pose(tmp_path / "other")


def test_one_seed_one_estimator(training, tmp_path):
    def weights(seed):
        fitted = fit_pose(SHORT, training, seed, tmp_path / "x", accelerator="cpu")
        return torch.cat([value.flatten().float() for value in fitted.state_dict().values()])

    torch.rand(1)  # the state of the global generator is nothing to it
    first, again, other = weights(3), weights(3), weights(4)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_symmetry_is_told_or_the_errors_are_large(tmp_path):
    """Three mates look alike; without the group their mean is learnt, which is none of them."""
    group = point_group("C3")
    training, test = (particle_images(n, operators=group, seed=s) for n, s in ((1500, 0), (200, 1)))
    errors = {}
    for symmetry in ("C3", "C1"):
        told = replace(CONFIG, images=4800, symmetry=symmetry)
        estimator = fit_pose(told, training, 0, tmp_path / "x", accelerator="cpu")
        found = estimator.estimate(test).rotations
        mates = torch.from_numpy(group)
        errors[symmetry] = float(geodesic_deg(test.poses.rotations, found, mates).median())
    assert errors["C3"] < 30  # 13 to 22; chance 102
    assert errors["C1"] > 40  # 46 to 50


def test_examples_hold_their_poses_and_each_particle_once_a_pass(training):
    few = training.select(torch.arange(10))
    examples = PoseExamples(few, replace(SHORT, images=240, max_shift_px=0), seed=0)
    assert len(examples) == 240
    for start in (0, 10):
        orders = [int(examples._row(number)) for number in range(start, start + 10)]
        assert sorted(orders) == list(range(10))
    image, rotation, shift = examples[17]
    assert torch.equal(examples[17][0], image)  # after others, alone
    norms = few.shifts_px.norm(dim=1)
    assert (norms - shift.norm()).abs().min() < 1e-5
    assert torch.linalg.det(rotation) == pytest.approx(1, abs=1e-5)


def test_fresh_noise_is_that_of_its_ratio(training):
    few = training.select(torch.arange(10))
    examples = PoseExamples(few, replace(SHORT, max_shift_px=0), seed=0)
    noisy = PoseExamples(few, replace(SHORT, max_shift_px=0, snr=0.5), seed=0)
    pairs = [(examples[k][0], noisy[k][0]) for k in range(40)]
    both = torch.tensor(
        [torch.corrcoef(torch.stack([a.flatten(), b.flatten()]))[0, 1] for a, b in pairs]
    )
    assert both.mean() == pytest.approx((0.5 / 1.5) ** 0.5, abs=0.03)
    ten = [noisy[k][0] for k in range(40)]
    assert len({float(image.sum()) for image in ten}) == 40


def test_refusals(training, test_images, fitted, tmp_path):
    estimator, _ = fitted
    with pytest.raises(CryoccdError, match=r"images of 48 px .* trained on 32 px"):
        estimator.estimate(particle_images(2, box_px=48))
    table = test_images.ctf.assign(pixel_size_A=5.0)
    with pytest.raises(CryoccdError, match=r"of 5\.000 A, but .* box_px: 32, box_A: 128"):
        estimator.estimate(replace(test_images, ctf=table))
    with pytest.raises(CryoccdError, match="phase_flip = True"):
        estimator.estimate(replace(test_images, phase_flipped=True))
    bad = replace(training, images=training.images * float("nan"))
    with pytest.raises(CryoccdError, match="loss is not finite at step 0"):
        fit_pose(SHORT, bad, 0, tmp_path / "x", accelerator="cpu")
    assert not (tmp_path / "x").exists()
    for settings, message in (
        ({"images": 0}, "images = 0"),
        ({"images": 20}, "a batch of 32 or more"),
        ({"snr": 0.0}, "snr = 0"),
        ({"symmetry": "X3"}, "symmetry 'X3'"),
        ({"boxes": BoxOptions(box_px=40)}, "a multiple of 16"),
    ):
        with pytest.raises(CryoccdError, match=message):
            PoseConfig(**settings)


def test_random_poses_are_far(test_images):
    """Chance, beside which the errors above are to be read."""
    errors_deg = geodesic_deg(test_images.poses.rotations, random_rotations(200, 9))
    assert errors_deg.median() > 100


@pytest.mark.slow
def test_a_dataset_folder_teaches(tmp_path):
    """The lobed assembly at 48 px: 25,600 images of 2,000 particles, without noise; minutes."""
    from pathlib import Path

    from cryoccd.downstream.pose.boxes import read_particles
    from cryoccd.simulate.config import read_config
    from cryoccd.simulate.run import simulate

    config = read_config(Path(__file__).parents[2] / "configs/simulate/verify-c1.yaml")
    simulate(replace(config, seed=1), tmp_path / "training")
    simulate(replace(config, count=6), tmp_path / "test")
    estimator = fit_pose(PoseConfig(images=25_600), tmp_path / "training", 0, tmp_path / "pose")
    assert isinstance(estimator, PoseEstimator)
    test = read_particles(tmp_path / "test", estimator.config.boxes)
    found = estimator.estimate(test)
    assert geodesic_deg(test.poses.rotations, found.rotations).median() < 10
