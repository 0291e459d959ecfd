"""What every trained translator has besides its training: whole micrographs, in tiles."""

from abc import abstractmethod
from typing import Any

import torch
from lightning.pytorch.cli import OptimizerCallable
from torch import Tensor

from cryoccd.methods.front_end import PhysicsFrontEnd
from cryoccd.methods.training import Trained
from cryoccd.nn.tiling import check_tiles
from cryoccd.randomness import image_generators


class TrainedTranslator(Trained, PhysicsFrontEnd):
    """Base of the translators that train networks.

    Args:
        optimizer: makes one optimizer for each loss.
        constant_images: training images at the full learning rate.
        decay_images: training images after that, while the rate falls linearly to 0.
        tile_px: largest side translated in one pass.
        overlap_px: least overlap of tiles.
        seed: seed of all randomness of the training.
        front_end: arguments of PhysicsFrontEnd.

    Raises:
        CryoccdError: a number out of its range.
    """

    def __init__(
        self,
        optimizer: OptimizerCallable,
        constant_images: int,
        decay_images: int,
        tile_px: int = 1024,
        overlap_px: int = 256,
        seed: int = 0,
        **front_end: Any,
    ) -> None:
        super().__init__(optimizer, constant_images, decay_images, seed, **front_end)
        self.tile_px, self.overlap_px = tile_px, overlap_px

    @abstractmethod
    def render(
        self,
        source: Tensor,
        mask: Tensor,
        ice: Tensor,
        style: Tensor,
        generators: list[torch.Generator],
    ) -> Tensor:
        """Real-looking images (b, 1, h, w) of any h and w, tiled above tile_px, 1 = range_sd.

        Args:
            source: (b, 1, h, w) noisy physical images, see `PhysicsFrontEnd.source`.
            mask: (b, 1, h, w), 1 inside particles.
            ice: (b, 1, h, w) transmission of the ice.
            style: (b,) index of the acquisition style.
            generators: one for each image; the source's noise is drawn from them already.
        """

    @torch.no_grad()
    def translate(
        self, clean: Tensor, mask: Tensor, ice: Tensor, style: Tensor, generator: torch.Generator
    ) -> Tensor:
        """See `Translator.translate`; any h and w."""
        self.require_calibration()
        generators = image_generators(generator, len(clean))
        source = self.source(clean, ice, generators)
        return self.range_sd * self.render(source, mask, ice, style, generators)

    def tiles(self, align_px: int) -> tuple[int, int, int]:
        """tile_px, overlap_px and align_px for `translate_tiled`.

        Raises:
            CryoccdError: sizes that do not fit together.
        """
        check_tiles(self.tile_px, self.overlap_px, align_px)
        return self.tile_px, self.overlap_px, align_px
