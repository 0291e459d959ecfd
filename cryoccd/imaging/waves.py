"""Images of strong or thick specimens from the electron wave.

A slab of projected potential V changes the wave by exp(sigma V (i sqrt(1 - w^2) - w)), with w the
amplitude contrast (Kirkland 2010, eq. 5.25; the second term is the amplitude object of the linear
theory). The image is |psi|^2 of

phase object   psi = 1 + sum_s F^-1[F[exp(...) - 1] L(d - z_s)], slabs that do not shade one another
multislice     psi_(s+1) = F^-1[F[psi_s exp(...)] exp(-i pi lambda dz k^2)], downwards from the
               source (Cowley & Moodie 1957; Kirkland 2010, eq. 6.92), then L of the last slab

where L(d) = exp(-i chi(d)) times envelopes, coma and phase shift on the scattered wave. Both tend
to the weak-phase image where the potential is small. Waves are limited to two thirds of Nyquist,
beyond which products of two waves would alias.
"""

from collections.abc import Iterable
from math import pi, sqrt

import torch
from torch import Tensor

from cryoccd.fourier import frequency_grid
from cryoccd.imaging.transfer import coma_phase, envelope
from cryoccd.records import Optics

Slab = tuple[float, Tensor]
"""Height in angstrom and (h, w) projected potential in volt angstrom."""


class Waves:
    """The lens and free space on one grid.

    Args:
        optics: the settings, defocus at height 0.
        shape_px: height and width of the field with its padding.
        device: where to compute.
    """

    def __init__(
        self, optics: Optics, shape_px: tuple[int, int], device: torch.device | str = "cpu"
    ) -> None:
        self._optics, self._shape_px, self._device = optics, shape_px, device
        k_y, k_x = frequency_grid(shape_px, optics.pixel_size_A)
        self._k2 = (k_y**2 + k_x**2).to(device)
        angle = torch.atan2(k_y, k_x) - optics.astigmatism_deg * pi / 180
        self._fold = torch.cos(2 * angle).to(device)
        self._band = (self._k2 <= (1 / (3 * optics.pixel_size_A)) ** 2).float()

    def phase_object(self, slabs: Iterable[Slab]) -> Tensor:
        """Image minus 1 of slabs that scatter independently of one another."""
        total = torch.zeros(self._shape_px, dtype=torch.complex64, device=self._device)
        for height_A, potential in slabs:
            scattered = torch.fft.fft2(self._change(potential))
            total += scattered * self._lens(height_A)
        return self._image(total)

    def multislice(self, slabs: Iterable[Slab]) -> Tensor:
        """Image minus 1 of slabs in the order in which the beam meets them, downwards."""
        # the wave less the 1 that came in, so that weak scattering keeps its digits
        scattered = torch.zeros(self._shape_px, dtype=torch.complex64, device=self._device)
        above_A: float | None = None
        for height_A, potential in slabs:
            if above_A is not None:
                space = self._space(above_A - height_A)
                scattered = torch.fft.ifft2(torch.fft.fft2(scattered) * space)
            change = self._change(potential)
            scattered = scattered + scattered * change + change
            above_A = height_A
        return self._image(torch.fft.fft2(scattered) * self._lens(above_A or 0.0))

    def _change(self, potential: Tensor) -> Tensor:
        """What a slab adds to a wave of 1."""
        w = self._optics.amplitude_contrast
        strength = self._optics.interaction_rad_per_V_A * complex(-w, sqrt(1 - w**2))
        return torch.exp(strength * potential) - 1

    def _space(self, distance_A: float) -> Tensor:
        """Fresnel propagator."""
        phase = -pi * self._optics.wavelength_A * distance_A * self._k2
        return torch.polar(self._band, phase)

    def _lens(self, height_A: float) -> Tensor:
        optics = self._optics
        mean_A = (optics.defocus_u_A + optics.defocus_v_A) / 2 - height_A
        half_A = (optics.defocus_u_A - optics.defocus_v_A) / 2
        wavelength_A = optics.wavelength_A
        spherical = 0.5 * optics.cs_mm * 1e7 * wavelength_A**3 * self._k2**2
        defocus_A = mean_A + half_A * self._fold
        chi = pi * (spherical - wavelength_A * defocus_A * self._k2)
        phase = optics.phase_shift_deg * pi / 180 - chi
        coma = coma_phase(optics, self._shape_px, self._device, rfft=False)
        if coma is not None:
            phase = phase + coma
        damped = envelope(optics, self._shape_px, height_A, self._device, rfft=False)
        return torch.polar(self._band if damped is None else self._band * damped, phase)

    def _image(self, scattered: Tensor) -> Tensor:
        wave = torch.fft.ifft2(scattered)
        image: Tensor = 2 * wave.real + wave.abs() ** 2
        return image
