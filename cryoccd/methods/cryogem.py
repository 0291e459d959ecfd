r"""CryoGEM: contrastive translation with a physics front end (Zhang et al., arXiv:2312.02235).

    L_D = ½ [mean D(G(s))² + mean (D(real) − 1)²]
    L_G = λ_GAN mean (D(G(s)) − 1)² + λ_NCE mean over levels of NCE_level(s, G(s), mask)

s is the noisy physical image of `methods.front_end`. NCE is the mask-guided PatchNCE of
`cryoccd.losses.mask_patch_nce`, on the features that the generator's own encoder gives of s and of
G(s). Each step trains D first, then G and the head F.

What differs from the paper's code, beside the front end: the noise is drawn for a whole micrograph
before it is tiled, features stop at the encoder's last used level, and the rate decays by images,
not by epochs.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cryoccd.losses.lsgan import discriminator_loss, generator_loss
from cryoccd.losses.mask_contrast import MaskContrast
from cryoccd.methods.trained import TrainedTranslator
from cryoccd.nn.feature_head import FeatureHead
from cryoccd.nn.tiling import translate_tiled
from cryoccd.nn.unet_generator import UNetGenerator
from cryoccd.records import UnpairedBatch


class CryoGEM(TrainedTranslator):
    """Unpaired GAN that keeps particles where they are by contrast of features.

    Args:
        generator: source to image, with the encoder that gives the features.
        discriminator: images to logits.
        head: one MLP for each of nce_levels; its channels are the generator's widths there.
        lambda_gan: weight of the adversarial loss.
        lambda_nce: weight of the contrastive loss.
        nce_levels: generator levels, 1 = the finest, whose features are contrasted.
        n_points: points of each class sampled from each mask.
        temperature: τ of the contrastive loss.
        trained: arguments of TrainedTranslator.

    Raises:
        CryoccdError: a number out of its range, or a head that does not fit the generator.
    """

    def __init__(
        self,
        generator: UNetGenerator,
        discriminator: nn.Module,
        head: FeatureHead,
        lambda_gan: float = 1.0,
        lambda_nce: float = 10.0,
        nce_levels: Sequence[int] = (1, 2, 3, 4, 5),
        n_points: int = 256,
        temperature: float = 0.07,
        **trained: Any,
    ) -> None:
        super().__init__(**trained)
        known = bool(nce_levels) and set(nce_levels) <= set(range(1, generator.depth + 1))
        self.require("nce_levels", list(nce_levels), known, f"levels 1 to {generator.depth}")
        widths = tuple(generator.widths[level - 1] for level in nce_levels)
        self.require("head.channels", head.channels, head.channels == widths, str(widths))
        self.align_px = min(2**generator.depth, self.overlap_px)  # a deep one sees it all at once
        self.tiles(self.align_px)
        self.generator, self.discriminator, self.head = generator, discriminator, head
        self.lambda_gan, self.lambda_nce = lambda_gan, lambda_nce
        self.nce_levels = tuple(nce_levels)
        self.contrast = MaskContrast(n_points, temperature)

    def networks(self) -> dict[str, list[nn.Module]]:
        """D alone; G and F together."""
        return {"discriminator": [self.discriminator], "generator": [self.generator, self.head]}

    def losses(self, batch: UnpairedBatch, generators: list[torch.Generator]) -> dict[str, Tensor]:
        """One step of D, then one of G and F."""
        source = self.source(batch.clean, batch.ice, generators)
        real = self.real_input(batch.real)
        generated = self.generator(source).float()
        loss_d = discriminator_loss(self.discriminator, generated, real)
        self.descend("discriminator", loss_d)

        loss_gan = generator_loss(self.discriminator, generated)
        loss_nce = self.contrastive_loss(source, generated, batch.mask, generators)
        self.descend("generator", self.lambda_gan * loss_gan + self.lambda_nce * loss_nce)
        return {"discriminator": loss_d, "gan": loss_gan, "nce": loss_nce}

    def contrastive_loss(
        self,
        source: Tensor,
        generated: Tensor,
        mask: Tensor,
        generators: Sequence[torch.Generator],
    ) -> Tensor:
        """Mask-guided PatchNCE, mean over levels and over the images that have both classes."""
        encoded = (self.generator.encode(i, max(self.nce_levels)) for i in (source, generated))
        of_source, of_generated = ([e[level - 1] for level in self.nce_levels] for e in encoded)
        return self.contrast(self.head, of_source, of_generated, mask, generators)

    def render(
        self,
        source: Tensor,
        mask: Tensor,
        ice: Tensor,
        style: Tensor,
        generators: list[torch.Generator],
    ) -> Tensor:
        """See `TrainedTranslator.render`."""
        return translate_tiled(self.generator, source, *self.tiles(self.align_px))
