"""What a diffusion sees through noise of a known strength, in closed form."""

from functools import partial

import pytest
import torch
from blob_generator import BlobGenerator
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler
from torch.utils.data import Dataset

from cryoccd.data.subtomograms import Box
from cryoccd.diffusion.cosine import CosineSchedule
from cryoccd.diffusion.sampler import Sampler
from cryoccd.diffusion.schedule import NoiseSchedule
from cryoccd.launch.volume_levels import level_errors
from cryoccd.methods.subtomogram_ddpm import SubtomogramDDPM

SIDE, COUNT = 16, 12
UNIPC = partial(UniPCMultistepScheduler, timestep_spacing="trailing")


class Boxes(Dataset[Box]):
    """White boxes of variance 1."""

    def __getitem__(self, number: int) -> Box:
        draw = torch.Generator().manual_seed(number)
        volume = torch.randn(1, *3 * (SIDE,), generator=draw)
        return Box(volume, 0, torch.full((3,), 0.5), None, 10.0)

    def __len__(self) -> int:
        return COUNT


class Best(torch.nn.Module):
    """The best x0 or v of white boxes: x̂0 = a x_t, so v̂ = 0."""

    n_classes, align_px, density_condition = 1, 8, False

    def __init__(self, schedule: NoiseSchedule, prediction: str) -> None:
        super().__init__()
        self.schedule, self.prediction = schedule, prediction

    def forward(self, noised, level, label, position, density=None, known=None):
        if self.prediction == "v":
            return torch.zeros_like(noised)
        t = (level.double() * self.schedule.steps - 1).round().long()
        a = self.schedule.alpha_bar[t].sqrt().float()
        return a[:, None, None, None, None] * noised


def best(schedule: NoiseSchedule, prediction: str) -> SubtomogramDDPM:
    return SubtomogramDDPM(
        net=Best(schedule, prediction),
        schedule=schedule,
        sampler=Sampler(UNIPC, 2, pure_noise=True),
        prediction=prediction,
        optimizer=partial(torch.optim.Adam, lr=1e-3),
        constant_images=1,
        decay_images=0,
    )


@pytest.mark.parametrize("prediction", ["x0", "v"])
@pytest.mark.parametrize("schedule", [NoiseSchedule(), CosineSchedule()], ids=["linear", "cosine"])
def test_the_best_model_errs_by_the_variance_that_noise_leaves(schedule, prediction):
    model, levels_dB = best(schedule, prediction), [20.0, 0.0, -20.0]
    errors = level_errors(model, Boxes(), range(COUNT), levels_dB)
    assert errors.shape == (COUNT, 3)
    # a Gaussian of variance 1 seen at a ratio SNR is known to 1 / (1 + SNR)
    for level_dB, found in zip(levels_dB, errors.mean(0), strict=True):
        assert float(found) == pytest.approx(
            1 / (1 + 10 ** (level_dB / 10)), rel=0.05
        )  # the nearest level


def test_errors_of_a_box_are_its_own():
    model = best(CosineSchedule(), "v")
    whole = level_errors(model, Boxes(), range(COUNT), [0.0], batch_size=5)
    part = level_errors(model, Boxes(), [7, 3], [0.0])
    torch.testing.assert_close(part, whole[[7, 3]])
    assert not torch.equal(whole, level_errors(model, Boxes(), range(COUNT), [0.0], seed=1))


def test_a_model_that_denoises_nothing_has_none():
    assert level_errors(BlobGenerator(), Boxes(), range(COUNT), [0.0]) is None
