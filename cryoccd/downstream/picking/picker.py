"""The fast picker: a small U-Net that paints a heat map, and the peaks of it."""

from math import cos, pi
from typing import Any

import lightning as L
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from cryoccd.downstream.picking.base import EXCLUSION, Picker
from cryoccd.downstream.picking.config import PickerConfig
from cryoccd.downstream.picking.front import Front
from cryoccd.downstream.picking.heat_map import heat_map_loss
from cryoccd.downstream.picking.peaks import find_peaks
from cryoccd.downstream.picking.unet import HeatMapNet
from cryoccd.errors import CryoccdError
from cryoccd.metrics.picking.picks import Picks
from cryoccd.randomness import item_seed


class HeatMapPicker(L.LightningModule, Picker):
    """Learns where particles are from crops and heat maps (see PickingDataModule).

    Scores are the heat, between 0 and 1.

    Args:
        config: how it is trained.
        particle_diameter_A: diameter of the particles, which sets the scale of what it sees.
        seed: of the starting weights.
    """

    def __init__(self, config: PickerConfig, particle_diameter_A: float, seed: int = 0) -> None:
        super().__init__()
        self.config, self.particle_diameter_A = config, particle_diameter_A
        self.front = Front(particle_diameter_A, config.diameter_px)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(item_seed(seed, "picker"))
            self.net = HeatMapNet()

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        """Loss of a batch of crops and heat maps.

        Raises:
            CryoccdError: it is not finite.
        """
        loss = self._loss(batch)
        if not bool(loss.detach().isfinite()):
            raise CryoccdError(
                f"picker: the loss is not finite at step {batch_idx}, with learning_rate = "
                f"{self.config.learning_rate:g}; lower it"
            )
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> None:
        """Log the loss."""
        self.log("validation_loss", self._loss(batch), batch_size=len(batch[0]))

    def configure_optimizers(self) -> Any:
        """AdamW; its rate rises over a tenth of the budget and falls as a cosine to 0."""
        optimizer = AdamW(self.net.parameters(), self.config.learning_rate, weight_decay=1e-2)
        schedule = LambdaLR(optimizer, self._rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _rate(self, step: int) -> float:
        rise = 0.1 * self.config.iterations
        if step < rise:
            return (step + 1) / (rise + 1)
        return 0.5 + 0.5 * cos(pi * min(1, (step - rise) / (self.config.iterations - rise)))

    def pick(self, image: NDArray[np.float32], pixel_size_A: float) -> Picks:
        """See `Picker.pick`."""
        seen, grid = self.front.see(image, pixel_size_A)
        peaks = find_peaks(self.logits(seen), EXCLUSION * self.front.diameter_px)
        # in double precision, so that sure picks do not tie at 1
        return Picks(grid.to_full(peaks.positions_px), 1 / (1 + np.exp(-peaks.scores)))

    @torch.no_grad()
    def logits(self, seen: Tensor) -> Tensor:
        """(h, w) logits of the heat map, on the CPU."""
        logits: Tensor = self.net(seen[None, None].to(self.device))[0, 0]
        return logits.float().cpu()

    def _loss(self, batch: tuple[Tensor, Tensor]) -> Tensor:
        crops, targets = batch
        return heat_map_loss(self.net(crops), targets, self.config.positive_weight)
