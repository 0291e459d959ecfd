"""From a dataset folder to particle images: cut, phases flipped, resized, normalised.

A box is cut about the pixel nearest to each particle's centre, bright on dark; what is left of the
centre below a pixel is the shift. Its transform is multiplied by the sign of the particle's CTF and
cut or padded to `box_px` pixels a side, which keeps the centre at pixel [box_px // 2, box_px // 2].

Phases are flipped by default. The defocus is known wherever a pose is asked for, and a flipped
image resembles its projection, so that the network need not learn every defocus anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cryoccd.downstream.pose.images import OPTICS, ParticleImages, normalised, transfer_of
from cryoccd.errors import CryoccdError, check_within
from cryoccd.geometry import euler_to_matrix
from cryoccd.io.dataset import Dataset
from cryoccd.io.export.boxes import BoxCutter, default_box_px
from cryoccd.io.export.labelled import Labelled, labelled_micrographs, survey
from cryoccd.io.export.options import ExportOptions
from cryoccd.metrics.pose.poses import Poses

_ANGLES = ["rot_deg", "tilt_deg", "psi_deg"]
_FOCUS = ["defocus_u_A", "defocus_v_A", "astigmatism_deg"]
_REST = ["rest_x_A", "rest_y_A"]


@dataclass(frozen=True)
class BoxOptions:
    """How particles become images.

    Args:
        box_px: side of the images, even.
        box_A: side of what is cut out of the micrograph; by default that of the largest species
            map. Training and test want the same.
        kind: micrographs, or clean for those without noise.
        phase_flip: multiply by the sign of the CTF.
        species: which to take; by default all.

    Raises:
        CryoccdError: a value out of its range.
    """

    box_px: int = 48
    box_A: float | None = None
    kind: Literal["micrographs", "clean"] = "micrographs"
    phase_flip: bool = True
    species: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        check_within("pose: box_px", self.box_px, 16, 256, "pixels")
        if self.box_px % 2:
            raise CryoccdError(f"pose: box_px = {self.box_px}, expected an even number")
        if self.box_A is not None:
            check_within("pose: box_A", self.box_A, 10, 1e4, "angstrom")
        if self.kind not in ("micrographs", "clean"):
            raise CryoccdError(f"pose: kind = {self.kind}, expected micrographs or clean")


def read_particles(root: Path, options: BoxOptions | None = None) -> ParticleImages:
    """The particles of a dataset folder; its micrographs are read one by one.

    Args:
        root: a finished dataset folder, simulated, translated or imported.
        options: how the images are made.

    Raises:
        CryoccdError: a species that the set has not, angles or (where phases are flipped) defocus
            are unknown, no box is given and no map tells one, or no particle has its box inside its
            micrograph.
    """
    options = options or BoxOptions()
    dataset = Dataset(root)
    if not survey(dataset, options.species).oriented:
        raise CryoccdError(f"{root}: no angles of its particles, expected known poses")
    cutter = BoxCutter(_cut_px(dataset, options), normalise=False, background=0.0)
    left_out, images, tables = 0, [], []
    for item, kept in _whole(dataset, options, cutter):
        left_out += len(item.labels) - len(kept)
        if len(kept):
            table = _table(item, kept, cutter, options)
            boxes = torch.from_numpy(cutter.cut(item, kept))
            images.append(_images(boxes, table, options))
            tables.append(table)
    if not images:
        raise CryoccdError(
            f"{root}: no particle with a whole box of {cutter.box_px} px; give a smaller box_A"
        )
    rows = pd.concat(tables, ignore_index=True)
    rows["pixel_size_A"] *= cutter.box_px / options.box_px
    rotations = euler_to_matrix(torch.from_numpy(rows[_ANGLES].to_numpy(copy=True)))
    shifts_A = torch.from_numpy(rows[_REST].to_numpy(copy=True))
    return ParticleImages(
        images=torch.cat(images),
        poses=Poses(rotations.float(), shifts_A.float()),
        ctf=rows[OPTICS],
        micrographs=tuple(rows["micrograph"]),
        phase_flipped=options.phase_flip,
        left_out=left_out,
    )


def resized(boxes: Tensor, side_px: int, signs: Tensor | None = None) -> Tensor:
    """(n, side, side) images of the same fields as (n, b, b) boxes; b and side are even.

    Args:
        boxes: the images.
        side_px: wanted side.
        signs: (n, b, b // 2 + 1) factors of their transforms.
    """
    before = int(boxes.shape[-1])
    spectra = torch.fft.rfft2(boxes)
    if signs is not None:
        spectra = spectra * signs
    half = min(before, side_px) // 2
    wide = torch.zeros(len(boxes), side_px, side_px // 2 + 1, dtype=spectra.dtype)
    wide[:, :half, :half] = spectra[:, :half, :half]  # Nyquist has no partner: left empty
    wide[:, 1 - half :, :half] = spectra[:, 1 - half :, :half]
    small: Tensor = torch.fft.irfft2(wide, s=(side_px, side_px)) * (side_px / before) ** 2
    return small


def _cut_px(dataset: Dataset, options: BoxOptions) -> int:
    """Even side of the boxes in the micrographs."""
    if options.box_A is None:
        return default_box_px(dataset, ExportOptions())
    return 2 * round(options.box_A / dataset.pixel_size_A / 2)


def _whole(
    dataset: Dataset, options: BoxOptions, cutter: BoxCutter
) -> Iterator[tuple[Labelled, np.ndarray]]:
    """Micrographs, and the rows of their particles whose boxes lie inside."""
    for item in labelled_micrographs(dataset, options.species):
        path = dataset.root / options.kind / item.path.name
        yield replace(item, path=path), cutter.whole(item)


def _table(
    item: Labelled, kept: np.ndarray, cutter: BoxCutter, options: BoxOptions
) -> pd.DataFrame:
    """Angles, rests and optics of the particles that are kept."""
    table = pd.DataFrame([{name: item.settings[name] for name in OPTICS}] * len(kept))
    truth = item.particles.iloc[kept].reset_index(drop=True)
    table[[*_ANGLES, *_FOCUS]] = truth[[*_ANGLES, *_FOCUS]].to_numpy(np.float64)
    rest_px = (item.centres_px - cutter.centres_px(item))[kept]
    table[_REST] = item.pixel_size_A * rest_px
    table["micrograph"] = item.name
    unknown = [name for name in OPTICS if table[name].isna().any()]
    if options.phase_flip and unknown:
        raise CryoccdError(
            f"{item.name}: {unknown[0]} is unknown, so its phases cannot be flipped; give "
            "phase_flip: false, or import it with an optics.yaml"
        )
    return table


def _images(boxes: Tensor, table: pd.DataFrame, options: BoxOptions) -> Tensor:
    signs = None
    if options.phase_flip:
        signs = transfer_of(table, list(table["micrograph"]), int(boxes.shape[-1])).sign()
    return normalised(resized(boxes, options.box_px, signs))
