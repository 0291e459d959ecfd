"""Electrons lost to inelastic scattering in the ice.

A share exp(-t / Lambda) passes the thickness t elastically, with Lambda 3950 angstrom at 300 kV as
measured with an energy filter (Rice et al., J. Struct. Biol. 204, 38, 2018); what the objective
aperture stops as well makes it shorter. An energy filter stops the others; without one a share of
them arrives as a flat background.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import interpolate


def transmission(
    thickness_A: NDArray[np.float32], shape_px: tuple[int, int], mean_free_path_A: float
) -> Tensor:
    """(height, width) share of the electrons that pass a map of thickness at a coarser size."""
    passed = torch.from_numpy(np.exp(-thickness_A / mean_free_path_A).astype(np.float32))
    smooth: Tensor = interpolate(
        passed[None, None], size=shape_px, mode="bilinear", align_corners=False
    )[0, 0]
    return smooth
