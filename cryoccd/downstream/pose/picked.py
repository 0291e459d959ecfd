"""Particle images from picks: cut out, bright on dark, resized, normalised, each with its CTF.

A box is cut about the pixel nearest to each pick; what is left below a pixel is its rest, where
the search for a shift begins. The CTF is that of the micrograph at its mean defocus, which is
fitted to its Thon rings where it is not given; phases are not flipped.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.downstream.pose.boxes import resized
from cryoccd.downstream.pose.images import normalised, transfer_of
from cryoccd.errors import CryoccdError, check_within
from cryoccd.imaging.ctf_fit import estimate_defocus_A
from cryoccd.io.folder import FolderOptics, MicrographFolder
from cryoccd.metrics.picking.picks import require_positions
from cryoccd.records import Optics

BOX_PER_DIAMETER = 1.5
_BEYOND = 1.5  # the fit looks so much further than the range of defocus that the folder tells


@dataclass(frozen=True, eq=False)
class PickedParticles:
    """Images of picks.

    Args:
        images: (n, box, box) float32, bright on dark, background of mean 0, deviation 1.
        rests_A: (n, 2) float64 x, y of each pick from pixel [box // 2, box // 2].
        ctf: n rows of the fields of Optics, at the images' pixels.
        micrographs: (n,) name of the micrograph of each.
        left_out: picks without a whole box inside their micrograph.
    """

    images: Tensor
    rests_A: Tensor
    ctf: pd.DataFrame
    micrographs: tuple[str, ...]
    left_out: int

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

    def transfer(self, index: Tensor) -> Tensor:
        """(m, 2 box, box + 1) CTF of these particles over twice their box, as torch.fft.rfft2."""
        names = [self.micrographs[row] for row in index.tolist()]
        return transfer_of(self.ctf.iloc[index.numpy()], names, 2 * self.box_px)


def cut_picked(
    folder: MicrographFolder,
    picks: Mapping[str, NDArray[np.float64]],
    box_px: int = 48,
    box_A: float | None = None,
    defocus_A: Mapping[str, float] | None = None,
) -> PickedParticles:
    """The images of all picks, by the name of their micrograph, then as the picks are given.

    Args:
        folder: the micrographs, dark on light, and their optics.
        picks: (n, 2) x, y in pixels of each micrograph's own grid, by its name.
        box_px: side of the images, even.
        box_A: field that they show; by default 1.5 particle diameters.
        defocus_A: mean defocus by name; by default fitted to each micrograph.

    Raises:
        CryoccdError: sizes out of range, an unknown micrograph, one without a defocus, incomplete
            optics, or no pick with a whole box.
    """
    optics = folder.optics()
    field_A = BOX_PER_DIAMETER * optics.particle_diameter_A if box_A is None else box_A
    cut_px = 2 * round(field_A / optics.pixel_size_A / 2)
    check_within("picks: box_px", box_px, 16, cut_px, f"pixels, of the {cut_px} that are cut out")
    if box_px % 2:
        raise CryoccdError(f"picks: box_px = {box_px}, expected an even number")
    images, rests_px, settings, names = [], [], [], []
    for name in sorted(name for name in picks if len(picks[name])):
        require_positions(f"picks of {name}", picks[name])
        image = folder.image(name)
        boxes, rest_px = _boxes(image, picks[name], cut_px)
        if len(boxes) == 0:
            continue
        lens = _lens(optics, name, image, defocus_A, cut_px / box_px)
        images.append(normalised(resized(torch.from_numpy(boxes), box_px)))
        rests_px.append(rest_px)
        settings += [asdict(lens)] * len(boxes)
        names += [name] * len(boxes)
    if not images:
        raise CryoccdError(f"{folder.root}: no pick with a whole box of {cut_px} px; expected some")
    return PickedParticles(
        images=torch.cat(images),
        rests_A=torch.from_numpy(np.concatenate(rests_px) * optics.pixel_size_A),
        ctf=pd.DataFrame(settings),
        micrographs=tuple(names),
        left_out=sum(map(len, picks.values())) - len(names),
    )


def _boxes(
    image: NDArray[np.float32], picks_px: NDArray[np.float64], cut_px: int
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Boxes (m, cut, cut), bright on dark, of the picks whose box is whole, and their rests."""
    nearest = np.floor(picks_px + 0.5).astype(np.int64)
    low = nearest - cut_px // 2
    high = np.array(image.shape[::-1]) - cut_px
    whole = ((low >= 0) & (low <= high)).all(axis=1)
    boxes = np.empty((int(whole.sum()), cut_px, cut_px), np.float32)
    for box, (x, y) in zip(boxes, low[whole], strict=True):
        box[:] = -image[y : y + cut_px, x : x + cut_px]
    return boxes, (picks_px - nearest)[whole]


def _lens(
    optics: FolderOptics,
    name: str,
    image: NDArray[np.float32],
    defocus_A: Mapping[str, float] | None,
    binning: float,
) -> Optics:
    """The lens of a micrograph at the pixels of the particle images."""
    lens = (optics.voltage_kV, optics.cs_mm, optics.amplitude_contrast)
    if defocus_A is None:
        low_A, high_A = optics.defocus_A
        range_A = (low_A / _BEYOND, high_A * _BEYOND)
        pixels = (torch.from_numpy(image), *lens, optics.pixel_size_A)
        try:
            found_A = estimate_defocus_A(*pixels, range_A=range_A).defocus_A
        except CryoccdError as error:
            raise CryoccdError(f"{name}: {error}") from error
    elif name in defocus_A:
        found_A = defocus_A[name]
    else:
        raise CryoccdError(f"{name}: no defocus among the {len(defocus_A)} given; expected one")
    return Optics(*lens, optics.pixel_size_A * binning, found_A, found_A)
