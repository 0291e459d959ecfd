"""What every trained translator shares: budget, optimizers, seeds, steps and tiles.

Each loss has one optimizer for all networks that it trains: Adam works element by element, so this
is the same as one a network, and mixed precision scales each loss by one factor. The rate stays
constant and then falls linearly to 0, counted in images. Randomness is drawn per image from the
seed and the number of the image, so that one process and several see the same.
"""

from abc import abstractmethod
from typing import Any

import torch
from lightning.pytorch.cli import OptimizerCallable
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.optim import Optimizer

from cryoccd.errors import CryoccdError
from cryoccd.methods.finite import require_finite
from cryoccd.methods.front_end import PhysicsFrontEnd
from cryoccd.nn.tiling import check_tiles
from cryoccd.randomness import image_generators, item_seed
from cryoccd.records import UnpairedBatch


class _Shared:
    """A factory that copies of a model share: what the command line makes cannot be copied."""

    def __init__(self, make: OptimizerCallable) -> None:
        self.make = make

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Shared":
        return self


class TrainedTranslator(PhysicsFrontEnd):
    """Base of the methods that train networks, in manual optimization.

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

    accumulate_batches = 1
    """Batches whose mean gradient makes a step; set by the Optimisation callback."""

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
        super().__init__(**front_end)
        if min(constant_images, decay_images) < 0 or constant_images + decay_images == 0:
            raise CryoccdError(
                f"{self.label}: constant_images = {constant_images}, decay_images = "
                f"{decay_images}; expected a sum above 0 and neither below 0"
            )
        self.automatic_optimization = False
        self.optimizer = _Shared(optimizer)
        self.constant_images, self.decay_images = constant_images, decay_images
        self.max_images = constant_images + decay_images
        self.tile_px, self.overlap_px, self.seed = tile_px, overlap_px, seed

    @abstractmethod
    def networks(self) -> dict[str, list[nn.Module]]:
        """The networks that each loss trains, by the name of the loss."""

    @abstractmethod
    def losses(self, batch: UnpairedBatch, generators: list[torch.Generator]) -> dict[str, Tensor]:
        """One training step: `descend` on each loss; what it gives is logged.

        Args:
            batch: the crops.
            generators: one for each image.
        """

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

    def training_step(self, batch: UnpairedBatch, batch_idx: int) -> None:
        """One step on each loss; the logged losses are means over the processes."""
        self._batch, self._batch_idx = batch, batch_idx
        if batch_idx % self.accumulate_batches == 0:  # one rate for all batches of a step
            self._rate = self.rate_factor()
            for optimizer in self._optimizers().values():
                for group in optimizer.param_groups:
                    group["lr"] = group["initial_lr"] * self._rate
        losses = self.losses(batch, self.training_generators(len(batch)))
        self.log_dict(
            {f"train/loss_{name}": loss.detach() for name, loss in losses.items()},
            batch_size=len(batch),
            sync_dist=True,
        )
        self.log("train/rate_factor", self._rate, batch_size=len(batch))

    def descend(self, name: str, loss: Tensor) -> None:
        """Gradient of one loss, and a step of its optimizer after the last batch of its group.

        The last group of an epoch may have fewer batches; each weighs as much as another.

        Raises:
            CryoccdError: the loss is not finite; the batch is saved in the run's folder.
        """
        require_finite(self, name, loss.detach(), self._batch)
        optimizer = self._optimizers()[name]
        first = self._batch_idx - self._batch_idx % self.accumulate_batches
        end = min(first + self.accumulate_batches, self.trainer.num_training_batches)
        if self._batch_idx == first:
            optimizer.zero_grad()
        self.manual_backward(loss / (end - first))
        if self._batch_idx + 1 == end:
            optimizer.step()

    def training_generators(self, count: int) -> list[torch.Generator]:
        """Generators of this process's images of a batch, by their number in the whole batch."""
        ranks, rank = self.trainer.world_size, self.global_rank
        numbers = (self.images_seen + i * ranks + rank for i in range(count))
        return [
            torch.Generator().manual_seed(item_seed(self.seed, "train", number))
            for number in numbers
        ]

    def rate_factor(self) -> float:
        """Learning rate over its start: 1 for constant_images, then linear to 0."""
        decayed = max(0, self.images_seen - self.constant_images)
        return max(0.0, 1 - decayed / max(self.decay_images, 1))

    def on_train_start(self) -> None:
        """Refuse to train on unscaled input."""
        self.require_calibration()

    def configure_optimizers(self) -> list[Optimizer]:  # type: ignore[override]
        """One optimizer a loss; starting rates are kept beside the decayed ones.

        Raises:
            CryoccdError: the optimizer refuses its settings.
        """
        try:
            optimizers = [
                self.optimizer.make([p for network in networks for p in network.parameters()])
                for networks in self.networks().values()
            ]
        except (ValueError, TypeError) as error:
            raise CryoccdError(f"{self.label}: optimizer: {error}") from error
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group.setdefault("initial_lr", group["lr"])
        return optimizers

    def tiles(self, align_px: int) -> tuple[int, int, int]:
        """tile_px, overlap_px and align_px for `translate_tiled`.

        Raises:
            CryoccdError: sizes that do not fit together.
        """
        check_tiles(self.tile_px, self.overlap_px, align_px)
        return self.tile_px, self.overlap_px, align_px

    def _optimizers(self) -> dict[str, LightningOptimizer]:
        made = self.optimizers()
        several = made if isinstance(made, list) else [made]
        wrapped = [each for each in several if isinstance(each, LightningOptimizer)]
        return dict(zip(self.networks(), wrapped, strict=True))
