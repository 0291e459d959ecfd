"""What the diffusion methods do with a noise predictor: one step, its error, whole micrographs."""

from collections.abc import Callable

import torch
from torch import Tensor

from cryoccd.diffusion.schedule import NoiseSchedule
from cryoccd.errors import CryoccdError
from cryoccd.nn.conditional_unet import ConditionalUNet
from cryoccd.nn.tiling import translate_tiled

CLIP = 3.0
"""Real images are cut at this many range_sd before a diffusion sees them, against hot pixels."""


def level_of(t: Tensor, schedule: NoiseSchedule) -> Tensor:
    """(b,) place of t in the schedule, in (0, 1], as the networks take it."""
    return (t.float() + 1) / schedule.steps


def one_step(
    net: ConditionalUNet,
    schedule: NoiseSchedule,
    start: Tensor,
    condition: Tensor,
    t: Tensor,
    noise: Tensor,
    style: Tensor,
) -> Tensor:
    """x̂0 (b, 1, h, w) of `start` noised to t: (x_t − σ_t ε(x_t, t, condition)) / α_t."""
    noised = schedule.add_noise(start, noise, t)
    predicted = net(noised, level_of(t, schedule), condition, style).float()
    return schedule.clean_of(noised, predicted, t)


def denoising_error(
    net: ConditionalUNet,
    schedule: NoiseSchedule,
    image: Tensor,
    condition: Tensor,
    t: Tensor,
    noise: Tensor,
    style: Tensor,
) -> Tensor:
    """Mean |ε(x_t, t, condition) − n|² (Ho et al. 2020, arXiv:2006.11239, eq. 14); scalar."""
    noised = schedule.add_noise(image, noise, t)
    predicted = net(noised, level_of(t, schedule), condition, style).float()
    error: Tensor = (predicted - noise).square().mean()
    return error


def tiled_predictor(
    net: ConditionalUNet,
    schedule: NoiseSchedule,
    condition: Tensor,
    style: Tensor,
    tiles: tuple[int, int, int],
) -> Callable[[Tensor, Tensor], Tensor]:
    """ε(x_t, t) of whole micrographs under a fixed condition.

    Each prediction is tiled and blended, and the sampler sees the whole: what is random is drawn
    once for a micrograph, and no seam can grow from one step to the next.

    Args:
        net: the predictor.
        schedule: its noise levels.
        condition: (b, c, h, w).
        style: (b,) index of the acquisition style.
        tiles: tile_px, overlap_px, align_px of `translate_tiled`.

    Raises:
        CryoccdError: the network knows several styles, and not this one.
    """
    last = net.style.num_embeddings - 1
    if last and not 0 <= int(style.max()) <= last:
        raise CryoccdError(f"style = {int(style.max())}, expected 0 to {last}, those trained on")

    def predict(noised: Tensor, t: Tensor) -> Tensor:
        level = level_of(t, schedule)
        fields = torch.cat([noised, condition], 1)
        return translate_tiled(
            lambda tile: net(tile[:, :1], level, tile[:, 1:], style), fields, *tiles
        )

    return predict
