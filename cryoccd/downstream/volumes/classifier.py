"""The classifier of boxes: what class is in the middle, and features that tell it.

A box is read in the four turns that keep its missing wedge, and features and probabilities are the
means: the distances of features then do not change when a set is turned.
"""

from math import cos, pi
from typing import Any

import lightning as L
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from cryoccd.downstream.volumes.config import VolumeClassifierConfig
from cryoccd.downstream.volumes.examples import Example
from cryoccd.downstream.volumes.network import VolumeNet
from cryoccd.errors import CryoccdError
from cryoccd.metrics.card import check_pixel_sizes
from cryoccd.metrics.volume import BoxSet, Readings
from cryoccd.randomness import item_seed

_AT_ONCE = 64
_SMOOTHING = 0.05  # of the labels: boxes hold neighbours of other classes too


class VolumeClassifier(L.LightningModule):
    """Learns the classes of real boxes.

    Args:
        config: how it is trained.
        box_px: side of the boxes.
        voxel_size_A: of the boxes.
        classes: their names.
        seed: of the starting weights.
    """

    def __init__(
        self,
        config: VolumeClassifierConfig,
        box_px: int,
        voxel_size_A: float,
        classes: tuple[str, ...],
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.config, self.box_px = config, box_px
        self.voxel_size_A, self.classes = voxel_size_A, classes
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(item_seed(seed, "classifier"))
            self.network = VolumeNet(box_px, len(classes), config.width, config.features)

    def training_step(self, batch: Example, batch_idx: int) -> Tensor:
        """Cross entropy of a batch of boxes and labels.

        Raises:
            CryoccdError: it is not finite.
        """
        volumes, labels = batch
        logits = self.network.head(self.network(volumes))
        loss = cross_entropy(logits, labels, label_smoothing=_SMOOTHING)
        if not bool(loss.detach().isfinite()):
            raise CryoccdError(
                f"classifier: the loss is not finite at step {batch_idx}, with learning_rate = "
                f"{self.config.learning_rate:g}; lower it"
            )
        return loss

    def configure_optimizers(self) -> Any:
        """AdamW; its rate rises over a tenth of the budget and falls as a cosine to 0."""
        optimizer = AdamW(self.network.parameters(), self.config.learning_rate, weight_decay=1e-2)
        schedule = LambdaLR(optimizer, self._rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _rate(self, step: int) -> float:
        rise = 0.1 * self.config.steps
        if step < rise:
            return (step + 1) / (rise + 1)
        return 0.5 + 0.5 * cos(pi * min(1, (step - rise) / (self.config.steps - rise)))

    @torch.no_grad()
    def read(self, boxes: BoxSet) -> Readings:
        """Features and probabilities; those of a box depend on it alone.

        Raises:
            CryoccdError: boxes of other classes, side or voxel size than those trained on.
        """
        self._check(boxes)
        training = self.training
        self.eval()
        features, probabilities = [], []
        for volumes in torch.split(boxes.volumes, _AT_ONCE):
            turned = [volumes.flip(axes) for axes in ((), (1, 2), (1, 3), (2, 3))]
            read = [self.network(each.to(self.device)) for each in turned]
            features.append(torch.stack(read).mean(0).cpu())
            shares = [self.network.head(each).softmax(1) for each in read]
            probabilities.append(torch.stack(shares).mean(0).cpu())
        self.train(training)
        return Readings(torch.cat(features), torch.cat(probabilities))

    def _check(self, boxes: BoxSet) -> None:
        if boxes.classes != self.classes or boxes.box_px != self.box_px:
            raise CryoccdError(
                f"classifier: boxes of {boxes.box_px} voxels of {', '.join(boxes.classes)}, but it "
                f"was trained on {self.box_px} voxels of {', '.join(self.classes)}; train another"
            )
        check_pixel_sizes({"the boxes": boxes.voxel_size_A, "the classifier": self.voxel_size_A})
