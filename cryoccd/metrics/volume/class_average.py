"""FSC of class averages against the maps of the classes, beyond what aligned them.

Boxes of noise aligned to a map agree with it within the band that aligned them, to an FSC of 0.7,
and beyond it not at all; so only finer shells are scored, from one shell beyond 40 A, as a turned
box mixes neighbours, to 30 A. Noise of the same spectrum and wedge (`anchors`) through the same
alignment is the floor.

The CTF is not undone: beyond its first zero the FSC of real boxes is negative. Nor is denoising,
which may leave nothing beyond 40 A. What real boxes reach is what a model can; where that is no
more than the noise, a coarser band tells more, as that from 80 to 50 A.
"""

from collections.abc import Mapping
from math import isnan, nan
from statistics import fmean

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.metrics.card import Metric
from cryoccd.metrics.volume.aligned_class import LARGEST, SCORED_TO_A, aligned_class, scored_shells
from cryoccd.metrics.volume.alignment import ALIGNED_TO_A
from cryoccd.metrics.volume.boxes import BoxSet
from cryoccd.metrics.volume.groups import over_generated
from cryoccd.records import Volume


def fsc_beyond(
    boxes: BoxSet,
    maps: Mapping[str, Volume],
    tilt_limit_deg: float = 60.0,
    dark: bool = True,
    band_A: tuple[float, float] = (ALIGNED_TO_A, SCORED_TO_A),
    at_most: int = 50,
) -> Metric:
    """Mean over the classes of the mean FSC in a band, by default between 40 and 30 A.

    Args:
        boxes: generated ones, or real ones or noise for the rows beside them.
        maps: by class.
        tilt_limit_deg: highest tilt, about y.
        dark: whether matter is dark in the boxes.
        band_A: finest detail that aligns, and finest that is scored.
        at_most: boxes of each class, the first ones.

    Raises:
        CryoccdError: a class without map, a band without a shell, or voxels too coarse for it.
    """
    _check_band(boxes, band_A)
    kept = torch.cat([_first(boxes, label, at_most) for label in boxes.occurring])
    boxes = boxes.take(kept)
    classes = {
        label: aligned_class(
            boxes.volumes[boxes.labels == label],
            _map_of(maps, boxes.classes[label]),
            boxes.voxel_size_A,
            tilt_limit_deg,
            dark,
            band_A[0],
        )
        for label in boxes.occurring
    }
    place = torch.zeros(len(boxes), dtype=torch.int64)
    for label in classes:
        own = boxes.labels == label
        place[own] = torch.arange(int(own.sum()))

    def of_class(label: int, rows: Tensor) -> float:
        own = rows[boxes.labels[rows] == label]
        return classes[label].beyond(place[own], band_A[1]) if len(own) else nan

    every = torch.arange(len(boxes))
    notes = []
    for label, aligned in classes.items():
        resolved_A = aligned.resolution_A(place[boxes.labels == label])
        reached = "" if isnan(resolved_A) else f" ({resolved_A:.0f} A)"
        notes.append(f"{boxes.classes[label]} {of_class(label, every):.2f}{reached}")
    return over_generated(
        lambda j: fmean(of_class(label, j) for label in classes), boxes, ", ".join(notes)
    )


def _check_band(boxes: BoxSet, band_A: tuple[float, float]) -> None:
    coarse_A, fine_A = band_A
    edge_A, nyquist_A = boxes.box_px * boxes.voxel_size_A, 2 * boxes.voxel_size_A / LARGEST
    if fine_A < nyquist_A:
        raise CryoccdError(
            f"FSC: voxels of {boxes.voxel_size_A:g} A, expected {LARGEST * fine_A / 2:g} or finer "
            f"to score to {fine_A:g} A"
        )
    shells = scored_shells(edge_A, coarse_A, fine_A)
    if shells.start >= shells.stop:
        raise CryoccdError(
            f"FSC: no shell of boxes of {edge_A:g} A between {coarse_A:g} and {fine_A:g} A; take "
            "larger boxes or a wider band"
        )


def _first(boxes: BoxSet, label: int, at_most: int) -> Tensor:
    return (boxes.labels == label).nonzero().flatten()[:at_most]


def _map_of(maps: Mapping[str, Volume], name: str) -> Volume:
    if name not in maps:
        raise CryoccdError(f"FSC: no map of {name}, known are {', '.join(maps) or 'none'}")
    return maps[name]
