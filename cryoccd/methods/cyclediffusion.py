r"""CycleDiffusion: two DDPMs that share their noise (Wu and De la Torre 2023, arXiv:2210.05559).

Trained apart with the same code, ε_A on noisy physical images and ε_B on real ones. At test, with
kept levels t > s > ... and the clean image x_0 of A:

    start    x_t = y_t = √ᾱ_t x_0 + √(1 − ᾱ_t) ξ
    encode   x_s ~ q(x_s | x_t, x_0),   z_t = (x_s − μ_A(x_t)) / σ_t
    decode   y_s = μ_B(y_t) + σ_t z_t;  the last step, to the clean image, has no noise
    refine   noise y_0 to a level again and denoise it with B, η = 1

μ and σ_t are those of the stochastic DDIM with η (Song et al. 2021, arXiv:2010.02502, eq. 12, 16).
Encoder and decoder run in lock-step, so that memory does not grow with the number of steps; σ_t
cancels, y_s = μ_B(y_t) + x_s − μ_A(x_t). With one model for both domains the input comes back.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from cryoccd.diffusion.schedule import NoiseSchedule
from cryoccd.diffusion.stochastic_ddim import Predictor, StochasticDDIM, kept_levels
from cryoccd.methods.noise_prediction import CLIP, denoising_error, tiled_predictor
from cryoccd.methods.trained import TrainedTranslator
from cryoccd.nn.conditional_unet import ConditionalUNet
from cryoccd.randomness import levels_of, noise_like
from cryoccd.records import UnpairedBatch


class CycleDiffusion(TrainedTranslator):
    """Two unconditional diffusions and their common noise.

    Args:
        source_net: ε_A, without conditions.
        real_net: ε_B, without conditions.
        schedule: noise levels of both.
        start: levels that are undone, 1 .. T.
        steps: levels kept of them.
        eta: η of the encoder and decoder, above 0 to 1.
        refine_start: levels noised and undone again with B, 0 for none.
        refine_steps: levels kept of them.
        trained: arguments of TrainedTranslator.

    Raises:
        CryoccdError: a number out of its range, or a network with conditions.
    """

    def __init__(
        self,
        source_net: ConditionalUNet,
        real_net: ConditionalUNet,
        schedule: NoiseSchedule,
        start: int = 850,
        steps: int = 850,
        eta: float = 0.1,
        refine_start: int = 100,
        refine_steps: int = 100,
        **trained: Any,
    ) -> None:
        super().__init__(**trained)
        total = schedule.steps
        self.require("start", start, 1 <= start <= total, f"1 to {total}")
        self.require("steps", steps, 1 <= steps <= start, f"1 to start = {start}")
        self.require("eta", eta, 0 < eta <= 1, "above 0 to 1")
        self.require("refine_start", refine_start, 0 <= refine_start <= total, f"0 to {total}")
        fits = refine_start == 0 or 1 <= refine_steps <= refine_start
        self.require("refine_steps", refine_steps, fits, f"1 to refine_start = {refine_start}")
        for field, net in (("source_net", source_net), ("real_net", real_net)):
            self.require(f"{field}.n_conditions", net.n_conditions, net.n_conditions == 0, "0")
        self.tiles(real_net.align_px)
        self.source_net, self.real_net, self.schedule = source_net, real_net, schedule
        self.start, self.steps, self.eta = start, steps, eta
        self.refine_start, self.refine_steps = refine_start, refine_steps

    def networks(self) -> dict[str, list[nn.Module]]:
        """Two models that know nothing of one another."""
        return {"source": [self.source_net], "real": [self.real_net]}

    def losses(self, batch: UnpairedBatch, generators: list[torch.Generator]) -> dict[str, Tensor]:
        """One step of each model."""
        images = {
            "source": self.source(batch.clean, batch.ice, generators),
            "real": self.real_input(batch.real, CLIP),
        }
        losses = {}
        for name, (net,) in self.networks().items():
            assert isinstance(net, ConditionalUNet)  # see networks
            image = images[name]
            t = levels_of(generators, self.schedule.steps, image.device)
            noise = noise_like(image, generators)
            losses[name] = denoising_error(
                net, self.schedule, image, image[:, :0], t, noise, batch.style
            )
            self.descend(name, losses[name])
        return losses

    def render(
        self,
        source: Tensor,
        mask: Tensor,
        ice: Tensor,
        style: Tensor,
        generators: list[torch.Generator],
    ) -> Tensor:
        """See `TrainedTranslator.render`; each prediction is tiled, the sampler sees the whole."""
        tiles = self.tiles(self.real_net.align_px)
        a, b = (
            tiled_predictor(net, self.schedule, source[:, :0], style, tiles)
            for net in (self.source_net, self.real_net)
        )
        image = self.transfer(source, a, b, generators)
        return self.refine(image, b, generators) if self.refine_start else image

    def transfer(
        self, source: Tensor, a: Predictor, b: Predictor, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """Encode with ε_A and decode with ε_B, step by step.

        Args:
            source: (b, 1, h, w) x_0 of A.
            a: ε_A(x_t, t).
            b: ε_B(x_t, t).
            generators: one for each image.
        """
        levels, ddim = kept_levels(self.start, self.steps), StochasticDDIM(self.schedule, self.eta)
        x = ddim.noised(source, levels[0], noise_like(source, generators))
        y = x
        for t, s in pairwise(levels):
            x_s = ddim.posterior(x, source, t, s, noise_like(x, generators))
            y = ddim.mean(b, y, t, s) + x_s - ddim.mean(a, x, t, s)
            x = x_s
        return ddim.clean(b, y, levels[-1])

    def refine(self, image: Tensor, b: Predictor, generators: Sequence[torch.Generator]) -> Tensor:
        """Noise an image to refine_start and denoise it with ε_B, η = 1."""
        levels, ddim = (
            kept_levels(self.refine_start, self.refine_steps),
            StochasticDDIM(self.schedule, 1.0),
        )
        y = ddim.noised(image, levels[0], noise_like(image, generators))
        for t, s in pairwise(levels):
            y = ddim.mean(b, y, t, s) + ddim.sd(t, s) * noise_like(y, generators)
        return ddim.clean(b, y, levels[-1])
