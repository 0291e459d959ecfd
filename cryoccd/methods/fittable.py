"""What `cryoccd fit` asks of every method: a budget in images, their count, and a calibration."""

from abc import ABC
from typing import Any

import lightning as L
import torch
from torch import Tensor

from cryoccd.errors import CryoccdError


class Fittable(L.LightningModule, ABC):
    """A method with a budget in images, or one that is calibrated and not trained.

    The budget counts images, since Lightning's global_step counts every optimizer step; the
    TrainingBudget callback keeps `images_seen` and stops the run.
    """

    max_images: int = 0
    """Training budget in images; 0 for a method that only calibrates."""

    calibrated: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.images_seen = 0
        self.register_buffer("calibrated", torch.tensor(False))

    def calibrate(self, datamodule: Any) -> None:
        """Fit what needs no gradient on the training data; runs once before fit."""

    def configure_optimizers(self) -> Any:
        """None; a method that trains overrides this."""

    def require(self, field: str, value: object, holds: bool, expected: str) -> None:
        """Refuse a setting that does not hold.

        Raises:
            CryoccdError: naming the method, the field, its value and what was expected.
        """
        if not holds:
            raise CryoccdError(f"{self.label}: {field} = {value}, expected {expected}")

    def require_calibration(self) -> None:
        """Refuse to work on unscaled input.

        Raises:
            CryoccdError: neither `calibrate` nor a checkpoint has set the scale.
        """
        if not bool(self.calibrated):
            raise CryoccdError(
                f"{self.label}: not calibrated; run `cryoccd fit`, or load a checkpoint"
            )

    @property
    def label(self) -> str:
        """The method's name in messages."""
        return type(self).__name__.lower()
