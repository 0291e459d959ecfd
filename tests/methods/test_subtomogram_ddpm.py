"""What is sampled, in closed form; what is trained and logged; what is refused."""

from functools import partial
from itertools import pairwise
from types import SimpleNamespace

import lightning as L
import pandas as pd
import pytest
import torch
from ball_boxes import ToyVolumes, toy_volumes
from denoisers import SCHEDULERS, TRAILING, Denoiser, generators
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler
from jsonargparse import ActionConfigFile, ArgumentParser
from lightning.pytorch.loggers import CSVLogger

from cryoccd.diffusion.cosine import CosineSchedule
from cryoccd.diffusion.sampler import Sampler
from cryoccd.diffusion.schedule import NoiseSchedule
from cryoccd.errors import CryoccdError
from cryoccd.methods.subtomogram_ddpm import SubtomogramDDPM
from cryoccd.nn.volume_unet import VolumeUNet

MEANS, SD = torch.tensor([0.6, -0.4]), 0.5
STEPS = {"ddpm": 1000, "ddim": 500, "unipc": 25, "dpm++": 40, "dpm++sde": 200, "heun": 100}
PLUS = {"modulation": "scale_shift", "attention": True, "zero_last": True}
DDPM = partial(DDPMScheduler, clip_sample=False, **TRAILING)
UNIPC = partial(UniPCMultistepScheduler, solver_order=2, **TRAILING)


class Gaussian(torch.nn.Module):
    """The best x0 or v of voxels N(MEANS[label], SD²), and of N(0, SD²) where nothing is told."""

    n_classes, align_px, density_condition = 2, 8, False

    def __init__(self, schedule: NoiseSchedule, prediction: str) -> None:
        super().__init__()
        self.steps, self.prediction = schedule.steps, prediction
        self.alpha_bar = Denoiser(schedule, 0.0, SD).alpha_bar
        self.calls: list[tuple[torch.Tensor, int, torch.Tensor]] = []

    def forward(self, noised, level, label, position, density=None, known=None):
        alpha_bar = self.alpha_bar(level.double() * self.steps - 1)[..., None]
        mean = MEANS[label] if known is None else MEANS[label] * known
        mean = mean[:, None, None, None, None]
        gain = alpha_bar.sqrt() * SD**2 / (alpha_bar * SD**2 + 1 - alpha_bar)
        clean = mean + gain * (noised - alpha_bar.sqrt() * mean)
        self.calls.append((noised, round(float(level[0]) * self.steps) - 1, clean))
        if self.prediction == "x0":
            return clean.float()
        # v of the clean image and of the noise that goes with it
        a, s = alpha_bar.sqrt(), (1 - alpha_bar).sqrt()
        return (a * (noised - a * clean) / s - s * clean).float()


def model(net=None, schedule=None, sampler=None, **options) -> SubtomogramDDPM:
    torch.manual_seed(0)
    made = SubtomogramDDPM(
        net=net or VolumeUNet(2, 8),
        schedule=schedule or NoiseSchedule(),
        sampler=sampler or Sampler(UNIPC, 5, pure_noise=True),
        optimizer=partial(torch.optim.Adam, lr=1e-3),
        **({"constant_images": 10**6, "decay_images": 0} | options),
    )
    return made


def ready(made: SubtomogramDDPM, side: int = 8) -> SubtomogramDDPM:
    boxes = {"box_voxels": side, "voxel_size_A": 10.0, "places": ToyVolumes.places}
    made.calibrate(SimpleNamespace(classes=("low", "high"), **boxes))
    made.calibrated.fill_(True)
    return made.eval()


def exact(prediction, schedule, scheduler, steps, **options) -> SubtomogramDDPM:
    net, sampler = Gaussian(schedule, prediction), Sampler(scheduler, steps, pure_noise=True)
    return ready(model(net, schedule, sampler, prediction=prediction, **options), side=16)


