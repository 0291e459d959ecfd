r"""CryoCCD: cycle-consistent conditional diffusion without pairs (TMLR 2026; arXiv 2025 as "v1").

Two noise predictors, ε_AB(x_t, t, [source, mask, ice]) and ε_BA(y_t, t, [source]). Each step draws
one t and one noise n per cycle, and goes there and back by the closed form of one prediction:

    go(ε, s, n) = (x_t − σ_t ε(x_t, t, c)) / α_t,   x_t = α_t s + σ_t n       (x̂0 of DDPM, eq. 15)
    b' = go(ε_AB, a, n_a),  a' = go(ε_BA, b, n_b)
    L_G = λ_GAN mean (D(b') − 1)² + λ_cycle (|go(ε_BA, b', n_a) − a| + |go(ε_AB, a', n_b) − b|)
          + λ_NCE NCE(b', a, mask) + λ_denoise (|ε_AB(b_t, t, a) − n_b|² + |ε_BA(a_t, t, b) − n_a|²)

NCE asks which source patch a generated patch belongs to, against source patches of the other class
of the mask, on the encoder of ε_AB; on the way back and in NCE, mask and ice are empty: all 0, a
value that no ice map has. λ_denoise is 0 in the TMLR algorithm and 1 in v1. At test the source is
noised to the last level and denoised by any sampler.

What differs from the paper's public description: the condition is concatenated pixel by pixel
(`nn.conditional_unet`), the ice is a part of it, the corrector is diffusers' UniPC, scales are
constants of the training set, NCE reads the stem and the levels (there the first five residual
blocks), and in v1 the images of GAN, cycle and NCE are the one-step ones through which gradients
flow (there they come from a sampler without any). A network that sees the source can tell the noise
from it, so the cycle no longer fixes the sum of both predictions, as it does where it is blind.
"""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn

from cryoccd.diffusion.sampler import Sampler
from cryoccd.diffusion.schedule import NoiseSchedule
from cryoccd.losses.lsgan import discriminator_loss, generator_loss
from cryoccd.losses.mask_contrast import MaskContrast
from cryoccd.methods.noise_prediction import (
    denoising_error,
    level_of,
    one_step,
    tiled_predictor,
)
from cryoccd.methods.trained import TrainedTranslator
from cryoccd.nn.conditional_unet import ConditionalUNet
from cryoccd.nn.feature_head import FeatureHead
from cryoccd.randomness import levels_of, noise_like
from cryoccd.records import UnpairedBatch

Condition = Literal["source", "mask", "ice"]


