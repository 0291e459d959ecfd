"""SDEdit: noise the physical image to a level, denoise it as a real one (Meng et al., ICLR 2022).

arXiv:2108.01073, algorithm 1, with a DDPM of the real domain. The level is the whole trade: above
it the texture is the model's, below it the source's, and the weak particles go with their noise.
Eschweiler et al. (PLoS CB 2024) make training data so, starting at 400 of 1000 levels.
"""

from typing import Any

import torch
from torch import Tensor, nn

from cryoccd.diffusion.sampler import Sampler
from cryoccd.diffusion.schedule import NoiseSchedule
from cryoccd.methods.noise_prediction import CLIP, denoising_error, tiled_predictor
from cryoccd.methods.trained import TrainedTranslator
from cryoccd.nn.conditional_unet import ConditionalUNet
from cryoccd.randomness import levels_of, noise_like
from cryoccd.records import UnpairedBatch


class SDEdit(TrainedTranslator):
    """One diffusion of the real domain.

    Args:
        net: the noise predictor, without conditions.
        schedule: noise levels of the training.
        sampler: its `start` is the level to which the source is noised.
        trained: arguments of TrainedTranslator.

    Raises:
        CryoccdError: a number out of its range, or a network with conditions.
    """

    def __init__(
        self, net: ConditionalUNet, schedule: NoiseSchedule, sampler: Sampler, **trained: Any
    ) -> None:
        super().__init__(**trained)
        self.require("net.n_conditions", net.n_conditions, net.n_conditions == 0, "0")
        sampler.check(schedule)
        self.tiles(net.align_px)
        self.net, self.schedule, self.sampler = net, schedule, sampler

    def networks(self) -> dict[str, list[nn.Module]]:
        """The one network."""
        return {"denoise": [self.net]}

    def losses(self, batch: UnpairedBatch, generators: list[torch.Generator]) -> dict[str, Tensor]:
        """One step on real images."""
        real = self.real_input(batch.real, CLIP)
        t = levels_of(generators, self.schedule.steps, real.device)
        noise = noise_like(real, generators)
        loss = denoising_error(self.net, self.schedule, real, real[:, :0], t, noise, batch.style)
        self.descend("denoise", loss)
        return {"denoise": loss}

    def render(
        self,
        source: Tensor,
        mask: Tensor,
        ice: Tensor,
        style: Tensor,
        generators: list[torch.Generator],
    ) -> Tensor:
        """See `TrainedTranslator.render`; each prediction is tiled, the sampler sees the whole."""
        tiles = self.tiles(self.net.align_px)
        predict = tiled_predictor(self.net, self.schedule, source[:, :0], style, tiles)
        return self.sampler(predict, source, self.schedule, generators)
