"""Training data of a picker: crops of micrographs with known particles, real or simulated."""

import lightning as L
from torch import Tensor
from torch.utils.data import DataLoader

from cryoccd.downstream.picking.config import PickerConfig
from cryoccd.downstream.picking.crops import PickingCrops
from cryoccd.downstream.picking.front import Front
from cryoccd.downstream.picking.seen import Labelled, see_all
from cryoccd.randomness import item_seed

_VALIDATION_CROPS = 64


class PickingDataModule(L.LightningDataModule):
    """Crops of labelled micrographs; what a picker sees of each is computed once and kept.

    Args:
        training: what crops are drawn from.
        config: sizes, budget and contrast.
        front: what a picker sees.
        seed: seed of all crops.
        validation: micrographs whose loss is logged; no choice depends on it.
    """

    def __init__(
        self,
        training: Labelled,
        config: PickerConfig,
        front: Front,
        seed: int,
        validation: Labelled | None = None,
    ) -> None:
        super().__init__()
        self.training, self.validation = training, validation
        self.config, self.front, self.seed = config, front, seed

    def train_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]]:
        """Crops, iterations x batch_size of them, none twice.

        Raises:
            CryoccdError: a faulty micrograph, or a contrast is asked for and cannot be had.
        """
        count = self.config.iterations * self.config.batch_size
        return self._loader(self.training, count, self.config.contrast, "train")

    def val_dataloader(self) -> DataLoader[tuple[Tensor, Tensor]] | list[Tensor]:
        """The same 64 crops each time; none without validation."""
        if self.validation is None:
            return []
        return self._loader(self.validation, _VALIDATION_CROPS, None, "validation")

    def _loader(
        self, labelled: Labelled, count: int, contrast: tuple[float, float] | None, part: str
    ) -> DataLoader[tuple[Tensor, Tensor]]:
        config, seed = self.config, item_seed(self.seed, part)
        micrographs = see_all(labelled, self.front, contrast is not None)
        sigma_px = config.sigma * self.front.diameter_px
        crops = PickingCrops(micrographs, count, config.crop_px, sigma_px, contrast, seed)
        return DataLoader(crops, batch_size=config.batch_size, num_workers=config.workers)