def sampled(made: SubtomogramDDPM, n: int = 8, **given) -> torch.Tensor:
    label = torch.arange(n) % 2
    return made.sample(label, torch.full((n, 3), 0.5), generators(n), **given)


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("schedule", [NoiseSchedule(), CosineSchedule()], ids=["linear", "cosine"])
@pytest.mark.parametrize("prediction", ["x0", "v"])
def test_gaussian_classes_are_sampled(name, schedule, prediction):
    samples = sampled(exact(prediction, schedule, SCHEDULERS[name], STEPS.get(name, 20)))
    for label in (0, 1):
        # 16384 voxels: standard error 0.004 of the mean, 0.6 % of the sd; the rest is steps
        assert samples[label::2].mean() == pytest.approx(float(MEANS[label]), abs=0.016)
        assert samples[label::2].std() == pytest.approx(SD, rel=0.04)


@pytest.mark.parametrize("prediction", ["x0", "v"])
@pytest.mark.parametrize("guidance", [0.0, 1.5, 3.0])
def test_guidance_moves_gaussians_by_its_factor(prediction, guidance):
    """With equal variances n̂ is linear in the mean: told m, untold 0, guided g m."""
    made = exact(prediction, CosineSchedule(), UNIPC, 25, guidance=guidance, drop_condition=0.1)
    samples = sampled(made)
    for label in (0, 1):
        expected = guidance * float(MEANS[label])
        assert samples[label::2].mean() == pytest.approx(expected, abs=0.016)
        assert samples[label::2].std() == pytest.approx(SD, rel=0.04)
    assert len(made.net.calls) == 50  # twice the steps


@pytest.mark.parametrize("prediction", ["x0", "v"])
def test_ancestral_steps_have_the_mean_and_the_variance_of_the_posterior(prediction):
    """Ho et al., eq. 7, which the paper repeats, at each of all levels."""
    schedule = NoiseSchedule(100, 1e-3, 0.2)
    made = exact(prediction, schedule, DDPM, 100)
    found = sampled(made, 2)
    calls = made.net.calls
    assert [t for _, t, _ in calls] == list(range(99, -1, -1))
    betas, alpha_bar = schedule.betas, schedule.alpha_bar
    for (x, t, clean), (following, *_) in pairwise(calls):
        before = alpha_bar[t - 1]
        mean = (
            betas[t] * before.sqrt() / (1 - alpha_bar[t]) * clean
            + (1 - before) * (1 - betas[t]).sqrt() / (1 - alpha_bar[t]) * x
        )
        variance = (1 - before) / (1 - alpha_bar[t]) * betas[t]
        left = (following - mean) / variance.sqrt()
        # 8192 voxels: standard errors 0.011 of the mean, 0.8 % of the sd, five of them
        assert left.mean() == pytest.approx(0, abs=0.055)
        assert left.std() == pytest.approx(1, rel=0.04)
    torch.testing.assert_close(found, calls[-1][2].float(), atol=1e-5, rtol=1e-5)


def test_a_box_is_the_same_in_any_batch():
    made = ready(model(VolumeUNet(2, 8, **PLUS), guidance=2.0, drop_condition=0.1))
    torch.nn.init.normal_(made.net.out.weight, std=0.1)
    batch = sampled(made, 3)
    alone = made.sample(torch.tensor([1]), torch.full((1, 3), 0.5), generators(1, seed=1))
    torch.testing.assert_close(batch[1:2], alone, atol=1e-5, rtol=1e-5)
    assert (batch[0] - batch[2]).abs().max() > 0.1  # one class, two seeds


