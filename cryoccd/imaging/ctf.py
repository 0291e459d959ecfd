"""Contrast transfer function, by torch-ctf.

CTF(k) = -sin(chi(k) - asin(A) - phase_shift) with
chi = -pi lambda defocus(a) k^2 + pi / 2 Cs lambda^3 k^4 and
defocus(a) = (u + v) / 2 + (u - v) / 2 cos 2(a - astigmatism) (Mindell & Grigorieff 2003; Rohou &
Grigorieff 2015). The angle a of a frequency is atan2(k_y, k_x) with x along columns and y along
rows as they are stored, as RELION and CTFFIND have it.
"""

import torch
from torch import Tensor
from torch_ctf import apply_astigmatism_to_defocus, calculate_total_phase_shift

from cryoccd.records import Optics

_ROWS_AT_ONCE = 256


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
    device = torch.device(device or "cpu")

    def number(value: Tensor | float) -> Tensor:
        return torch.as_tensor(value, dtype=torch.float32, device=device)

    mean_um = number((u_A + v_A) / 2e4)[..., None, None]
    astigmatism_um, angle_deg = (
        number((u_A - v_A).abs() / 2e4),
        number(optics.astigmatism_deg + swap_deg),
    )
    height, width = shape_px
    k_y = torch.fft.fftfreq(height, optics.pixel_size_A, device=device)
    k_x = torch.fft.rfftfreq(width, optics.pixel_size_A, device=device)
    transfer = torch.empty(*u_A.shape, height, len(k_x), device=device)
    for start in range(0, height, _ROWS_AT_ONCE):  # a large field has a dozen intermediate ones
        rows = slice(start, start + _ROWS_AT_ONCE)
        grid = torch.stack(torch.meshgrid(k_y[rows], k_x, indexing="ij"), dim=-1)
        squared = (grid**2).sum(-1)
        defocus_um = apply_astigmatism_to_defocus(mean_um, astigmatism_um, angle_deg, grid, squared)
        phase = calculate_total_phase_shift(
            defocus_um=defocus_um,
            voltage_kv=number(optics.voltage_kV),
            spherical_aberration_mm=number(optics.cs_mm),
            phase_shift_degrees=number(optics.phase_shift_deg),
            amplitude_contrast_fraction=number(optics.amplitude_contrast),
            fftfreq_grid_angstrom_squared=squared,
        )
        transfer[..., rows, :] = -torch.sin(phase)
    return transfer
