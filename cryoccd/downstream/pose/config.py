"""Settings of the pose estimator; every value is checked when it enters."""

from dataclasses import dataclass, field

from cryoccd.downstream.pose.boxes import BoxOptions
from cryoccd.errors import CryoccdError, check_within
from cryoccd.specimen.symmetry import point_group


@dataclass(frozen=True)
class PoseConfig:
    """How an estimator is trained.

    Args:
        images: budget of training images, all of them seen anew moved.
        batch_size: images of a step.
        width: channels of the first layer (see PoseEncoder).
        learning_rate: the highest; it rises over a twentieth of the steps, falls as a cosine.
        symmetry: point group of the particle, in the setting of `point_group`.
        max_shift_px: further shifts of the training images each way, in their pixels; as far as
            the picks to be posed are off.
        shift_weight: weight of the shift's loss, per square pixel.
        snr: white noise of this ratio is added to each training image, anew each time; for
            images without noise. None adds nothing.
        boxes: how particles become images.

    Raises:
        CryoccdError: a value out of its range.
    """

    images: int = 100_000
    batch_size: int = 32
    width: int = 32
    learning_rate: float = 2e-3
    symmetry: str = "C1"
    max_shift_px: int = 1
    shift_weight: float = 0.1
    snr: float | None = None
    boxes: BoxOptions = field(default_factory=BoxOptions)

    def __post_init__(self) -> None:
        check_within("pose: images", self.images, 1, 1e9, "images")
        check_within("pose: batch_size", self.batch_size, 2, 4096, "images")
        check_within("pose: width", self.width, 4, 256, "channels")
        check_within("pose: learning_rate", self.learning_rate, 1e-7, 1, "of AdamW")
        check_within("pose: max_shift_px", self.max_shift_px, 0, 16, "px")
        check_within("pose: shift_weight", self.shift_weight, 0, 1e3, "a weight")
        if self.snr is not None:
            check_within("pose: snr", self.snr, 1e-4, 1e4, "a ratio of variances, such as 0.1")
        if self.images < self.batch_size:
            raise CryoccdError(
                f"pose: images = {self.images}, expected a batch of {self.batch_size} or more"
            )
        if self.boxes.box_px % 16:
            raise CryoccdError(
                f"pose: boxes.box_px = {self.boxes.box_px}, expected a multiple of 16"
            )
        point_group(self.symmetry)

    @property
    def steps(self) -> int:
        """Steps of the optimizer."""
        return self.images // self.batch_size
