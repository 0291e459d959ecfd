"""Particle images with known poses: what a pose estimator is trained on and tested on.

All of them lie in memory, 9.2 kB each at 48 px: 0.1 GB for 10,000.

The mean of the background, outside a circle of 75 % of the box, is 0 and the standard deviation of
the whole box 1. In noise at the usual ratios that is the deviation of the background; without
noise the background has none of its own, only fringes, so the box is what both have.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.imaging.ctf import ctf
from cryoccd.io.export.boxes import BACKGROUND_RADIUS
from cryoccd.metrics.pose.poses import Poses
from cryoccd.randomness import item_seed, noise_like
from cryoccd.records import Optics

OPTICS = [field.name for field in fields(Optics)]


@dataclass(frozen=True)
class ParticleImages:
    """Images of particles, their poses and what the lens did to them.

    Args:
        images: (n, box, box) float32, bright on dark, normalised.
        poses: rotations float32 and shifts of the particles' centres from pixel
            [box // 2, box // 2].
        ctf: n rows of the fields of Optics, at the particle's own defocus and the images' pixels;
            NaN where unknown.
        micrographs: (n,) name of the micrograph of each.
        phase_flipped: whether what is left of the CTF is its absolute value.
        left_out: particles too close to an edge for a box, or beyond it.
    """

    images: Tensor
    poses: Poses
    ctf: pd.DataFrame
    micrographs: tuple[str, ...]
    phase_flipped: bool
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.images)

    @property
    def box_px(self) -> int:
        """Side of the images."""
        return int(self.images.shape[-1])

    @property
    def pixel_size_A(self) -> float:
        """Angstrom per pixel of the images."""
        return float(self.ctf["pixel_size_A"].iloc[0])

    @property
    def shifts_px(self) -> Tensor:
        """(n, 2) shifts x, y in pixels of the images."""
        if self.poses.shifts_A is None:
            raise CryoccdError("particle images: no shifts, expected those of their boxes")
        return self.poses.shifts_A / self.pixel_size_A

    def select(self, rows: Tensor) -> "ParticleImages":
        """Those with these (m,) int64 indices, in their order; nothing is left out of them."""
        return replace(
            self,
            images=self.images[rows],
            poses=self.poses[rows],
            ctf=self.ctf.iloc[rows.numpy()].reset_index(drop=True),
            micrographs=tuple(self.micrographs[row] for row in rows.tolist()),
            left_out=0,
        )

    def transfer(self, side_px: int) -> Tensor:
        """(n, side, side // 2 + 1) what is left of each CTF, in the layout of torch.fft.rfft2.

        Args:
            side_px: of the field, in pixels of the images; twice the box holds the fringes.
        """
        found = transfer_of(self.ctf, self.micrographs, side_px)
        return found.abs() if self.phase_flipped else found

    def at_snr(self, snr: float, seed: int = 0) -> "ParticleImages":
        """The same with white noise; that of a particle depends on the seed and its number alone.

        Args:
            snr: variance of the box, which is taken as free of noise, over that of the noise.
            seed: of the noise.
        """
        seeds = (item_seed(seed, "noise", number) for number in range(len(self)))
        generators = [torch.Generator().manual_seed(each) for each in seeds]
        return replace(self, images=with_noise(self.images, snr, generators))


def transfer_of(rows: pd.DataFrame, micrographs: Sequence[str], side_px: int) -> Tensor:
    """(n, side, side // 2 + 1) CTF of particles.

    Args:
        rows: n rows of the fields of Optics.
        micrographs: (n,) names; those of one name share all but the defocus.
        side_px: of the field.
    """
    found = torch.empty(len(rows), side_px, side_px // 2 + 1)
    for places in rows.groupby(np.asarray(micrographs), sort=False).indices.values():
        part = rows.iloc[places]
        optics = Optics(**{name: float(part[name].iloc[0]) for name in OPTICS})
        u_A, v_A = (
            torch.from_numpy(part[name].to_numpy(np.float64, copy=True))
            for name in ("defocus_u_A", "defocus_v_A")
        )
        found[torch.from_numpy(places)] = ctf(optics, (side_px, side_px), u_A, v_A)
    return found


def with_noise(images: Tensor, snr: float, generators: Sequence[torch.Generator]) -> Tensor:
    """(n, b, b) normalised images with white noise of variance 1 / snr, normalised again."""
    return normalised(images + noise_like(images, generators) / snr**0.5)


def normalised(images: Tensor) -> Tensor:
    """(n, b, b) with mean 0 outside a circle of 75 % of the box and deviation 1 of the whole."""
    box = int(images.shape[-1])
    axis = (torch.arange(box) - box // 2).float()
    outside = torch.hypot(axis[:, None], axis) > BACKGROUND_RADIUS * box
    centred = images - images[:, outside].mean(1)[:, None, None]
    sd = images.std(dim=(1, 2), correction=0).clamp_min(1e-12)
    return centred / sd[:, None, None]
