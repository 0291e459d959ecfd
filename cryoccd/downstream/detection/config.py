"""Settings of the detector; every value is checked when it enters."""

from dataclasses import dataclass

from cryoccd.downstream.detection.network import ALIGN
from cryoccd.errors import CryoccdError, check_within


@dataclass(frozen=True)
class DetectorConfig:
    """How a detector is trained, and how it looks at tomograms.

    Args:
        crops: budget of training crops, half of them about a particle and half anywhere.
        crop_voxels: side of a crop, a multiple of 4.
        batch_size: crops of a step.
        width: channels of the first layer.
        learning_rate: the highest; it rises over a tenth of the steps, falls as a cosine.
        sigma: of the Gaussians that it is taught, in radii of the class.
        window_voxels: side of what is looked at at once, a multiple of 4; it decides memory alone.

    Raises:
        CryoccdError: a value out of its range.
    """

    crops: int = 2000
    crop_voxels: int = 40
    batch_size: int = 8
    width: int = 16
    learning_rate: float = 5e-3
    sigma: float = 0.25
    window_voxels: int = 192

    def __post_init__(self) -> None:
        check_within("detector: crops", self.crops, 1, 1e9, "crops")
        check_within("detector: batch_size", self.batch_size, 2, 1024, "crops")
        check_within("detector: width", self.width, 1, 256, "channels")
        check_within("detector: learning_rate", self.learning_rate, 1e-7, 1, "of AdamW")
        check_within("detector: sigma", self.sigma, 0.05, 1, "radii")
        for name, least in (("crop_voxels", 16), ("window_voxels", 32)):
            value = getattr(self, name)
            check_within(f"detector: {name}", value, least, 1024, "voxels")
            if value % ALIGN:
                raise CryoccdError(f"detector: {name} = {value}, expected a multiple of {ALIGN}")
        if self.crops < self.batch_size:
            raise CryoccdError(
                f"detector: crops = {self.crops}, expected a batch of {self.batch_size} or more"
            )

    @property
    def steps(self) -> int:
        """Steps of the optimizer."""
        return self.crops // self.batch_size
