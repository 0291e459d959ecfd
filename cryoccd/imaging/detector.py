"""Detector: counting, sharpness and noise colour of a direct electron camera.

Vulovic et al. 2013 (J. Struct. Biol. 183, 19), eq. 15 and 16: with DQE = DQE0 MTF² / NNPS

    counts = Poisson(DQE0 F⁻¹[(MTF / sqrt(NNPS)) F[expected]])
    image = F⁻¹[sqrt(NNPS) F[counts]] / DQE0

so that the signal arrives with MTF and the noise with the spectrum expected / DQE0 · NNPS. Here MTF
and NNPS are closed forms of the frequency in cycles a detector pixel (Nyquist = 0.5), the image
stays in incident electrons a pixel, and the residue of the gain reference multiplies it at the end.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_frequency


@dataclass(frozen=True)
class Detector:
    """A camera.

    Args:
        dqe0: detective quantum efficiency at zero frequency, in (0, 1].
        mtf_half: frequency at which the MTF is 1/2, in cycles a detector pixel.
        mtf_power: exponent p of MTF(q) = 2^-(q / mtf_half)^p; 2 is a Gaussian.
        nnps_half: frequency at which NNPS is halfway between 1 and its floor.
        nnps_floor: limit of NNPS at high frequency; 1 is white noise.
        gain_residue_rms: relative error of the gain reference.

    Raises:
        CryoccdError: a value out of range, or a DQE above 1 at any frequency.
    """

    dqe0: float = 1.0
    mtf_half: float = 0.3
    mtf_power: float = 1.5
    nnps_half: float = 0.3
    nnps_floor: float = 0.2
    gain_residue_rms: float = 0.0

    def __post_init__(self) -> None:
        for name in ("dqe0", "nnps_floor"):
            if not 0 < getattr(self, name) <= 1:
                raise CryoccdError(f"detector: {name} = {getattr(self, name)}, expected (0, 1]")
        for name in ("mtf_half", "mtf_power", "nnps_half"):
            if not getattr(self, name) > 0:
                raise CryoccdError(f"detector: {name} = {getattr(self, name)}, expected above 0")
        if not self.gain_residue_rms >= 0:
            raise CryoccdError(
                f"detector: gain_residue_rms = {self.gain_residue_rms}, expected 0 or more"
            )
        highest = float(self.dqe(torch.linspace(0, 0.5**0.5, 400)).max())
        if highest > 1 + 1e-6:
            raise CryoccdError(f"detector: DQE reaches {highest:.3g} > 1; lower dqe0 or the MTF")

    def mtf(self, frequency: Tensor) -> Tensor:
        """Modulation transfer at frequencies in cycles a detector pixel; 1 at zero."""
        return torch.exp2(-((frequency / self.mtf_half) ** self.mtf_power))

    def nnps(self, frequency: Tensor) -> Tensor:
        """Normalised noise power at frequencies in cycles a detector pixel; 1 at zero."""
        fall = torch.exp2(-((frequency / self.nnps_half) ** 2))
        return self.nnps_floor + (1 - self.nnps_floor) * fall

    def dqe(self, frequency: Tensor) -> Tensor:
        """Detective quantum efficiency DQE0 MTF² / NNPS."""
        return self.dqe0 * self.mtf(frequency) ** 2 / self.nnps(frequency)

    def expectation(self, expected: Tensor) -> Tensor:
        """The mean of `expose` over the shot noise: (h, w) expected electrons seen with MTF."""
        return _filter(expected, self.mtf(_radii(expected)))

    def count(self, expected: Tensor, generator: torch.Generator) -> Tensor:
        """Poisson counts of (h, w) electrons a pixel after DQE; mean and variance are equal."""
        frequency = _radii(expected)
        rate = _filter(self.dqe0 * expected, self.mtf(frequency) / self.nnps(frequency).sqrt())
        return torch.poisson(rate.clamp(min=0), generator=generator)

    def expose(
        self, expected: Tensor, generator: torch.Generator, gain: Tensor | None = None
    ) -> Tensor:
        """One noisy image in incident electrons a pixel.

        Args:
            expected: (h, w) expected electrons a pixel (see `expected_electrons`), at least 0; the
                field counts as periodic.
            generator: seeded source of the shot noise.
            gain: (h, w) fixed pattern of `gain_residue`; None is a perfect reference.
        """
        if expected.ndim != 2 or float(expected.min()) < 0:
            raise CryoccdError(
                f"detector: expected electrons {tuple(expected.shape)} with minimum "
                f"{float(expected.min()):.3g}, expected an (h, w) image of values >= 0"
            )
        counts = self.count(expected, generator)
        image = _filter(counts, self.nnps(_radii(counts)).sqrt()) / self.dqe0
        return image if gain is None else image * gain

    def gain_residue(self, shape_px: tuple[int, int], generator: torch.Generator) -> Tensor:
        """The (h, w) multiplicative pattern that the gain reference left, mean near 1."""
        return 1 + self.gain_residue_rms * torch.randn(shape_px, generator=generator)


def expected_electrons(intensity: Tensor, dose_e_per_A2: float, pixel_size_A: float) -> Tensor:
    """Electrons a pixel of an intensity given as a fraction of the incident beam."""
    if not dose_e_per_A2 > 0:
        raise CryoccdError(f"dose_e_per_A2 = {dose_e_per_A2}, expected above 0, for example 40")
    return dose_e_per_A2 * pixel_size_A**2 * intensity


def _radii(image: Tensor) -> Tensor:
    return radial_frequency((int(image.shape[-2]), int(image.shape[-1])), rfft=True)


def _filter(image: Tensor, transfer: Tensor) -> Tensor:
    height, width = image.shape[-2:]
    filtered: Tensor = torch.fft.irfft2(torch.fft.rfft2(image) * transfer, s=(height, width))
    return filtered
