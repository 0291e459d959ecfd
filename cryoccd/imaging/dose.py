"""Exposure: how many electrons, in how many frames, and the damage that they do.

Grant & Grigorieff 2015 (eLife 4, e06980): after an accumulated exposure of N electrons per square
angstrom the amplitude of the specimen at spatial frequency k has fallen to exp(-N / (2 Ne(k))),
with the critical exposure (eq. 3)

    Ne(k) = a k^b + c,    a = 0.245, b = -1.665, c = 2.81 at 300 kV, times 0.8 at 200 kV.

The mean over an exposure from N to N + dN is in closed form with x = dN / (2 Ne):

    exp(-N / (2 Ne)) (1 - exp(-x)) / x.

Equal steps therefore form a geometric series: each is exp(-x) times the one before. Optimal weights
of n frames that leave the noise power of their sum as it is at every frequency (their eq. 9, here
scaled such that the sum keeps its electrons) are sqrt(n) q_f / sqrt(sum q_f^2), where q_f is the
amplitude left in frame f: the earlier exposure cancels. The noise does not fade, the signal does.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError, check_within

_SCALES = ((200.0, 0.8), (300.0, 1.0))


@dataclass(frozen=True)
class DoseConfig:
    """The exposure.

    Args:
        dose_e_per_A2: electrons per square angstrom over the whole exposure.
        frames: frames in which they are counted, equal in exposure.
        dose_weighting: sum the frames with weights that fit the damage; needs 2 frames or more.
        pre_exposure_e_per_A2: exposure before the first frame.
        damage: whether the specimen fades.
        critical_dose: a, b, c of the critical exposure a k^b + c at 300 kV, k in 1/angstrom.
        critical_scale: factor of the critical exposure; by default 1 at 300 kV, 0.8 at 200 kV and
            linear between.
    """

    dose_e_per_A2: float = 40.0
    frames: int = 1
    dose_weighting: bool = False
    pre_exposure_e_per_A2: float = 0.0
    damage: bool = True
    critical_dose: tuple[float, float, float] = (0.245, -1.665, 2.81)
    critical_scale: float | None = None

    def __post_init__(self) -> None:
        check_within("dose: dose_e_per_A2", self.dose_e_per_A2, 1e-3, 1e3, "e/A^2, for example 40")
        check_within("dose: frames", self.frames, 1, 1000, "frames")
        check_within(
            "dose: pre_exposure_e_per_A2", self.pre_exposure_e_per_A2, 0, 1e3, "e/A^2, 0 = none"
        )
        a, b, c = self.critical_dose
        if not (a > 0 and b < 0 and c > 0):
            raise CryoccdError(
                f"dose: critical_dose = {list(self.critical_dose)}, expected a > 0, b < 0, c > 0 "
                "of a k^b + c (e/A^2), for example [0.245, -1.665, 2.81]"
            )
        if self.critical_scale is not None:
            check_within("dose: critical_scale", self.critical_scale, 0.01, 100, "a factor")
        if self.dose_weighting and self.frames < 2:
            raise CryoccdError(
                f"dose: dose_weighting with frames = {self.frames}, expected 2 frames or more"
            )
        if self.dose_weighting and not self.damage:
            raise CryoccdError("dose: dose_weighting with damage = false, expected damage = true")

    def critical_e_per_A2(self, k_per_A: Tensor, voltage_kV: float) -> Tensor:
        """Critical exposure Ne at frequencies k; infinite at 0.

        Raises:
            CryoccdError: no scale is known for the voltage and none is given.
        """
        a, b, c = self.critical_dose
        return self._scale(voltage_kV) * (a * k_per_A**b + c)

    def _scale(self, voltage_kV: float) -> float:
        if self.critical_scale is not None:
            return self.critical_scale
        (low, at_low), (high, at_high) = _SCALES
        if not low <= voltage_kV <= high:
            raise CryoccdError(
                f"dose: critical exposure unknown at voltage_kV = {voltage_kV}, expected "
                f"{low:g} to {high:g} (kV); give dose.critical_scale or set dose.damage to false"
            )
        return at_low + (at_high - at_low) * (voltage_kV - low) / (high - low)


def amplitude_left(spent_e_per_A2: float, step_e_per_A2: float, critical: Tensor) -> Tensor:
    """Mean amplitude over a step of exposure after an earlier one, at critical exposures Ne."""
    x = step_e_per_A2 / (2 * critical)
    mean = torch.where(x > 0, -torch.expm1(-x) / x.clamp_min(1e-30), 1.0)
    return mean * torch.exp(-spent_e_per_A2 / (2 * critical))


def frame_weights(decay: Tensor, frames: int) -> Iterator[Tensor]:
    """Weights of dose weighting, one a frame; their squares sum to the number of frames.

    Args:
        decay: exp(-dN / (2 Ne)) over one frame, any shape.
        frames: how many.

    Yields:
        The weights of each frame, of the shape of decay.
    """
    squares = torch.zeros_like(decay)
    for _ in range(frames):
        squares.mul_(decay.square()).add_(1)  # Horner's scheme of the geometric series
    weight = (frames / squares).sqrt_()
    for _ in range(frames):
        yield weight
        weight = weight * decay
