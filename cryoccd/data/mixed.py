"""One model for several styles: crops of several pairs of folders in one run.

CryoGEM trains a model for each data set; the CryoCCD tables have both that and one model for all.
What a method sees of the mixture is in each batch: `style`, the place of an item's pair in the
list, and `pixel_size_A`.
"""

from cryoccd.data.datamodule import CryoDataModule
from cryoccd.data.held import HELD_BYTES
from cryoccd.data.part import FolderPair, IceKind, Part
from cryoccd.errors import CryoccdError


class MixedDataModule(CryoDataModule):
    """Crops from several pairs of folders; the pair of each item is drawn, all as likely.

    Each pair keeps its own ice, pixel size and turns of the real side. `real_mask` is there where
    all pairs have picks, else None. The memory for micrographs is that of a single pair.

    Args:
        parts: the pairs of folders; the place in this list is the style.
        crop_px: side of the square crops.
        batch_size: crops of each side in a batch of one process.
        images_per_epoch: items of one epoch, a multiple of the number of processes.
        num_workers: processes that cut crops.
        ice_source: "real" draws the ice from maps estimated on the real micrographs of the same
            pair, "model" takes the ice that the simulation had.
        augment: flips and quarter turns on the device.
        validation: micrographs of each side of each pair that are drawn to be kept from training.
        seed: seed of crops, symmetries, ice and that draw.

    Raises:
        CryoccdError: no pair, or a number below 1.
    """

    def __init__(
        self,
        parts: list[FolderPair],
        crop_px: int = 256,
        batch_size: int = 1,
        images_per_epoch: int = 1000,
        num_workers: int = 0,
        ice_source: IceKind = "real",
        augment: bool = True,
        validation: int = 0,
        seed: int = 0,
    ) -> None:
        if not parts:
            raise CryoccdError("data: parts is empty, expected one pair of folders or more")
        super().__init__(
            parts[0].simulated,
            parts[0].real,
            crop_px=crop_px,
            batch_size=batch_size,
            images_per_epoch=images_per_epoch,
            num_workers=num_workers,
            ice_source=ice_source,
            augment=augment,
            validation=validation,
            seed=seed,
        )
        limit_bytes = HELD_BYTES // len(parts)
        self.parts = tuple(
            Part(pair, style, ice_source, seed, limit_bytes, validation)
            for style, pair in enumerate(parts)
        )
