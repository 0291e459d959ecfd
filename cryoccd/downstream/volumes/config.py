"""Settings of the classifier of boxes; every value is checked when it enters."""

from dataclasses import dataclass

from cryoccd.errors import CryoccdError, check_within


@dataclass(frozen=True)
class VolumeClassifierConfig:
    """How a classifier is trained.

    Args:
        boxes: budget of training boxes, all of them turned anew each time.
        batch_size: boxes of a step.
        width: channels of the first layer, a multiple of 8 (see VolumeNet).
        features: of the last layer but one.
        learning_rate: the highest; it rises over a tenth of the steps, falls as a cosine.

    Raises:
        CryoccdError: a value out of its range.
    """

    boxes: int = 4000
    batch_size: int = 16
    width: int = 16
    features: int = 64
    learning_rate: float = 2e-3

    def __post_init__(self) -> None:
        check_within("classifier: boxes", self.boxes, 1, 1e9, "boxes")
        check_within("classifier: batch_size", self.batch_size, 2, 1024, "boxes")
        check_within("classifier: width", self.width, 8, 128, "channels")
        check_within("classifier: features", self.features, 8, 1024, "features")
        check_within("classifier: learning_rate", self.learning_rate, 1e-7, 1, "of AdamW")
        if self.width % 8:
            raise CryoccdError(f"classifier: width = {self.width}, expected a multiple of 8")
        if self.boxes < self.batch_size:
            raise CryoccdError(
                f"classifier: boxes = {self.boxes}, expected a batch of {self.batch_size} or more"
            )

    @property
    def steps(self) -> int:
        """Steps of the optimizer."""
        return self.boxes // self.batch_size
