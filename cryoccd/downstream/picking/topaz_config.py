"""Settings of a training by Topaz; every value is checked when it enters."""

from dataclasses import dataclass
from typing import Literal

from cryoccd.errors import CryoccdError, check_within

MODELS = ("resnet8", "resnet16", "conv31", "conv63", "conv127")
DETECTORS = ("resnet8_u32", "resnet8_u64", "resnet16_u32", "resnet16_u64")
"""Networks that come with the program, trained on many sets of particles."""


@dataclass(frozen=True)
class TopazConfig:
    """How Topaz trains a network. Lengths are in pixels of the down-sampled micrographs.

    Topaz draws its random numbers by itself and has no option for their seed: two trainings
    differ. `repeat` only tells them apart.

    Args:
        start: from random weights, or from those of the detector that comes with the program.
        model: its network.
        units: width of the network.
        expected_particles: particles a micrograph where labels lack some; None where none lack.
        positive_weight: of method PN, the w of topaz_pi; None is 2 r + 1.
        downsample: factor; None makes a particle about 24 px wide.
        radius_px: of the positive disc of a particle; None is an eighth of the diameter, 2 or more.
        epochs: after each the weights are kept; the last ones are used.
        epoch_size: steps of an epoch.
        minibatch_size: windows of a step.
        learning_rate: of Adam.
        device: number of the GPU, -1 for the CPU.
        repeat: number of the training.

    Raises:
        CryoccdError: a value out of its range, or a start that does not exist.
    """

    start: Literal["scratch", "pretrained"] = "scratch"
    model: str = "resnet8"
    units: int = 32
    expected_particles: float | None = None
    positive_weight: float | None = None
    downsample: int | None = None
    radius_px: int | None = None
    epochs: int = 10
    epoch_size: int = 1000
    minibatch_size: int = 256
    learning_rate: float = 2e-4
    device: int = -1
    repeat: int = 0

    def __post_init__(self) -> None:
        if self.start not in ("scratch", "pretrained"):
            raise CryoccdError(f"topaz: start = {self.start!r}, expected scratch or pretrained")
        if self.model not in MODELS:
            raise CryoccdError(
                f"topaz: model = {self.model!r}, expected one of {', '.join(MODELS)}"
            )
        if self.start == "pretrained" and self.detector not in DETECTORS:
            raise CryoccdError(
                f"topaz: start = pretrained with {self.detector}, expected model and units of "
                f"{', '.join(DETECTORS)}; others have no weights to start from"
            )
        check_within("topaz: units", self.units, 1, 1024, "channels")
        check_within("topaz: epochs", self.epochs, 1, 1e4, "epochs")
        check_within("topaz: epoch_size", self.epoch_size, 1, 1e6, "steps")
        check_within("topaz: minibatch_size", self.minibatch_size, 16, 1e5, "windows")
        check_within("topaz: learning_rate", self.learning_rate, 1e-7, 1, "of Adam")
        if self.positive_weight is not None:
            check_within("topaz: positive_weight", self.positive_weight, 0.01, 1000, "times")
        if self.downsample is not None:
            check_within("topaz: downsample", self.downsample, 1, 64, "factor")
        if self.radius_px is not None:
            check_within("topaz: radius_px", self.radius_px, 1, 35, "down-sampled px")
        if self.expected_particles is not None:
            check_within("topaz: expected_particles", self.expected_particles, 1, 1e6, "particles")

    @property
    def detector(self) -> str:
        """Name of the pretrained detector of this network."""
        return f"{self.model}_u{self.units}"
