"""What is counted: errors of each particle by kind, and the figures made of them.

Chance is the same with the estimates shuffled among the particles and aligned anew.
"""

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor

from cryoccd.metrics.pose.alignment import fit_rotation
from cryoccd.metrics.pose.bootstrap import weighted_mean, weighted_median
from cryoccd.metrics.pose.errors import geodesic_deg, in_plane_deg, view_angle_deg
from cryoccd.metrics.pose.poses import Poses
from cryoccd.randomness import item_seed

UNDER_DEG = (5, 10, 30)

Errors = dict[str, Tensor]


def errors_of(
    true: Poses, estimated: Poses, symmetry: Tensor | None, rotation: Tensor
) -> tuple[Errors, Errors]:
    """Errors (n,) by kind, unaligned and with the global rotation undone."""

    def angles(rotations: Tensor) -> Errors:
        return {
            "geodesic": geodesic_deg(true.rotations, rotations, symmetry),
            "view": view_angle_deg(true.rotations, rotations, symmetry),
            "in_plane": in_plane_deg(true.rotations, rotations, symmetry),
        }

    unaligned = angles(estimated.rotations)
    if true.shifts_A is not None and estimated.shifts_A is not None:
        apart_A = estimated.shifts_A.double() - true.shifts_A.double()
        unaligned["shift"] = apart_A.norm(dim=1)
    return unaligned, angles(estimated.rotations.double() @ rotation.T)


def chance_errors(
    true: Poses, estimated: Poses, symmetry: Tensor | None, seed: int, shuffle: int
) -> tuple[Errors, Errors]:
    """Errors of the estimates shuffled among the particles, aligned anew."""
    rng = np.random.default_rng(item_seed(seed, "shuffle", shuffle))
    shuffled = estimated[torch.from_numpy(rng.permutation(len(true)))]
    rotation, _ = fit_rotation(true.rotations, shuffled.rotations, symmetry)
    return errors_of(true, shuffled, symmetry, rotation)


def figures(errors: Mapping[str, Tensor], weights: Tensor) -> dict[str, Tensor]:
    """Figures (b,) by name, of errors (n,) by kind under (b, n) weights."""
    found = {}
    for kind, values in errors.items():
        unit = "A" if kind == "shift" else "deg"
        found[f"{kind}_mean_{unit}"] = weighted_mean(values, weights)
        found[f"{kind}_median_{unit}"] = weighted_median(values, weights)
        if kind in ("geodesic", "view"):
            for limit in UNDER_DEG:
                share = weighted_mean((values < limit).double(), weights)
                found[f"{kind}_under_{limit}deg"] = share
    return found