def fitted(made: SubtomogramDDPM, data: ToyVolumes, root=None, epochs: int = 1) -> SubtomogramDDPM:
    class Count(L.Callback):
        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            pl_module.images_seen += len(batch)
            pl_module.log_dict({"step": float(pl_module.images_seen)})

    made.calibrate(data)
    made.calibrated.fill_(True)
    trainer = L.Trainer(
        default_root_dir=root,
        max_epochs=epochs,
        accelerator="cpu",
        callbacks=[Count()],
        log_every_n_steps=1,
        logger=CSVLogger(root, "logs") if root else False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(made, datamodule=data)
    return made.eval()


def weights(made: SubtomogramDDPM) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in made.parameters()])


def test_a_step_depends_on_the_images_seen_and_the_seed_alone():
    def after(global_seed: int, **options) -> torch.Tensor:
        torch.manual_seed(global_seed)
        made = model(drop_condition=0.3, **options)
        torch.manual_seed(global_seed)
        return weights(fitted(made, ToyVolumes(32, 8)))

    assert torch.equal(after(1), after(2))
    assert not torch.equal(after(1), after(1, seed=5))


def test_losses_of_the_levels(tmp_path):
    """Of a network that says 0: 1 of x0 at every level, and of v its x0 as well."""
    for prediction in ("x0", "v"):
        net = VolumeUNet(2, 8, zero_last=True)
        options = {"optimizer": partial(torch.optim.SGD, lr=0.0), "prediction": prediction}
        made = SubtomogramDDPM(
            net,
            NoiseSchedule(),
            Sampler(UNIPC, 5, pure_noise=True),
            constant_images=512,
            decay_images=0,
            **options,
        )
        fitted(made, ToyVolumes(256, 16), tmp_path / prediction, epochs=2)
        log = pd.read_csv(next((tmp_path / prediction).glob("logs/*/metrics.csv")))
        quarters = log.filter(like="train/loss_t").dropna()
        assert len(quarters) == 2  # one row an epoch
        assert log["step"].loc[quarters.index].tolist() == [256, 512]
        if prediction == "x0":
            assert quarters.to_numpy() == pytest.approx(511 / 512, rel=1e-4)
        else:  # v = 0 means x̂0 = a x_t: the error is 1 − a² = s² of a box of variance 1
            share = (1 - NoiseSchedule().alpha_bar).reshape(4, 250).mean(1)
            assert quarters.to_numpy() == pytest.approx(share.numpy()[None].repeat(2, 0), rel=0.35)
            assert (quarters.diff(axis=1).iloc[:, 1:] > 0).all(axis=None)
        assert len(log["train/loss_denoise"].dropna()) == 32


def test_the_share_that_is_told_nothing():
    made = model(VolumeUNet(2, 8, density_condition=True), drop_condition=0.2)
    batch = toy_volumes(list(range(400)), density=True)
    known, density = made._told(batch, generators(400))
    bare = (density == -1).flatten(1).all(1)
    assert (~known).float().mean() == pytest.approx(0.2, abs=0.06)  # three standard errors
    assert bare.float().mean() == pytest.approx(0.4, abs=0.075)
    assert bare[~known].all()
    assert torch.equal(density[~bare], batch.density[~bare])


def test_what_boxes_are_stays_with_the_weights():
    made = ready(model())
    other = model()
    other.load_state_dict(made.state_dict())
    assert other.classes == ("low", "high")
    assert (int(other.box_voxels), float(other.voxel_size_A)) == (8, 10.0)
    assert bool(other.calibrated)
    assert torch.equal(sampled(other.eval(), 2), sampled(made, 2))


