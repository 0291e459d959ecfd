"""How a tilt series is taken and what tomogram is made of it."""

from dataclasses import dataclass
from typing import Literal

from cryoccd.errors import CryoccdError, check_within
from cryoccd.imaging.tilt import LARGEST_TILT_DEG

TiltOrder = Literal["dose_symmetric", "continuous"]


@dataclass(frozen=True)
class TiltConfig:
    """The tilt scheme.

    Args:
        lowest_deg: lowest tilt.
        highest_deg: highest tilt.
        step_deg: increment; it divides the range.
        axis_deg: tilt axis in the images, counted from x towards y; 90 is along the columns.
        order: dose_symmetric begins in the middle and turns to the other side after every second
            tilt (Hagen, Wan & Briggs 2017); continuous goes from the lowest to the highest.
        focus_error_A: standard deviation of the defocus from one tilt to the next.
    """

    lowest_deg: float = -60.0
    highest_deg: float = 60.0
    step_deg: float = 3.0
    axis_deg: float = 90.0
    order: TiltOrder = "dose_symmetric"
    focus_error_A: float = 0.0

    def __post_init__(self) -> None:
        limit = LARGEST_TILT_DEG
        check_within("tilts: lowest_deg", self.lowest_deg, -limit, limit, "degrees")
        check_within("tilts: highest_deg", self.highest_deg, -limit, limit, "degrees")
        check_within("tilts: step_deg", self.step_deg, 0.1, 2 * limit, "degrees, for example 3")
        check_within("tilts: axis_deg", self.axis_deg, -360, 360, "degrees")
        check_within("tilts: focus_error_A", self.focus_error_A, 0, 1e4, "angstrom")
        if self.order not in ("dose_symmetric", "continuous"):
            raise CryoccdError(
                f"tilts: order = {self.order!r}, expected dose_symmetric or continuous"
            )
        steps = (self.highest_deg - self.lowest_deg) / self.step_deg
        if round(steps) < 1 or abs(steps - round(steps)) > 1e-6:
            raise CryoccdError(
                f"tilts: step_deg = {self.step_deg:g}, expected a part of the range from lowest_deg"
                f" = {self.lowest_deg:g} to highest_deg = {self.highest_deg:g} (degrees)"
            )

    @property
    def angles_deg(self) -> tuple[float, ...]:
        """The tilts, ascending."""
        steps = round((self.highest_deg - self.lowest_deg) / self.step_deg)
        return tuple(round(self.lowest_deg + i * self.step_deg, 6) for i in range(steps + 1))

    @property
    def acquisition(self) -> tuple[int, ...]:
        """Place of each of `angles_deg` in the order of acquisition, from 0."""
        count = len(self.angles_deg)
        if self.order == "continuous":
            return tuple(range(count))
        middle = (count - 1) // 2
        taken = [middle]
        for distance in range(1, count // 2 + 1):  # +, -, -, +, +, -, ...
            first = distance if distance % 2 else -distance
            taken += [i for i in (middle + first, middle - first) if 0 <= i < count]
        places = {index: place for place, index in enumerate(taken)}
        return tuple(places[index] for index in range(count))


@dataclass(frozen=True)
class TomogramConfig:
    """The tomogram of a tilt series.

    Args:
        thickness_A: its height; more than the ice, so that both surfaces are seen.
        binning: edge of a voxel in pixels of the images.
        denoised: write also the tomogram filtered by what its odd and even tilts agree on.
    """

    thickness_A: float = 1200.0
    binning: int = 2
    denoised: bool = False

    def __post_init__(self) -> None:
        check_within("tomogram: thickness_A", self.thickness_A, 10, 1e5, "angstrom")
        check_within("tomogram: binning", self.binning, 1, 64, "pixels a voxel")
