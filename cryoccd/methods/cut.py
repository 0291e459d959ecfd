r"""CUT and FastCUT: one-sided contrastive translation (Park et al. 2020, arXiv:2007.15651).

    L_D = ½ [mean D(G(s))² + mean (D(real) − 1)²]
    L_G = λ_GAN mean (D(G(s)) − 1)² + λ_NCE · NCE(G(s), s)                        FastCUT
    L_G = λ_GAN mean (D(G(s)) − 1)² + λ_NCE · ½ [NCE(G(s), s) + NCE(G(real), real)]   CUT

s is the noisy physical image of `methods.front_end`: the generator is deterministic, so that noise
is all the randomness it has. FastCUT mirrors half of the sources, and asks that the features of the
result, mirrored back, match the source's as it was. Each step trains D first, then G and F.
"""

from typing import Any

import torch
from torch import Tensor, nn

from cryoccd.losses.lsgan import discriminator_loss, generator_loss
from cryoccd.losses.patch_contrast import PatchContrast
from cryoccd.methods.trained import TrainedTranslator
from cryoccd.nn.feature_head import FeatureHead
from cryoccd.nn.resnet_generator import ResnetGenerator
from cryoccd.nn.tiling import translate_tiled
from cryoccd.records import UnpairedBatch


class CUT(TrainedTranslator):
    """Unpaired GAN that keeps each patch recognisable among those of its own image.

    Args:
        generator: source to image, with the encoder that gives the features.
        discriminator: images to logits.
        head: one MLP for each feature level of the generator.
        lambda_gan: weight of the adversarial loss.
        lambda_nce: weight of the contrastive loss.
        identity: contrast G(real) with real too, and take the mean of both.
        mirror: mirror half of the sources for the generator alone.
        n_points: points of each level.
        temperature: τ of the contrastive loss.
        trained: arguments of TrainedTranslator.

    Raises:
        CryoccdError: a number out of its range, or a head that does not fit the generator.
    """

    def __init__(
        self,
        generator: ResnetGenerator,
        discriminator: nn.Module,
        head: FeatureHead,
        lambda_gan: float = 1.0,
        lambda_nce: float = 1.0,
        identity: bool = True,
        mirror: bool = False,
        n_points: int = 256,
        temperature: float = 0.07,
        **trained: Any,
    ) -> None:
        super().__init__(**trained)
        levels = generator.widths[: len(head.channels)]
        self.require("head.channels", head.channels, head.channels == levels, str(levels))
        self.tiles(generator.stride)
        self.generator, self.discriminator, self.head = generator, discriminator, head
        self.lambda_gan, self.lambda_nce = lambda_gan, lambda_nce
        self.identity, self.mirror = identity, mirror
        self.contrast = PatchContrast(n_points, temperature)

    def networks(self) -> dict[str, list[nn.Module]]:
        """D alone; G and F together."""
        return {"discriminator": [self.discriminator], "generator": [self.generator, self.head]}

    def losses(self, batch: UnpairedBatch, generators: list[torch.Generator]) -> dict[str, Tensor]:
        """One step of D, then one of G and F."""
        source = self.source(batch.clean, batch.ice, generators)
        real = self.real_input(batch.real)
        mirrored = self._mirrored(generators, source)
        generated = self.generator(_flip(source, mirrored)).float()
        loss_d = discriminator_loss(self.discriminator, generated, real)
        self.descend("discriminator", loss_d)

        terms = {"gan": generator_loss(self.discriminator, generated)}
        terms["nce"] = self.contrastive_loss(source, generated, mirrored, generators)
        loss_nce = terms["nce"]
        if self.identity:
            kept = self.generator(real).float()
            terms["identity"] = self.contrastive_loss(
                real, kept, torch.zeros_like(mirrored), generators
            )
            loss_nce = (terms["nce"] + terms["identity"]) / 2
        self.descend("generator", self.lambda_gan * terms["gan"] + self.lambda_nce * loss_nce)
        return terms | {"discriminator": loss_d}

    def contrastive_loss(
        self,
        source: Tensor,
        generated: Tensor,
        mirrored: Tensor,
        generators: list[torch.Generator],
    ) -> Tensor:
        """PatchNCE of generated images (b, 1, h, w), of which some are mirror images; scalar."""
        n_levels = len(self.head.channels)
        features = [_flip(f, mirrored) for f in self.generator.encode(generated, n_levels)]
        keys = self.generator.encode(source, n_levels)
        return self.contrast(self.head, features, keys, generators)

    def render(
        self,
        source: Tensor,
        mask: Tensor,
        ice: Tensor,
        style: Tensor,
        generators: list[torch.Generator],
    ) -> Tensor:
        """See `TrainedTranslator.render`."""
        return translate_tiled(self.generator, source, *self.tiles(self.generator.stride))

    def _mirrored(self, generators: list[torch.Generator], image: Tensor) -> Tensor:
        """(b,) bool, half of them where `mirror` is set."""
        if not self.mirror:
            return torch.zeros(len(image), dtype=torch.bool, device=image.device)
        draws = [torch.randint(2, (1,), generator=each, device=each.device) for each in generators]
        return torch.cat(draws).bool().to(image.device)


def _flip(images: Tensor, mirrored: Tensor) -> Tensor:
    """Images (b, c, h, w), those of (b,) mirrored from left to right."""
    return torch.where(mirrored[:, None, None, None], images.flip(-1), images)
