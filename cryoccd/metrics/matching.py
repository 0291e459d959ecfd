"""The gain at which simulated particles stand out of noise as real ones do."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import exp, isfinite, log

import torch
from scipy.optimize import brentq
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_average
from cryoccd.geometry import item_seed
from cryoccd.imaging.background import background_mask
from cryoccd.imaging.masked_psd import masked_autocorrelation, spectrum_of
from cryoccd.metrics.detectability import Detectability
from cryoccd.metrics.images import normalised
from cryoccd.metrics.two_component import fit_two_components, local_maxima

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


def separation_measure(
    images: Sequence[Tensor],
    picks_px: Sequence[Tensor] | None,
    clean: Sequence[Tensor],
    centres_px: Sequence[Tensor],
    diameter_px: float,
) -> Separation:
    """D' at the picks, or without picks the separation of two components of the filter's maxima.

    Args:
        images: normalised real training micrographs.
        picks_px: picks of each, or None.
        clean: simulated contrast, used for the template where there are no picks.
        centres_px: true centres of the simulated particles.
        diameter_px: particle diameter in pixels.
    """
    if picks_px is not None:
        found = Detectability.fit(images, picks_px, diameter_px)
        return Separation(found.dprime, found.dprime(images, picks_px))
    # a noise-free field has no background level to normalise by; a little noise gives it one
    generator = torch.Generator().manual_seed(0)
    veiled = [c + 0.2 * c.std() * torch.randn(c.shape, generator=generator) for c in clean]
    fitted = Detectability.fit(veiled, centres_px, diameter_px)
    masks = [background_mask(image, None, diameter_px) for image in images]
    reach = len(fitted.template) // 2
    power = radial_average(
        spectrum_of(masked_autocorrelation(images, masks, reach), (2 * reach, 2 * reach))
    )
    blind = replace(fitted, power=power.clamp_min(0.01 * float(power.mean())))

    def measure(fields: Sequence[Tensor], _centres: Sequence[Tensor]) -> float:
        radius = max(1, round(diameter_px / 2))
        maxima = [local_maxima(blind.score(normalised(field)), radius) for field in fields]
        return fit_two_components(torch.cat(maxima)).separation

    return Separation(measure, measure(images, centres_px))


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

    low = high = log(0.3 * noise_sd / signal_sd)
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
