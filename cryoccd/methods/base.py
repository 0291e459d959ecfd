"""The interface of every method that turns a clean micrograph into a realistic one."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from cryoccd.data.datamodule import CryoDataModule
from cryoccd.methods.fittable import Fittable
from cryoccd.records import UnpairedBatch


class Translator(Fittable):
    """Turns noise-free micrographs into realistic ones; labels stay as they are.

    A subclass gives `translate`, and either `training_step` with `max_images` above 0 or
    `calibrate` alone (an analytic method).
    """

    def calibrate(self, datamodule: CryoDataModule) -> None:
        """Fit what needs no gradient on the training data; runs once before fit."""

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Load weights; what `calibrate` measured may have any shape."""
        for name, value in state_dict.items():
            known = self._buffers.get(name)
            if known is not None and known.shape != value.shape:
                self._buffers[name] = torch.empty_like(value, device=known.device)
        return super().load_state_dict(state_dict, strict=strict, assign=assign)

    def ice_input(self, modelled: Tensor, generator: torch.Generator) -> Tensor:
        """Ice map (h, w) that `translate` gets for a micrograph; by default that of its ice model.

        A method that was trained with maps estimated on real micrographs draws one of those.
        """
        return modelled

    def choices(self) -> dict[str, float | int | str]:
        """What calibration chose (contrast, patch size, ...), for the result cell."""
        return {}

    @abstractmethod
    def translate(
        self, clean: Tensor, mask: Tensor, ice: Tensor, style: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Realistic images of noise-free ones.

        Args:
            clean: (b, 1, h, w) intensity minus 1 (contrast; particles negative).
            mask: (b, 1, h, w) 1 inside particles.
            ice: (b, 1, h, w) relative transmission of the ice in (0, 1].
            style: (b,) index of the acquisition style.
            generator: the only source of randomness.

        Returns:
            (b, 1, h, w) in the units of normalised real images: median 0, MAD * 1.4826 = 1.
        """

    def training_step(self, batch: UnpairedBatch, batch_idx: int) -> Tensor | None:
        """Never called for an analytic method, whose fit ends after `calibrate`."""
        raise NotImplementedError(f"{type(self).__name__} has a budget but no training_step")
