"""What every trained method shares: budget, optimizers, seeds and steps.

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
from cryoccd.methods.fittable import Fittable
from cryoccd.randomness import item_seed


class _Shared:
    """A factory that copies of a model share: what the command line makes cannot be copied."""

    def __init__(self, make: OptimizerCallable) -> None:
        self.make = make

    def __deepcopy__(self, memo: dict[int, Any]) -> "_Shared":
        return self


class Trained(Fittable):
    """Base of the methods that train networks, in manual optimization.

    Args:
        optimizer: makes one optimizer for each loss.
        constant_images: training images at the full learning rate.
        decay_images: training images after that, while the rate falls linearly to 0.
        seed: seed of all randomness of the training.
        others: arguments of what stands beside this base.

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
        seed: int = 0,
        **others: Any,
    ) -> None:
        super().__init__(**others)
        if min(constant_images, decay_images) < 0 or constant_images + decay_images == 0:
            raise CryoccdError(
                f"{self.label}: constant_images = {constant_images}, decay_images = "
                f"{decay_images}; expected a sum above 0 and neither below 0"
            )
        self.automatic_optimization = False
        self.optimizer = _Shared(optimizer)
        self.constant_images, self.decay_images = constant_images, decay_images
        self.max_images = constant_images + decay_images
        self.seed = seed

    @abstractmethod
    def networks(self) -> dict[str, list[nn.Module]]:
        """The networks that each loss trains, by the name of the loss."""

    @abstractmethod
    def losses(self, batch: Any, generators: list[torch.Generator]) -> dict[str, Tensor]:
        """One training step: `descend` on each loss; what it gives is logged.

        Args:
            batch: the training images.
            generators: one for each image.
        """

    def training_step(self, batch: Any, batch_idx: int) -> None:
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

    def configure_optimizers(self) -> list[Optimizer]:
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

    def _optimizers(self) -> dict[str, LightningOptimizer]:
        made = self.optimizers()
        several = made if isinstance(made, list) else [made]
        wrapped = [each for each in several if isinstance(each, LightningOptimizer)]
        return dict(zip(self.networks(), wrapped, strict=True))
