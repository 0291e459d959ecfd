"""Projection of a potential by the Fourier slice theorem (Bracewell 1956; De Rosier & Klug 1968).

The transform of the projection of V along z after a turn by A is the central slice F(A^T k) with
k = (k_x, k_y, 0). F is cached once, of a volume padded to twice its size; a view samples it only at
the frequencies of its own box, a quarter of the padded slice. What lies beyond the Nyquist circle
is left out, so that every view has the same isotropic band.

Trilinear interpolation misses sum_i t_i (1 - t_i) / 2 d^2F/dk_i^2, t being the fractions between
the grid points. The usual 1 / sinc^2 in real space corrects that for the mean of t (1 - t) and is
wrong at the grid points themselves, above all at zero frequency. Here the mean over the axes of
the second derivatives, the transform of -|2 pi x|^2 V / 3, is cached beside F and added with its
own fractions.
"""

from pathlib import Path

import torch
from torch import Tensor
from torch_image_interpolation import sample_image_3d

from cryoccd.errors import CryoccdError
from cryoccd.geometry import euler_to_matrix
from cryoccd.records import Volume

_SAMPLES_AT_ONCE = 2**20


class Projector:
    """Projects one potential into any number of views.

    Args:
        volume: potential in volts; its origin is voxel n // 2 of each axis.
        device: where the transform lies and the views are made.
    """

    def __init__(self, volume: Volume, device: torch.device | str = "cpu") -> None:
        self.box_px = volume.box_px
        self.voxel_size_A = volume.voxel_size_A
        self._transform = _padded_transform(volume.values.to(device, torch.float32))

    @property
    def device(self) -> torch.device:
        """Where the views are made."""
        return self._transform.device

    def volume(self) -> Tensor:
        """The (n, n, n) potential in volts, from its transform."""
        box = self.box_px
        real, imaginary = self._transform[0], self._transform[1]
        spectrum = torch.fft.ifftshift(torch.complex(real, imaginary), dim=(0, 1))
        padded = torch.fft.fftshift(torch.fft.irfftn(spectrum, s=(2 * box,) * 3))
        before = box - box // 2
        inner = slice(before, before + box)
        volume: Tensor = padded[inner, inner, inner].contiguous()
        return volume

    def save(self, path: Path) -> None:
        """Write the cached transform, for other processes to map."""
        torch.save((self.box_px, self.voxel_size_A, self._transform.cpu()), path)

    @classmethod
    def load(cls, path: Path, device: torch.device | str = "cpu") -> "Projector":
        """The projector that `save` wrote; on the CPU all processes share one copy in memory."""
        projector = cls.__new__(cls)
        box_px, voxel_size_A, transform = torch.load(path, mmap=True, weights_only=True)
        projector.box_px, projector.voxel_size_A = box_px, voxel_size_A
        projector._transform = transform.to(device)
        return projector

    def project(
        self, eulers_deg: Tensor, shifts_px: Tensor | None = None, magnification: float = 1.0
    ) -> Tensor:
        """Projected potential, the sum of V dz, in volt angstrom.

        Args:
            eulers_deg: (n, 3) RELION rot, tilt, psi.
            shifts_px: (n, 2) sub-pixel shifts x, y of the origin away from pixel
                [box // 2, box // 2]; none by default.
            magnification: size of the view over that of the volume, in pixels and voxels.

        Returns:
            (n, box, box) float32 views; a point c of the volume appears at the first two entries
            of A @ c from the origin.
        """
        n, box = len(eulers_deg), self.box_px
        if shifts_px is None:
            shifts_px = torch.zeros(n, 2)
        matrices = euler_to_matrix(eulers_deg.double()).float().to(self.device)
        shifts_px = shifts_px.float().to(self.device)
        views = torch.empty(n, box, box, device=self.device)
        step = max(1, _SAMPLES_AT_ONCE // (box * (box // 2 + 1)))
        for start in range(0, n, step):
            part = slice(start, start + step)
            slices = self._slices(matrices[part], magnification)
            slices *= self._origin_phase(shifts_px[part])
            views[part] = torch.fft.irfft2(slices, s=(box, box))
        return views * self.voxel_size_A

    def _slices(self, matrices: Tensor, magnification: float) -> Tensor:
        """Central slices (n, box, box // 2 + 1) of the transform, origin at [0, 0]."""
        box, device = self.box_px, self.device
        k_y, k_x = torch.meshgrid(
            torch.fft.fftfreq(box, 1 / box, device=device),
            torch.arange(box // 2 + 1, device=device, dtype=torch.float32),
            indexing="ij",
        )
        # the transform of f(x / m) is that of f at m k
        inside = torch.hypot(k_y, k_x) * max(1.0, magnification) <= (box - 1) // 2
        wanted_xy = torch.stack([k_x[inside], k_y[inside]], dim=-1)
        # A^T (k_x, k_y, 0), in steps of the transform that is padded to twice the box
        xyz = 2 * magnification * wanted_xy @ matrices[:, :2]
        mirrored = xyz[..., 0] < 0  # the half with k_x < 0 is not stored: F(-k) = conj F(k)
        xyz = torch.where(mirrored[..., None], -xyz, xyz)
        between = xyz - xyz.floor()
        curved = (between * (1 - between)).sum(-1) / 2
        centre = torch.tensor([0.0, box, box], device=device)
        samples = sample_image_3d(self._transform, (xyz + centre).flip(-1))
        samples = samples[..., :2] - curved[..., None] * samples[..., 2:]
        real, imaginary = samples.unbind(-1)
        slices = torch.zeros(len(matrices), *k_y.shape, dtype=torch.complex64, device=device)
        slices[:, inside] = torch.complex(real, torch.where(mirrored, -imaginary, imaginary))
        return slices

    def _origin_phase(self, shifts_px: Tensor) -> Tensor:
        """Phase ramps (n, box, box // 2 + 1) that bring the origin to box // 2 + shift."""
        box, device = self.box_px, self.device
        at = shifts_px + box // 2
        ramp_y = torch.outer(at[:, 1], torch.fft.fftfreq(box, device=device))
        ramp_x = torch.outer(at[:, 0], torch.fft.rfftfreq(box, device=device))
        return torch.exp(-2j * torch.pi * ramp_y)[:, :, None] * torch.exp(
            -2j * torch.pi * ramp_x
        ).unsqueeze(1)


def _padded_transform(values: Tensor) -> Tensor:
    """F and its mean second derivative (4, 2n, 2n, n + 1), zero frequency at [n, n, 0].

    The channels are the real and the imaginary part of the one and of the other.
    """
    box = values.shape[0]
    if box < 4:
        raise CryoccdError(f"projector: a volume of {box} voxels, expected an edge of 4 or more")
    before = box - box // 2  # the origin, voxel box // 2, comes to voxel box of the padded cube
    padded = torch.nn.functional.pad(values, [before, box - before] * 3)
    phase2 = (torch.pi / box * torch.arange(-box, box, device=values.device)) ** 2
    second = -(phase2[:, None, None] + phase2[:, None] + phase2) / 3
    channels = []
    for weighted in (padded, padded * second):
        transform = torch.fft.rfftn(torch.fft.ifftshift(weighted))
        transform = torch.fft.fftshift(transform, dim=(0, 1))
        channels.append(torch.view_as_real(transform))
    return torch.cat(channels, dim=-1).permute(3, 0, 1, 2)  # channels adjacent in memory: faster
