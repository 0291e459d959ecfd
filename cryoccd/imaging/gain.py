"""Fixed pattern of a camera: gain of its pixels, dead and hot ones, and their correction.

A raw frame is the signal times the gain of each pixel; the reference, itself known with an error,
divides it away. Dead pixels read 0, hot ones much too high; corrected, a defect gets the mean of
its good neighbours. The pattern belongs to the camera: it is the same in every micrograph.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError, check_within
from cryoccd.randomness import item_seed


@dataclass(frozen=True)
class PatternConfig:
    """Gain and defects of the physical pixels; none by default.

    Args:
        gain_rms: relative standard deviation of the pixels' gain.
        gain_residue_rms: relative error of the gain reference.
        gain_corrected: whether the reference is applied.
        dead_fraction: part of the pixels that read 0.
        hot_fraction: part of the pixels that read too high.
        hot_factor: excess of a hot pixel, in units of the mean of the field.
        defects_corrected: whether defects are filled from their neighbours.
        seed: which camera of its kind.
    """

    gain_rms: float = 0.0
    gain_residue_rms: float = 0.0
    gain_corrected: bool = True
    dead_fraction: float = 0.0
    hot_fraction: float = 0.0
    hot_factor: float = 10.0
    defects_corrected: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("gain_rms", "gain_residue_rms"):
            check_within(f"pattern: {name}", getattr(self, name), 0, 0.2, "relative, e.g. 0.02")
        for name in ("dead_fraction", "hot_fraction"):
            check_within(f"pattern: {name}", getattr(self, name), 0, 0.1, "fraction of the pixels")
        check_within("pattern: hot_factor", self.hot_factor, 0, 1e4, "times the mean of the field")
        if self.gain_residue_rms > 0 and not self.gain_corrected:
            raise CryoccdError(
                f"pattern: gain_residue_rms = {self.gain_residue_rms} with gain_corrected = false, "
                "expected 0: no reference, no residue"
            )

    @property
    def flawless(self) -> bool:
        """Whether it changes nothing."""
        return not (
            self.gain_rms or self.gain_residue_rms or self.dead_fraction or self.hot_fraction
        )


@dataclass(frozen=True)
class Pattern:
    """The pattern of one camera.

    Args:
        factor: (h, w) what multiplies the signal.
        dead: (h, w) bool.
        hot: (h, w) bool, apart from `dead`.
    """

    factor: Tensor
    dead: Tensor
    hot: Tensor

    def imprint(self, image: Tensor, config: PatternConfig) -> None:
        """Put the pattern on an image (h, w), in place."""
        level = float(image.mean())
        image *= self.factor
        defects = self.dead | self.hot
        if config.defects_corrected:
            image[defects] = _neighbours(image, defects, level)
        else:
            image[self.dead] = 0
            image[self.hot] += config.hot_factor * level


@lru_cache(maxsize=2)
def fixed_pattern(
    config: PatternConfig, shape_px: tuple[int, int], device: torch.device
) -> Pattern:
    """The pattern of a camera of (height, width) physical pixels."""
    generator = torch.Generator().manual_seed(item_seed(config.seed, "camera"))
    gain = (1 + config.gain_rms * torch.randn(shape_px, generator=generator)).clamp_min(0.05)
    error = (1 + config.gain_residue_rms * torch.randn(shape_px, generator=generator)).clamp_min(
        0.05
    )
    reference = gain * error
    lot = torch.rand(shape_px, generator=generator)
    dead = lot < config.dead_fraction
    hot = ~dead & (lot < config.dead_fraction + config.hot_fraction)
    factor = gain / reference if config.gain_corrected else gain
    return Pattern(factor.to(device), dead.to(device), hot.to(device))


def _neighbours(image: Tensor, defects: Tensor, level: float) -> Tensor:
    """Mean of the good pixels among the eight around each defect; level where there is none."""
    height, width = image.shape
    rows, columns = defects.nonzero(as_tuple=True)
    total = torch.zeros(len(rows), dtype=image.dtype, device=image.device)
    count = torch.zeros_like(total)
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            y, x = rows + down, columns + right
            inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
            y, x = y.clamp(0, height - 1), x.clamp(0, width - 1)
            good = inside & ~defects[y, x]
            total += torch.where(good, image[y, x], 0)
            count += good
    return torch.where(count > 0, total / count.clamp_min(1), level)
