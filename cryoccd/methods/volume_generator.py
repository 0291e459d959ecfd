"""The interface of every method that makes boxes of tomograms of a class."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.methods.fittable import Fittable
from cryoccd.records import VolumeBatch


@runtime_checkable
class VolumeData(Protocol):
    """What a generator asks of its data module, once that is set up."""

    @property
    def classes(self) -> Sequence[str]:
        """Names of the classes in the order of their labels."""

    @property
    def box_voxels(self) -> int:
        """Side of the boxes."""

    @property
    def voxel_size_A(self) -> float:
        """Angstrom per voxel."""

    @property
    def places(self) -> tuple[Tensor, Tensor]:
        """(n,) label and (n, 3) position of each box to train on, as it is."""


class VolumeGenerator(Fittable):
    """Draws boxes of tomograms, each with a particle of a known class in the middle.

    Side and voxel size of the boxes, the names of the classes and the places of the particles are
    those of the training data; a checkpoint keeps them.
    """

    classes: tuple[str, ...] = ()
    """Names in the order of their labels."""

    places: tuple[Tensor, Tensor] = (torch.empty(0, dtype=torch.int64), torch.empty(0, 3))
    """(n,) label and (n, 3) position of each training box."""

    box_voxels: Tensor
    voxel_size_A: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("box_voxels", torch.tensor(0))
        self.register_buffer("voxel_size_A", torch.tensor(0.0))

    def calibrate(self, datamodule: Any) -> None:
        """Take over what the boxes are.

        Raises:
            CryoccdError: the data gives no boxes.
        """
        if not isinstance(datamodule, VolumeData):
            raise CryoccdError(
                f"{self.label}: data = {type(datamodule).__name__} gives no boxes of tomograms, "
                "expected a SubtomogramDataModule"
            )
        self.classes = tuple(datamodule.classes)
        self.box_voxels.fill_(datamodule.box_voxels)
        self.voxel_size_A.fill_(datamodule.voxel_size_A)
        label, position = datamodule.places
        self.places = label.cpu(), position.float().cpu()

    def get_extra_state(self) -> dict[str, Any]:
        """Names of the classes and places of the training boxes, for checkpoints."""
        return {"classes": list(self.classes), "places": self.places}

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Names of the classes and places of the training boxes, from a checkpoint."""
        self.classes = tuple(state["classes"])
        label, position = state["places"]
        self.places = label.cpu(), position.cpu()

    @property
    def evaluations(self) -> int:
        """Evaluations of a network for one sample, 0 where there is no network."""
        return 0

    def clean_errors(
        self, batch: VolumeBatch, snr_dB: float, generators: Sequence[torch.Generator]
    ) -> Tensor | None:
        """(n,) |x_0 - x̂_0|² a voxel of boxes seen through noise; None where nothing is denoised.

        Args:
            batch: boxes at deviation 1, and what the model is told of them.
            snr_dB: power of a box over that of the noise; the nearest level counts.
            generators: one for each box.
        """
        return None

    @abstractmethod
    def sample(
        self,
        label: Tensor,
        position: Tensor,
        generators: Sequence[torch.Generator],
        density: Tensor | None = None,
    ) -> Tensor:
        """Boxes (n, 1, b, b, b) at mean 0 and deviation 1; each the same in any batch.

        Args:
            label: (n,) int64 class of the particle in the middle.
            position: (n, 3) x, y, z of the centre, shares of the tomogram's extent in [0, 1].
            generators: one for each box, the only source of randomness.
            density: (n, 1, b, b, b) noise-free density of all particles in the box, in their poses;
                None leaves it to chance.
        """
