"""What the lens does to each frequency: CTF, envelopes and axial coma.

Spatial envelope of a semi-angle alpha   exp(-(pi alpha (Cs lambda^2 k^3 - d k))^2)
Temporal envelope of a defocus spread s  exp(-(pi lambda s k^2)^2 / 2)
(Frank 2006, eq. 2.14 and 2.15; Kirkland 2010, chapter 3), a further Gaussian exp(-B k^2 / 4), and
for a beam tilt t the phase 2 pi Cs lambda^2 k^2 (k . t), which is odd in k and makes the transfer
complex, with the sign of RELION's rlnBeamTiltX and rlnBeamTiltY.
"""

from math import pi

import torch
from torch import Tensor

from cryoccd.fourier import frequency_grid, radial_frequency
from cryoccd.imaging.ctf import ctf
from cryoccd.records import Optics


def transfer(
    optics: Optics,
    shape_px: tuple[int, int],
    height_A: float = 0.0,
    device: torch.device | str | None = None,
) -> Tensor:
    """Transfer function of a weak phase object at a height, in the layout of torch.fft.rfft2.

    Args:
        optics: the settings, defocus at height 0.
        shape_px: height and width of the image.
        height_A: of the object; its defocus is that of the optics minus this.
        device: where to compute; the CPU by default.

    Returns:
        (height, width // 2 + 1), float32, or complex64 where the beam is tilted.
    """
    u_A, v_A = (torch.tensor(d - height_A) for d in (optics.defocus_u_A, optics.defocus_v_A))
    total = ctf(optics, shape_px, u_A, v_A, device)
    damped = envelope(optics, shape_px, height_A, device)
    if damped is not None:
        total = total * damped
    phase = coma_phase(optics, shape_px, device)
    return total if phase is None else torch.polar(total.abs(), phase) * total.sign()


def envelope(
    optics: Optics,
    shape_px: tuple[int, int],
    height_A: float = 0.0,
    device: torch.device | str | None = None,
    rfft: bool = True,
) -> Tensor | None:
    """Damping of each frequency at the mean of the two defoci; None where there is none."""
    if not (optics.convergence_mrad or optics.defocus_spread_A or optics.b_factor_A2):
        return None
    k = radial_frequency(shape_px, rfft=rfft).to(device or "cpu") / optics.pixel_size_A
    defocus_A = (optics.defocus_u_A + optics.defocus_v_A) / 2 - height_A
    wavelength_A, cs_A = optics.wavelength_A, optics.cs_mm * 1e7
    slope = cs_A * wavelength_A**2 * k**3 - defocus_A * k
    exponent = (pi * optics.convergence_mrad * 1e-3 * slope) ** 2
    exponent += (pi * wavelength_A * optics.defocus_spread_A * k**2) ** 2 / 2
    exponent += optics.b_factor_A2 * k**2 / 4
    return torch.exp(-exponent)


def coma_phase(
    optics: Optics,
    shape_px: tuple[int, int],
    device: torch.device | str | None = None,
    rfft: bool = True,
) -> Tensor | None:
    """Phase of the axial coma in radians; None where the beam is not tilted."""
    if not (optics.beam_tilt_x_mrad or optics.beam_tilt_y_mrad):
        return None
    k_y, k_x = frequency_grid(shape_px, optics.pixel_size_A, rfft=rfft)
    along = (k_x * optics.beam_tilt_x_mrad + k_y * optics.beam_tilt_y_mrad) * 1e-3
    scale = 2 * pi * optics.cs_mm * 1e7 * optics.wavelength_A**2
    phase: Tensor = scale * (k_x**2 + k_y**2) * along
    return phase.to(device or "cpu")
