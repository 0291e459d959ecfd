"""Settings of the heat map picker; every value is checked when it enters."""

from dataclasses import dataclass
from pathlib import Path

from cryoccd.errors import CryoccdError, check_range, check_within


@dataclass(frozen=True)
class PickerConfig:
    """How a picker is trained. The defaults take about a minute on one core.

    Args:
        iterations: steps of the optimizer; with batch_size the budget of crops.
        batch_size: crops of a step.
        crop_px: side of a crop in pixels of what the picker sees.
        diameter_px: pixels that a particle diameter has there.
        sigma: of the Gaussian at a particle, in diameters.
        positive_weight: weight of the positive part of the loss (see heat_map).
        learning_rate: the highest; it rises over a tenth of the steps and falls as a cosine.
        contrast: factors on the clean signal of simulated micrographs, log-uniform between these
            two; None leaves it as it is.
        start: picker whose weights are the starting ones; None starts from random ones.
        workers: processes that cut crops; the crops are the same with any number.

    Raises:
        CryoccdError: a value out of its range.
    """

    iterations: int = 400
    batch_size: int = 8
    crop_px: int = 96
    diameter_px: float = 20.0
    sigma: float = 0.1
    positive_weight: float = 3.0
    learning_rate: float = 4e-3
    contrast: tuple[float, float] | None = None
    start: Path | None = None
    workers: int = 0

    def __post_init__(self) -> None:
        check_within("picker: iterations", self.iterations, 1, 1e6, "steps")
        check_within("picker: batch_size", self.batch_size, 1, 1024, "crops")
        check_within("picker: crop_px", self.crop_px, 32, 1024, "px")
        check_within("picker: diameter_px", self.diameter_px, 8, 64, "px")
        check_within("picker: sigma", self.sigma, 0.05, 0.5, "diameters")
        check_within("picker: positive_weight", self.positive_weight, 0.01, 100, "a factor")
        check_within("picker: learning_rate", self.learning_rate, 1e-7, 1, "of Adam")
        check_within("picker: workers", self.workers, 0, 256, "processes")
        if self.contrast is not None:
            check_range("picker: contrast", self.contrast, 0.01, 100, "factors")
        if self.crop_px < 2 * self.diameter_px:
            raise CryoccdError(
                f"picker: crop_px = {self.crop_px}, expected two diameters or more "
                f"({2 * self.diameter_px:g} px); a particle and its surroundings must fit"
            )
