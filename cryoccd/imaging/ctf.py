"""Contrast transfer function, by torch-ctf.

CTF(k) = -sin(chi(k) - asin(A) - phase_shift) with
chi = -pi lambda defocus(a) k^2 + pi / 2 Cs lambda^3 k^4 and
defocus(a) = (u + v) / 2 + (u - v) / 2 cos 2(a - astigmatism) (Mindell & Grigorieff 2003; Rohou &
Grigorieff 2015). The angle a of a frequency is atan2(k_y, k_x) with x along columns and y along
rows as they are stored, as RELION and CTFFIND have it.
"""

import torch
from torch import Tensor
from torch_ctf import calculate_ctf_2d

from cryoccd.records import Optics


def ctf(
    optics: Optics,
    shape_px: tuple[int, int],
    defocus_u_A: Tensor | None = None,
    defocus_v_A: Tensor | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    """Contrast transfer function in the layout of torch.fft.rfft2, +amplitude_contrast at DC.

    Args:
        optics: voltage, aberration, amplitude contrast, astigmatism angle and defocus.
        shape_px: height and width of the image.
        defocus_u_A: (n,) defoci that replace the one of `optics`, positive = under-focus.
        defocus_v_A: (n,) the same for v.
        device: where to compute; the CPU by default.

    Returns:
        (height, width // 2 + 1) float32, or (n, height, width // 2 + 1) for n defoci.
    """
    u_A = torch.as_tensor(optics.defocus_u_A if defocus_u_A is None else defocus_u_A)
    v_A = torch.as_tensor(optics.defocus_v_A if defocus_v_A is None else defocus_v_A)
    u_A, v_A = u_A.double(), v_A.double()
    # torch-ctf takes the root of (u - v) / 2: swap the axes where v is the larger
    swap_deg = torch.where(u_A < v_A, 90.0, 0.0)
    transfer: Tensor = calculate_ctf_2d(
        defocus=((u_A + v_A) / 2e4).to(device or "cpu", torch.float32),  # micrometres
        astigmatism=(u_A - v_A).abs() / 2e4,
        astigmatism_angle=optics.astigmatism_deg + swap_deg,
        voltage=optics.voltage_kV,
        spherical_aberration=optics.cs_mm,
        amplitude_contrast=optics.amplitude_contrast,
        phase_shift=optics.phase_shift_deg,
        pixel_size=optics.pixel_size_A,
        image_shape=shape_px,
        rfft=True,
        fftshift=False,
    )
    return transfer
