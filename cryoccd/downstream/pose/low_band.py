"""Images and projections as their Fourier coefficients up to a low-pass: few numbers each.

Of a box of L angstrom the frequencies k / L with 0 < |k| <= L / low_pass count, the half of them
that a real image does not repeat, all of one weight. At 30 A and L = 256 A that are 98 complex
numbers, so that correlations with thousands of references are one matrix product. The mean of an
image (k = 0) tells the ice and takes no part.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.geometry import matrix_to_euler
from cryoccd.imaging.projection import Projector
from cryoccd.records import Volume

_LEAST_SHELLS = 3


@dataclass(frozen=True)
class Sight:
    """Images ready to be compared with projections.

    Args:
        spectra: (n, m) complex, times the transfer, of unit norm before that.
        power: (n, m) the transfer squared.
    """

    spectra: Tensor
    power: Tensor


class LowBand:
    """The coefficients of one box and low-pass.

    Args:
        volume: the map that is projected.
        low_pass_A: shortest wavelength kept.

    Raises:
        CryoccdError: fewer than 3 shells, or a wavelength beyond Nyquist.
    """

    def __init__(self, volume: Volume, low_pass_A: float) -> None:
        self._box_px, voxel_A = volume.box_px, volume.voxel_size_A
        limit = self._box_px * voxel_A / low_pass_A + 1e-6
        shells = int(limit)
        if not _LEAST_SHELLS <= shells < self._box_px // 2:
            raise CryoccdError(
                f"low_pass_A = {low_pass_A:g}: {shells} shells of a box of {self._box_px} px of "
                f"{voxel_A:g} A, expected {_LEAST_SHELLS} to {self._box_px // 2 - 1}"
            )
        axis = torch.arange(-shells, shells + 1)
        k_y, k_x = torch.meshgrid(axis, axis[shells:], indexing="ij")
        kept = (torch.hypot(k_y.double(), k_x.double()) <= limit) & ((k_x > 0) | (k_y > 0))
        self._k_y, self._k_x = k_y[kept], k_x[kept]
        self._per_A = torch.stack([self._k_x, self._k_y]).float() / (self._box_px * voxel_A)
        self._projector = Projector(_cropped(volume, 2 * shells + 4))

    def references(self, rotations: Tensor) -> Tensor:
        """(r, m) complex coefficients of projections in (r, 3, 3) views."""
        return self._coefficients(self._projector.project(matrix_to_euler(rotations)))

    def sight(self, images: Tensor, transfer: Tensor, start_A: Tensor) -> Sight:
        """Images about their starts.

        Args:
            images: (n, b, b).
            transfer: (n, b, b // 2 + 1) in the layout of torch.fft.rfft2.
            start_A: (n, 2) x, y of what comes to the middle.
        """
        lens = self._at(transfer)
        spectra = self._coefficients(images)
        spectra = spectra / spectra.norm(dim=1, keepdim=True).clamp_min(1e-12)
        return Sight(spectra * lens * self.ramps(start_A), lens.square())

    def ramps(self, shifts_A: Tensor) -> Tensor:
        """(..., m) phases that bring what lies at (..., 2) x, y to the middle."""
        turns = shifts_A.float() @ self._per_A
        return torch.polar(torch.ones_like(turns), 2 * torch.pi * turns)

    def _coefficients(self, images: Tensor) -> Tensor:
        return self._at(torch.fft.rfft2(torch.fft.ifftshift(images, dim=(-2, -1))))

    def _at(self, plane: Tensor) -> Tensor:
        return plane[..., self._k_y % plane.shape[-2], self._k_x]


def _cropped(volume: Volume, side: int) -> Volume:
    """The map in fewer voxels of the same field, its higher frequencies left out."""
    if side >= volume.box_px:
        return volume
    spectrum = torch.fft.fftshift(torch.fft.fftn(torch.fft.ifftshift(volume.values.double())))
    low = volume.box_px // 2 - side // 2
    inner = slice(low, low + side)
    values = torch.fft.ifftn(torch.fft.ifftshift(spectrum[inner, inner, inner])).real
    coarse = torch.fft.fftshift(values).float() * (side / volume.box_px) ** 3
    return Volume(coarse, volume.voxel_size_A * volume.box_px / side)
