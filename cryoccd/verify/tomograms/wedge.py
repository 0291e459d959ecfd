"""What of a specimen's transform comes into its tomogram: the CTF in, the missing wedge out.

A tilt shows a plane of the transform through the axis; each frequency is that of the plane next to
it, with the CTF of that tilt at the particle's height after the turn.
"""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cryoccd.imaging.tilt import centre_px, tilt_matrix
from cryoccd.records import Optics

Settings = dict[str, float]


def tomogram_transfer(
    k_per_A: Tensor,
    tilts: pd.DataFrame,
    optics: Optics,
    positions_A: Tensor,
    shape_px: tuple[int, int],
) -> tuple[Tensor, Tensor]:
    """Coverage and transfer of the frequencies of particles.

    Args:
        k_per_A: (..., 3) frequencies x, y, z.
        tilts: rows of the series.
        optics: voltage, aberration, amplitude contrast, phase shift and pixel size.
        positions_A: (n, 3) of the particles at tilt 0.
        shape_px: height and width of the images.

    Returns:
        (...) whether the frequencies are covered, and (n, ...) their CTF, 0 in the wedge.
    """
    tilts = tilts.sort_values("angle_deg")
    angles_deg = torch.from_numpy(tilts["angle_deg"].to_numpy(np.float64, copy=True))
    axis_deg = float(tilts["axis_deg"].iloc[0])
    axis_rad = np.deg2rad(axis_deg)
    along = k_per_A[..., 0] * np.cos(axis_rad) + k_per_A[..., 1] * np.sin(axis_rad)
    across = k_per_A[..., 0] * np.sin(axis_rad) - k_per_A[..., 1] * np.cos(axis_rad)
    # at tilt t the beam is z cos t - across sin t: frequencies perpendicular to it are seen
    seen_deg = torch.rad2deg(torch.atan2(k_per_A[..., 2] * _sign(across), across.abs()))
    between = (angles_deg[1:] + angles_deg[:-1]) / 2
    tilt = torch.bucketize(seen_deg, between)
    first, last = (angles_deg[1] - angles_deg[0]) / 2, (angles_deg[-1] - angles_deg[-2]) / 2
    covered = (seen_deg >= angles_deg[0] - first) & (seen_deg <= angles_deg[-1] + last)

    u_A, v_A, turn_deg = (
        torch.from_numpy(tilts[name].to_numpy(np.float64, copy=True))[tilt]
        for name in ("defocus_u_A", "defocus_v_A", "astigmatism_deg")
    )
    in_view = torch.hypot(across, k_per_A[..., 2]) * _sign(across)
    angle_rad = axis_rad - torch.atan2(in_view, along) - torch.deg2rad(turn_deg)
    defocus_A = (u_A + v_A) / 2 + (u_A - v_A) / 2 * torch.cos(2 * angle_rad)
    beams = np.stack([tilt_matrix(float(t), axis_deg)[2] for t in angles_deg])
    centre_A = torch.from_numpy(centre_px(shape_px) * optics.pixel_size_A)
    heights_A = (positions_A - centre_A) @ torch.from_numpy(beams).T
    transfer = _ctf(optics, k_per_A.square().sum(-1), defocus_A - heights_A[:, tilt])
    return covered, transfer * covered


def _sign(values: Tensor) -> Tensor:
    return torch.where(values < 0, -1.0, 1.0).to(values.dtype)


def _ctf(optics: Optics, k2: Tensor, defocus_A: Tensor) -> Tensor:
    """The CTF of docs/conventions.md at squared frequencies (...), for defoci (n, ...)."""
    wavelength_A, cs_A = optics.wavelength_A, optics.cs_mm * 1e7
    chi = -torch.pi * wavelength_A * defocus_A * k2
    chi = chi + torch.pi / 2 * cs_A * wavelength_A**3 * k2**2
    constant = np.arcsin(optics.amplitude_contrast) + np.deg2rad(optics.phase_shift_deg)
    return -torch.sin(chi - float(constant))