@pytest.mark.parametrize("name", ["subtomogram_ddpm", "subtomogram_ddpm_plus"])
@pytest.mark.parametrize("demo", [False, True])
def test_configurations(name, demo):
    parser = ArgumentParser(parser_mode="omegaconf", exit_on_error=False)
    parser.add_argument("--config", action=ActionConfigFile)
    parser.add_subclass_arguments(SubtomogramDDPM, "model")
    parser.add_argument("--average.decay", type=float)
    files = [f"configs/volume/{name}.yaml"] + demo * [f"configs/volume/demo/{name}.yaml"]
    settings = parser.parse_args([f"--config={file}" for file in files])
    made = parser.instantiate(settings).model
    plus = name.endswith("plus")
    if not demo and not plus:
        count = sum(p.numel() for p in made.net.parameters())
        assert count == pytest.approx(3.42e6, rel=0.01)
        assert (made.max_images, made.sampler.steps) == (100 * 1142, 1000)
    if demo:
        assert made.sampler.steps * (2 if made.guidance != 1 else 1) <= 50
        assert made.max_images == 10000  # of both: equal images
        boxes = {"box_voxels": 8, "voxel_size_A": 10.0, "places": ToyVolumes.places}
        data = SimpleNamespace(classes="abcdef", **boxes)
        made.calibrate(data)
        made.calibrated.fill_(True)
        box = made.sample(torch.tensor([5]), torch.full((1, 3), 0.5), generators(1))
        assert box.shape == (1, 1, 8, 8, 8)
        assert box.isfinite().all()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"prediction": "noise"}, "prediction = 'noise', expected x0 or v"),
        ({"weighting": "snr"}, "weighting = 'snr', expected uniform or min_snr"),
        ({"drop_condition": 0.7}, "drop_condition = 0.7, expected 0 to 0.5"),
        ({"guidance": 2.0}, "guidance = 2.0, expected 1 where drop_condition is 0"),
        ({"guidance": -1.0, "drop_condition": 0.1}, "guidance = -1.0, expected 0 or more"),
        ({"sampler": Sampler(DDPM, 10)}, "sampler.pure_noise = False, expected true"),
        ({"schedule": NoiseSchedule(10)}, "pure_noise, but alpha_bar = 0.904 at the last level"),
        ({"constant_images": 0}, "constant_images = 0"),
    ],
)
def test_refused_settings(options, told):
    with pytest.raises(CryoccdError, match=told):
        model(**options)


def test_refused_data():
    good = {"classes": ("a", "b"), "box_voxels": 8, "voxel_size_A": 1.0}
    good["places"] = ToyVolumes.places
    for change, told in (
        ({"classes": ("a",)}, "net.n_classes = 2, expected 1"),
        ({"box_voxels": 12}, "box_voxels = 12, expected a multiple of 8"),
    ):
        with pytest.raises(CryoccdError, match=told):
            model().calibrate(SimpleNamespace(**good | change))
    with pytest.raises(CryoccdError, match="LightningDataModule gives no boxes of tomograms"):
        model().calibrate(L.LightningDataModule())
    with pytest.raises(CryoccdError, match="not calibrated"):
        sampled(model(), 1)
    made = model(VolumeUNet(2, 8, density_condition=True))
    with pytest.raises(CryoccdError, match="the data gives no density"):
        made._told(toy_volumes([0, 1]), generators(2))


@pytest.mark.parametrize(
    ("label", "position", "count", "given", "told"),
    [
        ([0, 2], (2, 3), 2, {}, r"label = \[0, 2\], expected 0 to 1"),
        ([0, 1], (2, 2), 2, {}, r"position = \(2, 2\), expected \(2, 3\)"),
        ([0, 1], (2, 3), 1, {}, "generators = 1, expected 2"),
        ([0], (1, 3), 1, {"density": torch.ones(1, 1, 8, 8, 8)}, "density_condition is false"),
    ],
)
def test_refused_conditions(label, position, count, given, told):
    made = ready(model())
    with pytest.raises(CryoccdError, match=told):
        made.sample(torch.tensor(label), torch.zeros(position), generators(count), **given)


def test_refused_density_of_another_side():
    made = ready(model(VolumeUNet(2, 8, density_condition=True)))
    with pytest.raises(CryoccdError, match=r"density = \(1, 1, 4, 4, 4\)"):
        sampled(made, 1, density=torch.ones(1, 1, 4, 4, 4))
