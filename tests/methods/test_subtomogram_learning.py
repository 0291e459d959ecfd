"""Small diffusions learn which class, and which density, they are told."""

from functools import cache, partial

import lightning as L
import pytest
import torch
from ball_boxes import ToyVolumes, at_class, toy_volumes
from denoisers import TRAILING, generators
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler

from cryoccd.diffusion.cosine import CosineSchedule
from cryoccd.diffusion.sampler import Sampler
from cryoccd.diffusion.schedule import NoiseSchedule
from cryoccd.methods.subtomogram_ddpm import SubtomogramDDPM
from cryoccd.nn.volume_unet import VolumeUNet

KINDS = {
    "paper": ({}, NoiseSchedule(), {}),
    "plus": (
        {"modulation": "scale_shift", "attention": True, "zero_last": True},
        CosineSchedule(),
        {"prediction": "v", "weighting": "min_snr", "drop_condition": 0.1},
    ),
}


class Count(L.Callback):
    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        pl_module.images_seen += len(batch)


@cache
def learnt(kind: str, density: bool = False) -> SubtomogramDDPM:
    steps = 150 if kind == "plus" else 100
    torch.manual_seed(0)
    of_net, schedule, options = KINDS[kind]
    made = SubtomogramDDPM(
        net=VolumeUNet(2, 8, density_condition=density, **of_net),
        schedule=schedule,
        sampler=Sampler(
            partial(UniPCMultistepScheduler, solver_order=2, **TRAILING), 10, pure_noise=True
        ),
        optimizer=partial(torch.optim.Adam, lr=3e-3),
        constant_images=16 * steps,
        decay_images=16 * steps,
        **options,
    )
    data = ToyVolumes(32 * steps, 32, density)
    made.calibrate(data)
    made.calibrated.fill_(True)
    L.Trainer(
        max_epochs=1,
        accelerator="cpu",
        callbacks=[Count()],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    ).fit(made, datamodule=data)
    return made.eval()


def likeness(boxes: torch.Tensor, templates: torch.Tensor) -> torch.Tensor:
    """(n, m) correlation of boxes with templates."""
    flat = [(x - x.mean((1, 2, 3, 4), keepdim=True)).flatten(1) for x in (boxes, templates)]
    one, other = (torch.nn.functional.normalize(x, dim=1) for x in flat)
    return one @ other.T


LABEL = torch.arange(32) % 2
TEMPLATES = at_class(torch.tensor([0, 1]))


def scores(made: SubtomogramDDPM) -> tuple[torch.Tensor, torch.Tensor]:
    """Likeness of 32 samples with the ball of their own class and with that of the other."""
    boxes = made.sample(LABEL, torch.rand(32, 3), generators(32))
    assert boxes.mean().abs() < 0.1
    found = likeness(boxes, TEMPLATES)
    return found.gather(1, LABEL[:, None]), found.gather(1, 1 - LABEL[:, None])


@pytest.mark.parametrize("kind", KINDS)
def test_samples_show_the_ball_of_their_class(kind):
    own, other = scores(learnt(kind))
    assert own.min() > 0.8  # of real boxes: 0.88
    assert other.max() < 0.1


def test_guidance_sharpens():
    made = learnt("plus")
    found = []
    for made.guidance in (0.0, 1.0, 3.0):
        own, other = scores(made)
        found.append(own - other)
    free, told, guided = found
    assert 0.2 < (free > 0).float().mean() < 0.8  # nothing told: either class
    assert free.abs().min() > 0.5
    assert guided.mean() > told.mean() + 0.01  # measured with 150 steps: 1.004 and 1.040
    assert guided.std() < free.std() / 10


def test_noise_is_learnt_as_well():
    """A likeness above that of real boxes is a box without their noise, as the paper's has it."""
    real = likeness(toy_volumes(list(range(32))).volume, TEMPLATES)
    expected = real.gather(1, LABEL[:, None]).mean()
    own, _ = scores(learnt("plus"))
    assert own.mean() == pytest.approx(float(expected), abs=0.06)


def test_density_is_followed():
    """The ball is anywhere, and only the density tells where."""
    made = learnt("plus", density=True)
    batch = toy_volumes(list(range(1000, 1024)), density=True)
    boxes = made.sample(batch.label, batch.position, generators(24), batch.density)
    found = likeness(boxes, batch.density)
    assert (found.argmax(1) == torch.arange(24)).all()
    assert found.diag().mean() > 0.75  # of real boxes: 0.85
    alone = made.sample(batch.label, batch.position, generators(24))
    assert likeness(alone, batch.density).diag().mean() < 0.4