class CryoCCD(TrainedTranslator):
    """Cycle diffusion; presets are configurations.

    Args:
        forward_net: ε_AB, with a channel for each of conditions.
        backward_net: ε_BA, with one.
        discriminator: images to logits.
        head: one MLP for each feature level of forward_net, the stem first.
        schedule: noise levels of the training.
        sampler: how images are made of predictions at test.
        conditions: what ε_AB is told.
        lambda_gan: weight of the adversarial loss.
        lambda_cycle: weight of both cycles.
        lambda_nce: weight of the contrastive loss.
        lambda_denoise: weight of both denoising losses.
        n_points: points of each class sampled from each mask.
        temperature: τ of the contrastive loss.
        trained: arguments of TrainedTranslator.

    Raises:
        CryoccdError: a number out of its range, or networks that do not fit together.
    """

    def __init__(
        self,
        forward_net: ConditionalUNet,
        backward_net: ConditionalUNet,
        discriminator: nn.Module,
        head: FeatureHead,
        schedule: NoiseSchedule,
        sampler: Sampler,
        conditions: Sequence[Condition] = ("source", "mask", "ice"),
        lambda_gan: float = 1.0,
        lambda_cycle: float = 3.0,
        lambda_nce: float = 5.0,
        lambda_denoise: float = 0.0,
        n_points: int = 256,
        temperature: float = 0.07,
        **trained: Any,
    ) -> None:
        super().__init__(**trained)
        for net, wanted, field in (
            (forward_net, len(conditions), "forward_net"),
            (backward_net, 1, "backward_net"),
        ):
            given = net.n_conditions
            self.require(f"{field}.n_conditions", given, given == wanted, str(wanted))
        weights = (lambda_gan, lambda_cycle, lambda_nce, lambda_denoise)
        self.require(
            "lambda_*", weights, min(weights) >= 0 < max(weights), "none below 0, one above"
        )
        self.require(
            "conditions", conditions, len(set(conditions)) == len(conditions), "each name once"
        )
        levels = forward_net.feature_widths[: len(head.channels)]
        self.require("head.channels", head.channels, head.channels == levels, str(levels))
        sampler.check(schedule)
        self.tiles(forward_net.align_px)
        self.forward_net, self.backward_net = forward_net, backward_net
        self.discriminator, self.head = discriminator, head
        self.schedule, self.sampler, self.conditions = schedule, sampler, tuple(conditions)
        self.lambda_gan, self.lambda_cycle = lambda_gan, lambda_cycle
        self.lambda_nce, self.lambda_denoise = lambda_nce, lambda_denoise
        self.contrast = MaskContrast(n_points, temperature)

    def networks(self) -> dict[str, list[nn.Module]]:
        """Both predictors and F together; D alone."""
        return {
            "generator": [self.forward_net, self.backward_net, self.head],
            "discriminator": [self.discriminator],
        }

    def losses(self, batch: UnpairedBatch, generators: list[torch.Generator]) -> dict[str, Tensor]:
        """One step of both predictors and F, then one of D."""
        a, b = self.source(batch.clean, batch.ice, generators), self.real_input(batch.real)
        terms, generated = self.generator_losses(a, b, batch, generators)
        weights = {
            "gan": self.lambda_gan,
            "cycle": self.lambda_cycle,
            "nce": self.lambda_nce,
            "denoise": self.lambda_denoise,
        }
        self.descend("generator", torch.stack([weights[k] * v for k, v in terms.items()]).sum())

        loss_d = discriminator_loss(self.discriminator, generated, b)
        self.descend("discriminator", loss_d)
        return terms | {"discriminator": loss_d}

    def generator_losses(
        self, a: Tensor, b: Tensor, batch: UnpairedBatch, generators: list[torch.Generator]
    ) -> tuple[dict[str, Tensor], Tensor]:
        """The terms whose weight is not 0, unweighted, and b'.

        Args:
            a: (b, 1, h, w) sources.
            b: (b, 1, h, w) real images as the networks see them.
            batch: mask, ice and style of a.
            generators: one for each image.
        """
        forward, backward, schedule = self.forward_net, self.backward_net, self.schedule
        style, empty = batch.style, torch.zeros_like(a)
        t = levels_of(generators, schedule.steps, a.device)
        n_a, n_b = noise_like(a, generators), noise_like(b, generators)
        condition = self.condition(a, batch.mask, batch.ice)
        generated = one_step(forward, schedule, a, condition, t, n_a, style)

        terms = {}
        if self.lambda_gan:
            terms["gan"] = generator_loss(self.discriminator, generated)
        if self.lambda_cycle:
            back = one_step(backward, schedule, generated, generated, t, n_a, style)
            a_of_b = one_step(backward, schedule, b, b, t, n_b, style)
            unmasked = self.condition(a_of_b, empty, empty)
            forth = one_step(forward, schedule, a_of_b, unmasked, t, n_b, style)
            terms["cycle"] = (back - a).abs().mean() + (forth - b).abs().mean()
        if self.lambda_nce:
            query, key = self.features(generated, style), self.features(a, style)
            terms["nce"] = self.contrast(self.head, query, key, batch.mask, generators)
        if self.lambda_denoise:
            of_b = denoising_error(forward, schedule, b, condition, t, n_b, style)
            of_a = denoising_error(backward, schedule, a, b, t, n_a, style)
            terms["denoise"] = of_b + of_a
        return terms, generated

    def condition(self, source: Tensor, mask: Tensor, ice: Tensor) -> Tensor:
        """(b, c, h, w) what ε_AB is told, in the order of `conditions`."""
        fields = {"source": source, "mask": mask, "ice": ice}
        return torch.cat([fields[name].to(source) for name in self.conditions], 1)

    def features(self, image: Tensor, style: Tensor) -> list[Tensor]:
        """Encoder features of an image alone: at the first level, with an empty condition."""
        first = level_of(torch.zeros(len(image), device=image.device), self.schedule)
        empty = image.new_zeros(len(image), len(self.conditions), *image.shape[2:])
        levels = len(self.head.channels)
        return self.forward_net.encode(image, first, empty, style, levels)

    def render(
        self,
        source: Tensor,
        mask: Tensor,
        ice: Tensor,
        style: Tensor,
        generators: list[torch.Generator],
    ) -> Tensor:
        """See `TrainedTranslator.render`; each prediction is tiled, the sampler sees the whole."""
        condition = self.condition(source, mask, ice)
        tiles = self.tiles(self.forward_net.align_px)
        predict = tiled_predictor(self.forward_net, self.schedule, condition, style, tiles)
        return self.sampler(predict, source, self.schedule, generators).clamp(-1, 1)
