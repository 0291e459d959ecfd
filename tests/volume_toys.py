"""Boxes of tomograms with known answers: particles of Gaussian blobs, turned, wedged, in noise."""

import numpy as np
import torch
from scipy.spatial.transform import Rotation
from torch import Tensor

from cryoccd.metrics.volume import BoxSet, standardised
from cryoccd.records import Volume

SIDE = 32
VOXEL_A = 10.0
CLASSES = ("apple", "pear", "quince")


REACH_A = (80.0, 50.0, 110.0)


def blobs(kind: int, count: int = 10) -> tuple[Tensor, Tensor]:
    """(k, 3) centres x, y, z in angstrom and (k,) heights of a particle without symmetry."""
    draw = torch.Generator().manual_seed(100 + kind)
    centres_A = torch.randn(count, 3, generator=draw, dtype=torch.float64)
    radius_A = REACH_A[kind] * torch.rand(count, 1, generator=draw, dtype=torch.float64) ** (1 / 3)
    centres_A = centres_A / centres_A.norm(dim=1, keepdim=True) * radius_A
    return centres_A, 0.5 + torch.rand(count, generator=draw, dtype=torch.float64)


def drawn(
    kind: int,
    rotation: Tensor | None = None,
    shift_px: Tensor | None = None,
    side: int = SIDE,
    voxel_A: float = VOXEL_A,
    sigma_A: float = 9.0,
) -> Tensor:
    """(side, side, side) a turned and shifted particle; the point c of it lies at A c + shift."""
    centres_A, heights = blobs(kind)
    if rotation is not None:
        centres_A = centres_A @ rotation.T
    if shift_px is not None:
        centres_A = centres_A + shift_px * voxel_A
    axis = (torch.arange(side, dtype=torch.float64) - side // 2) * voxel_A
    along = [
        torch.exp(-((axis - centre[:, None]) ** 2) / (2 * sigma_A**2)) for centre in centres_A.T
    ]
    x, y, z = along
    return torch.einsum("k,kz,ky,kx->zyx", heights, z, y, x).float()


def toy_map(kind: int) -> Volume:
    return Volume(drawn(kind), VOXEL_A)


def turns(n: int, seed: int) -> Tensor:
    return torch.from_numpy(Rotation.random(n, random_state=seed).as_matrix())


def wedged(volumes: Tensor, tilt_limit_deg: float = 60.0) -> Tensor:
    """Boxes without the frequencies that a tilt series about y does not see."""
    side = volumes.shape[-1]
    k = torch.fft.fftfreq(side)
    seen = torch.atan2(k.abs()[:, None, None], k.abs()[None, None, :]) <= np.deg2rad(tilt_limit_deg)
    return torch.fft.ifftn(torch.fft.fftn(volumes, dim=(1, 2, 3)) * seen, dim=(1, 2, 3)).real


def white(n: int, seed: int, side: int = SIDE) -> Tensor:
    return torch.randn(n, side, side, side, generator=torch.Generator().manual_seed(seed))


def toy_boxes(
    per_class: int = 12,
    seed: int = 0,
    noise: float = 0.3,
    tomograms: int = 4,
    dark: bool = True,
    tilt_limit_deg: float = 60.0,
) -> BoxSet:
    """Boxes of three kinds of particles in random poses, standardised."""
    volumes, labels = [], []
    for kind in range(len(CLASSES)):
        for rotation in turns(per_class, seed * 10 + kind + 1):
            volumes.append(drawn(kind, rotation))
            labels.append(kind)
    stack = torch.stack(volumes)
    stack = stack / stack.std() + noise * white(len(stack), seed)
    groups = np.array([f"tomogram {k % tomograms}" for k in range(len(stack))])
    stack = wedged(-stack if dark else stack, tilt_limit_deg)
    return BoxSet(standardised(stack), torch.tensor(labels), groups, VOXEL_A, CLASSES)
