"""Are particles posed and placed as the model was told? Boxes aligned to the maps of their classes.

The pose that a box was drawn for is compared with the one that alignment finds in it, up to the
symmetry of the class. Alignment errs too: real boxes of known poses say by how much, and poses
exchanged among the boxes of a class say what chance reaches.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.metrics.card import Metric
from cryoccd.metrics.measure import Figure
from cryoccd.metrics.pose.errors import geodesic_deg
from cryoccd.metrics.volume.alignment import align
from cryoccd.metrics.volume.boxes import BoxSet
from cryoccd.metrics.volume.groups import over_generated
from cryoccd.records import Volume
from cryoccd.specimen.symmetry import point_group

FIGURES = (
    Figure("orientation_deg", 0.0, "angle between told and found orientation, mean of medians"),
    Figure("position_A", 0.0, "distance between told and found centre, mean of medians"),
)
"""Medians of each class, their mean."""


@dataclass(frozen=True, eq=False)
class BoxPoses:
    """Poses of the particles in the middle of boxes.

    Args:
        rotations: (n, 3, 3) matrices from the map to the box.
        offsets_px: (n, 3) x, y, z of the particle from voxel b // 2.
    """

    rotations: Tensor
    offsets_px: Tensor

    def __len__(self) -> int:
        return len(self.rotations)

    def take(self, chosen: Tensor) -> "BoxPoses":
        """Those of some boxes."""
        return BoxPoses(self.rotations[chosen], self.offsets_px[chosen])


def pose_errors(
    boxes: BoxSet,
    told: BoxPoses,
    maps: Mapping[str, Volume],
    symmetry: Mapping[str, str],
    tilt_limit_deg: float = 60.0,
    dark: bool = True,
) -> dict[str, Metric]:
    """The figures of `FIGURES` by name; notes have those of each class, and what chance reaches.

    Args:
        boxes: of any number of classes.
        told: of each box.
        maps: by class.
        symmetry: point groups by class, C1 where none is named.
        tilt_limit_deg: highest tilt, about y.
        dark: whether matter is dark in the boxes.

    Raises:
        CryoccdError: poses of other boxes, a class without map, or no such point group.
    """
    if len(told) != len(boxes):
        raise CryoccdError(f"poses: {len(told)} of {len(boxes)} boxes, expected one a box")
    angle_deg, chance_deg, away_A = (torch.zeros(len(boxes)).double() for _ in range(3))
    for label in boxes.occurring:
        name, own = boxes.classes[label], (boxes.labels == label).nonzero().flatten()
        if name not in maps:
            raise CryoccdError(f"poses: no map of {name}, known are {', '.join(maps) or 'none'}")
        size_A, known = boxes.voxel_size_A, told.take(own)
        found = align(boxes.volumes[own], maps[name], size_A, tilt_limit_deg, dark)
        group = torch.from_numpy(point_group(symmetry.get(name, "C1")))
        angle_deg[own] = geodesic_deg(known.rotations, found.rotations, group)
        other = found.rotations.roll(1, 0)
        chance_deg[own] = geodesic_deg(known.rotations, other, group)
        away_A[own] = size_A * (found.shifts_px - known.offsets_px).norm(dim=1).double()

    def medians(values: Tensor, rows: Tensor) -> list[float]:
        labels = boxes.labels[rows]
        kept = [rows[labels == label] for label in boxes.occurring]
        return [float(values[own].median()) for own in kept if len(own)]

    def listed(values: Tensor) -> str:
        every = torch.arange(len(boxes))
        named = zip(boxes.occurring, medians(values, every), strict=True)
        return ", ".join(f"{boxes.classes[label]} {value:.1f}" for label, value in named)

    def figure(values: Tensor, note: str) -> Metric:
        return over_generated(lambda rows: fmean(medians(values, rows)), boxes, note)

    chance = fmean(medians(chance_deg, torch.arange(len(boxes))))
    return {
        "orientation_deg": figure(angle_deg, f"{listed(angle_deg)}; chance {chance:.0f}"),
        "position_A": figure(away_A, listed(away_A)),
    }
