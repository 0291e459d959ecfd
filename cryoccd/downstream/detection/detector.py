"""The detector: where in a tomogram the particles of each class are."""

from collections.abc import Mapping
from typing import Any

import lightning as L
import torch
from torch import Tensor
from torch.optim import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from cryoccd.downstream.detection.config import DetectorConfig
from cryoccd.downstream.detection.examples import Example
from cryoccd.downstream.detection.heat import focal_loss
from cryoccd.downstream.detection.network import STRIDE, DetectorNet
from cryoccd.downstream.detection.peaks import find_peaks
from cryoccd.downstream.detection.scaled import ScaledTomogram
from cryoccd.downstream.detection.thresholds import FLOOR, Candidates, Points
from cryoccd.downstream.detection.windows import heat_of
from cryoccd.errors import CryoccdError
from cryoccd.io.tomograms import Tomogram
from cryoccd.metrics.card import check_pixel_sizes
from cryoccd.randomness import item_seed

_RISE = 0.1  # share of the steps over which the learning rate rises


class Detector(L.LightningModule):
    """Learns heat maps, and finds peaks in them.

    Args:
        config: how it is trained.
        voxel_size_A: of the tomograms.
        radii_A: of each class, in the order of the labels.
        seed: of the starting weights.
        thresholds: heat of each class from which a peak is a pick.
    """

    def __init__(
        self,
        config: DetectorConfig,
        voxel_size_A: float,
        radii_A: Mapping[str, float],
        seed: int = 0,
        thresholds: Mapping[str, float] | None = None,
    ) -> None:
        super().__init__()
        self.config, self.voxel_size_A = config, voxel_size_A
        self.radii_A, self.classes = dict(radii_A), tuple(radii_A)
        self.thresholds = dict(thresholds or {})
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(item_seed(seed, "detector"))
            self.network = DetectorNet(len(radii_A), config.width)

    @property
    def sigmas_px(self) -> list[float]:
        """Of the Gaussians of each class, in voxels; of half a cell at least."""
        sizes = (self.config.sigma * radius_A for radius_A in self.radii_A.values())
        return [max(size_A / self.voxel_size_A, STRIDE / 2) for size_A in sizes]

    def training_step(self, batch: Example, batch_idx: int) -> Tensor:
        """Focal loss of a batch of crops.

        Raises:
            CryoccdError: it is not finite.
        """
        volumes, targets = batch
        loss = focal_loss(self.network(volumes), targets)
        if not bool(loss.detach().isfinite()):
            raise CryoccdError(
                f"detector: the loss is not finite at step {batch_idx}, with learning_rate = "
                f"{self.config.learning_rate:g}; lower it"
            )
        return loss

    def configure_optimizers(self) -> Any:
        """AdamW; its rate rises over a tenth of the budget and falls as a cosine."""
        rate, steps = self.config.learning_rate, self.config.steps
        optimizer = AdamW(self.network.parameters(), rate, weight_decay=1e-2)
        schedule = OneCycleLR(
            optimizer, rate, total_steps=steps + 1, pct_start=_RISE, cycle_momentum=False
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    @torch.no_grad()
    def candidates(self, tomogram: Tomogram) -> dict[str, Candidates]:
        """All peaks of each class, no two nearer than its radius.

        Raises:
            CryoccdError: another voxel size than that trained on, or values that cannot be read.
        """
        check_pixel_sizes({tomogram.name: tomogram.voxel_size_A, "the detector": self.voxel_size_A})
        training = self.training
        self.eval()
        window, device = self.config.window_voxels, self.device
        heat = heat_of(self.network, ScaledTomogram(tomogram), window, device)
        self.train(training)
        cell_A = STRIDE * tomogram.voxel_size_A
        first_A = (STRIDE - 1) / 2 * tomogram.voxel_size_A  # of cell 0
        found = {}
        for (name, radius_A), own in zip(self.radii_A.items(), heat, strict=True):
            places, scores = find_peaks(own, radius_A / cell_A, FLOOR)
            found[name] = Candidates(places * cell_A + first_A, scores)
        return found

    def detect(self, tomogram: Tomogram) -> dict[str, Points]:
        """(n, 3) places of each class, x, y, z in angstrom from the centre of voxel [0, 0, 0].

        Raises:
            CryoccdError: as `candidates`.
        """
        found = self.candidates(tomogram)
        return {name: each.above(self.thresholds[name]) for name, each in found.items()}
