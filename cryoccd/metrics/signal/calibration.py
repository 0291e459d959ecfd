"""What a perfect model would make of a clean image: real-like contrast in real-like noise.

    y = gain * clean + noise

The noise is Gaussian with the power of the real background, the gain the one at which a matched
filter finds the simulated particles as well as the real ones (`matching`). Both are then divided by
the robust standard deviation (1.4826 MAD) of such images, so that they are in the units in which
every micrograph is measured, and an image of the perfect model has slope 1 on gain * clean.

The power is resolved finer than that of the filter (lags up to two diameters): at the resolution
of its template the slow part of the noise spreads to higher frequencies, which leaves too little of
it on the scale of particles and d' too high.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_average, radial_frequency
from cryoccd.imaging.background import background_mask
from cryoccd.imaging.masked_psd import masked_autocorrelation, random_field, spectrum_of
from cryoccd.metrics.images import normalised
from cryoccd.metrics.measure import Field
from cryoccd.metrics.signal.detectability import Detectability
from cryoccd.metrics.signal.matching import Separation, match_contrast
from cryoccd.randomness import item_seed

_REACH = 2.0  # of the lags, in diameters


@dataclass(frozen=True, eq=False)
class Calibration:
    """Contrast and noise of the real training split, in units of normalised images.

    Args:
        gain: from relative contrast to normalised image units.
        power: (rings,) of the background, ring i at i / (2 (rings - 1)) cycles a pixel.
    """

    gain: float
    power: Tensor

    @classmethod
    def fit(
        cls,
        detectability: Detectability,
        real: tuple[Sequence[Tensor], Sequence[Tensor]],
        simulated: tuple[Sequence[Tensor], Sequence[Tensor]],
        seed: int = 0,
    ) -> "Calibration":
        """Match the contrast of simulated particles to that of real ones.

        Args:
            detectability: fitted on these real micrographs.
            real: (h, w) training micrographs on any scale and their (n, 2) picks.
            simulated: (h, w) clean contrasts (background 0) and their (n, 2) centres.
            seed: of the noise that the match is made in.

        Raises:
            CryoccdError: no gain gives the real d', or too little background between particles.
        """
        separation = Separation(detectability.dprime, detectability.dprime(*real))
        power = _background_power(*real, detectability.diameter_px)

        def noise(shape: tuple[int, int], generator: torch.Generator) -> Tensor:
            return background_noise(power, shape, generator)

        gain = match_contrast(separation, *simulated, noise, seed).gain
        scales = []
        for i, clean in enumerate(simulated[0]):
            generator = torch.Generator().manual_seed(item_seed(seed, "scale", i))
            image = gain * clean + noise(_shape(clean), generator)
            scales.append(1.4826 * float((image - image.median()).abs().median()))
        scale = 1 / float(np.mean(1 / np.array(scales)))  # so that the slopes have mean 1
        return cls(gain / scale, power / scale**2)

    def reference(self, field: Field) -> Tensor:
        """(h, w) image of the perfect model."""
        return calibrated_signal(field, self.gain) + self.noise(field)

    def noise(self, field: Field) -> Tensor:
        """(h, w) noise of the reference.

        A measure sees the micrograph alone, neither its name nor its number: the noise is seeded
        by the content of the clean image, and is thus the same in every order and every run.
        """
        clean = calibrated_signal(field, 1.0)
        content = clean.numpy().tobytes()
        seed = item_seed(0, "reference", hashlib.sha256(content).hexdigest())
        generator = torch.Generator().manual_seed(seed)
        return background_noise(self.power, _shape(clean), generator)


def calibrated_signal(field: Field, gain: float) -> Tensor:
    """(h, w) float64 clean signal of a micrograph in units of normalised images.

    Raises:
        CryoccdError: there is no clean image, or it has another shape than the micrograph.
    """
    found = None if field.clean is None else tuple(field.clean.shape)
    if field.clean is None or found != tuple(field.image.shape):
        raise CryoccdError(
            f"clean image: shape {found}, expected that of its micrograph, "
            f"{tuple(field.image.shape)}; give the clean images the micrographs were made from"
        )
    return gain * field.clean.to(torch.float64)


def background_noise(power: Tensor, shape: tuple[int, int], generator: torch.Generator) -> Tensor:
    """(h, w) float32 Gaussian field of a radial power spectrum, linear between rings."""
    rings = np.linspace(0, 0.5, len(power))
    at = np.interp(radial_frequency(shape).numpy(), rings, power.numpy())
    return random_field(torch.from_numpy(at), generator)


def _background_power(
    images: Sequence[Tensor], centres_px: Sequence[Tensor], diameter_px: float
) -> Tensor:
    """(rings,) radial power between the particles."""
    fields = [normalised(image, f"micrograph {i}") for i, image in enumerate(images)]
    masks = [background_mask(x, c, diameter_px) for x, c in zip(fields, centres_px, strict=True)]
    lag = min(round(_REACH * diameter_px), min(min(x.shape) for x in fields) // 4)
    autocorrelation = masked_autocorrelation(fields, masks, lag)
    return radial_average(spectrum_of(autocorrelation, (2 * lag, 2 * lag)))


def _shape(image: Tensor) -> tuple[int, int]:
    return int(image.shape[0]), int(image.shape[1])
