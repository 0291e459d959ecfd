"""The gain at which simulated particles stand out of noise as real ones do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, isfinite, log

import torch
from scipy.optimize import brentq
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.randomness import item_seed

NoiseSource = Callable[[tuple[int, int], torch.Generator], Tensor]


@dataclass(frozen=True)
class Separation:
    """How far particles stand from background: the measure, and its value in the real data.

    Args:
        measure: of micrographs (h, w) and their centres (n, 2); grows with the contrast.
        real: value in the real training split.
    """

    measure: Callable[[Sequence[Tensor], Sequence[Tensor]], float]
    real: float


@dataclass(frozen=True)
class ContrastMatch:
    """Gain on the clean signal, and the separation in the real data and with that gain."""

    gain: float
    real: float
    reached: float


def match_contrast(
    separation: Separation,
    clean: Sequence[Tensor],
    centres_px: Sequence[Tensor],
    noise: NoiseSource,
    seed: int = 0,
) -> ContrastMatch:
    """Find the gain on `clean` that gives the real separation under one fixed draw of the noise.

    Raises:
        CryoccdError: no gain between 1/1000 and 1000 noise standard deviations reaches it.
    """
    fields = []
    for i, image in enumerate(clean):
        generator = torch.Generator().manual_seed(item_seed(seed, "match", i))
        fields.append(noise((int(image.shape[0]), int(image.shape[1])), generator))
    noise_sd = float(torch.stack([field.std() for field in fields]).mean())
    signal_sd = float(torch.stack([image.std() for image in clean]).mean())
    if not (isfinite(separation.real) and separation.real > 0):
        raise CryoccdError(
            f"contrast: particles of the real training split have d' = {separation.real:.2f}, "
            "expected above 0; check the picks and the particle diameter"
        )

    def reached(log_gain: float) -> float:
        gain = exp(log_gain)
        return separation.measure(
            [gain * image + field for image, field in zip(clean, fields, strict=True)], centres_px
        )

    start = log(0.3 * noise_sd / signal_sd)
    if not isfinite(reached(start)):
        raise CryoccdError(
            "contrast: no simulated particle is clear of the borders; enlarge the simulated field"
        )
    low = high = start
    limits = log(1e-3 * noise_sd / signal_sd), log(1e3 * noise_sd / signal_sd)
    while reached(low) > separation.real and low > limits[0]:
        low -= log(2)
    while reached(high) < separation.real and high < limits[1]:
        high += log(2)
    if low <= limits[0] or high >= limits[1]:
        raise CryoccdError(
            f"contrast: no gain gives simulated particles the d' = {separation.real:.2f} of the "
            "real ones; check that structure and pixel size belong to the data"
        )
    root = low
    if high > low:
        root = brentq(lambda g: reached(g) - separation.real, low, high, xtol=2e-3)
    return ContrastMatch(exp(root), separation.real, reached(root))
