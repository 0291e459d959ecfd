"""The map that images and labels give: back-projection in Fourier space, corrected for the CTF.

    V = sum_i C_i X_i / (sum_i C_i^2 + regularisation)

over the central slices X of all images, each with the transfer C of its particle, put into a
transform of twice the box by torch-fourier-slice; both sums are carried as channels of one volume.
"""

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch_fourier_slice.slice_insertion import insert_central_slices_rfft_3d_multichannel
from torch_fourier_slice.volume_utils import separable_sinc2_correction

from cryoccd.geometry import euler_to_matrix
from cryoccd.verify.micrographs.fourier_symmetry import symmetrised

_REGULARISATION = 1e-3  # of the mean of sum C^2: fills what no slice has reached


class Reconstruction:
    """A volume under way.

    Args:
        box_px: side of the images and of the volume, even.
    """

    def __init__(self, box_px: int) -> None:
        self.box_px = box_px
        side = 2 * box_px
        self._sums = torch.zeros(2, side, side, box_px + 1, dtype=torch.complex64)

    def add(self, images: Tensor, eulers_deg: Tensor, rest_px: Tensor, transfer: Tensor) -> None:
        """Add particles.

        Args:
            images: (n, b, b).
            eulers_deg: (n, 3) rot, tilt, psi.
            rest_px: (n, 2) place x, y of each particle from pixel [b // 2, b // 2].
            transfer: (n, 2 b, b + 1) of each, in the layout of torch.fft.rfft2.
        """
        before, side = self.box_px // 2, 2 * self.box_px
        wide = pad(images, [before, self.box_px - before] * 2)
        spectra = torch.fft.rfft2(torch.fft.ifftshift(wide, dim=(-2, -1)))
        ramp_y = torch.outer(rest_px[:, 1], torch.fft.fftfreq(side, dtype=torch.float64))
        ramp_x = torch.outer(rest_px[:, 0], torch.fft.rfftfreq(side, dtype=torch.float64))
        turns = ramp_y[:, :, None] + ramp_x[:, None, :]
        centred = spectra * torch.exp(2j * torch.pi * turns).to(torch.complex64)
        channels = torch.stack([centred * transfer.conj(), transfer.abs().square()], dim=1)
        sums, _ = insert_central_slices_rfft_3d_multichannel(
            torch.fft.fftshift(channels, dim=-2),
            (side,) * 3,
            euler_to_matrix(eulers_deg.double()).mT.float(),
            fftfreq_max=0.5,
        )
        self._sums += sums

    def __add__(self, other: "Reconstruction") -> "Reconstruction":
        """Of the particles of both, which have boxes of one size: the sums are linear."""
        return self._of(self._sums + other._sums)

    def symmetrised(self, operators: Tensor) -> "Reconstruction":
        """Of every particle in all views that a point group holds equal.

        Args:
            operators: (m, 3, 3) of the group, identity first (`cryoccd.specimen.symmetry`).
        """
        return self._of(symmetrised(self._sums, operators))

    def _of(self, sums: Tensor) -> "Reconstruction":
        made = Reconstruction(self.box_px)
        made._sums = sums
        return made

    def volume(self) -> Tensor:
        """The (b, b, b) map so far, axes z, y, x, origin at voxel b // 2."""
        signal, weight = self._sums[0], self._sums[1].real
        spectrum = signal / (weight + _REGULARISATION * weight.mean())
        spectrum = torch.fft.ifftshift(spectrum, dim=(0, 1))
        wide = torch.fft.fftshift(torch.fft.irfftn(spectrum, s=(2 * self.box_px,) * 3))
        wide = wide / separable_sinc2_correction(wide.shape, device=wide.device)
        inner = slice(self.box_px // 2, self.box_px // 2 + self.box_px)
        volume: Tensor = wide[inner, inner, inner].contiguous()
        return volume
