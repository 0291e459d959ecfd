"""Power in the missing wedge over power beside it.

A tilt series about y from -a to a leaves out the frequencies with atan |kz| / |kx| > a. With the
power P of boxes under a Hann window (`shells`),

    wedge_ratio = mean P where atan |kz| / |kx| > a / mean P where it is < a - 15 degrees

over frequencies of 0.08 to 0.22 cycles a voxel, the means over as many frequencies of every radius,
as both are wedges about the y axis. It is near 0 for a missing wedge (0.03 to 0.05 in the kx-kz
plane of the samples that Passi & Cohen 2025 released) and 1 for a filled one of isotropic boxes.
Frequencies within 2 cycles a box of the y axis are left out, where the window mixes both. It mixes
some elsewhere: of white noise without a wedge of 60 degrees the ratio is 0.10, 0.05 and 0.04 in
boxes of 32, 64 and 96 voxels, so it compares among boxes of one side only.

    wedge_error_db = |10 log10 of the ratio of generated over that of real boxes|
"""

from math import log10, nan

import torch
from torch import Tensor

from cryoccd.errors import check_within
from cryoccd.metrics.card import Metric
from cryoccd.metrics.volume.boxes import BoxSet
from cryoccd.metrics.volume.groups import over_boxes
from cryoccd.metrics.volume.shells import Frequencies, windowed_power

BAND = (0.08, 0.22)
"""Cycles a voxel: 5 to 14 cycles of a box of 64 voxels."""

_MARGIN_DEG = 15.0
_AXIS = 2.0


def wedge_powers(volumes: Tensor, tilt_limit_deg: float = 60.0) -> Tensor:
    """(n, 2) float64 mean power of each box inside and outside the wedge.

    Args:
        volumes: (n, b, b, b) boxes, axes z, y, x, tilt axis y.
        tilt_limit_deg: highest tilt, the same both ways.

    Raises:
        CryoccdError: a limit outside 20 to 85 degrees.
    """
    check_within("tilt_limit_deg", tilt_limit_deg, 20, 85, "degrees")
    side = int(volumes.shape[-1])
    k = Frequencies.of(side)
    band = (k.radius >= BAND[0] * side) & (k.radius <= BAND[1] * side)
    band &= torch.hypot(k.x, k.z) >= _AXIS
    inside = band & (k.tilt_deg > tilt_limit_deg)
    outside = band & (k.tilt_deg < tilt_limit_deg - _MARGIN_DEG)
    weights = torch.stack([inside, outside]) * k.count
    return windowed_power(volumes, weights / weights.sum((1, 2, 3), keepdim=True))


def wedge_ratio(volumes: Tensor, tilt_limit_deg: float = 60.0) -> float:
    """The ratio over all boxes."""
    inside, outside = wedge_powers(volumes, tilt_limit_deg).sum(0).tolist()
    return float(inside / outside)


def wedge_error_db(real: BoxSet, generated: BoxSet, tilt_limit_deg: float = 60.0) -> Metric:
    """Error between the sides, with the ratio of each in the note."""
    powers = [wedge_powers(boxes.volumes, tilt_limit_deg) for boxes in (real, generated)]

    def ratio(side: int, kept: Tensor) -> float:
        inside, outside = powers[side][kept].sum(0).tolist()
        return inside / outside if outside > 0 else nan

    def figure(i: Tensor, j: Tensor) -> float:
        fresh, made = ratio(0, i), ratio(1, j)
        return abs(10 * log10(made / fresh)) if min(fresh, made) > 0 else nan

    ratios = [ratio(side, torch.arange(len(power))) for side, power in enumerate(powers)]
    note = f"wedge ratio {ratios[1]:.3f} generated, {ratios[0]:.3f} real"
    return over_boxes(figure, real, generated, note)
