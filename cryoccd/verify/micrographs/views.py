"""What a particle should look like by its labels: its projection through the CTF."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import pad

from cryoccd.imaging.ctf import ctf
from cryoccd.imaging.projection import Projector
from cryoccd.imaging.transfer import coma_phase, envelope
from cryoccd.io.dataset import Dataset
from cryoccd.records import Optics, Volume

_ANGLES = ["rot_deg", "tilt_deg", "psi_deg"]


def eulers_deg(rows: pd.DataFrame) -> Tensor:
    """(n, 3) rot, tilt, psi of rows."""
    return torch.from_numpy(rows[_ANGLES].to_numpy(np.float64, copy=True))


@dataclass(frozen=True)
class Lens:
    """Transfer functions of particles.

    Args:
        dataset: for the optics of their micrographs.
        rows: the particles, those of a micrograph next to one another.
        magnification: of the images; the pixel size is that of the tables over this.
    """

    dataset: Dataset
    rows: pd.DataFrame
    magnification: float = 1.0

    def transfer(self, side_px: int, sign: int = 1, offset_A: float | Tensor = 0.0) -> Tensor:
        """(n, side, side // 2 + 1), each at its particle's defocus.

        Args:
            side_px: of the image.
            sign: of the defocus, -1 to read it the other way.
            offset_A: added to the defocus, one for all or (n,).
        """
        parts, start = [], 0
        offsets = torch.as_tensor(offset_A, dtype=torch.float64).expand(len(self.rows))
        for name, rows in self.rows.groupby("micrograph", sort=False):
            stated = self.dataset.optics(str(name))
            pixel_size_A = stated.pixel_size_A / self.magnification
            optics = replace(stated, pixel_size_A=pixel_size_A)
            more = offsets[start : start + len(rows)]
            u_A, v_A = (
                sign * torch.from_numpy(rows[column].to_numpy(np.float64, copy=True)) + more
                for column in ("defocus_u_A", "defocus_v_A")
            )
            parts.append(_with_envelope(ctf(optics, (side_px,) * 2, u_A, v_A), optics, side_px))
            start += len(rows)
        return torch.cat(parts)


def _with_envelope(transfer: Tensor, optics: Optics, side_px: int) -> Tensor:
    damped = envelope(optics, (side_px, side_px))
    if damped is not None:
        transfer = transfer * damped
    phase = coma_phase(optics, (side_px, side_px))
    return transfer if phase is None else transfer * torch.polar(torch.ones_like(phase), phase)


def through_lens(projections: Tensor, transfer: Tensor) -> Tensor:
    """(n, box, box) images of projections; the CTF spreads them over twice the box, then it is cut.

    Args:
        projections: (n, box, box).
        transfer: (n, 2 box, box + 1).
    """
    box = projections.shape[-1]
    before = box // 2
    wide = pad(projections, [before, box - before, before, box - before])
    seen: Tensor = torch.fft.irfft2(torch.fft.rfft2(wide) * transfer, s=wide.shape[-2:])
    return seen[..., before : before + box, before : before + box]


def mirrored(projector: Projector) -> Projector:
    """The projector of the mirror image, x to -x."""
    values = projector.volume()
    flipped = torch.roll(values.flip(-1), 1 - projector.box_px % 2, dims=-1)
    return Projector(Volume(flipped.contiguous(), projector.voxel_size_A))
