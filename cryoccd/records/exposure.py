"""One simulated micrograph with its truth."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.records.optics import Optics

PARTICLE_COLUMNS = (
    "instance_id",
    "species",
    "conformation",
    "x_A",
    "y_A",
    "z_A",
    "rot_deg",
    "tilt_deg",
    "psi_deg",
    "defocus_u_A",
    "defocus_v_A",
    "astigmatism_deg",
    "visible_fraction",
    "overlap_fraction",
    "on_edge",
)
"""Columns of the truth table without the name of the micrograph."""


@dataclass(frozen=True)
class Exposure:
    """A noise-free micrograph and all its labels.

    Args:
        clean: (h, w) float32 intensity after the CTF as a fraction of the incident beam:
            background 1, under-focused particles dark (below 1).
        instances: (h, w) int32 labels, 0 = background, k = instance_id.
        ice_thickness_A: (ceil(h / 8), ceil(w / 8)) float32.
        particles: one row a particle with PARTICLE_COLUMNS.
        optics: the settings, defocus at the middle of the ice.
    """

    clean: Tensor
    instances: Tensor
    ice_thickness_A: Tensor
    particles: pd.DataFrame
    optics: Optics

    @property
    def particle_mask(self) -> Tensor:
        """(h, w) bool, true inside particles; artefacts carry labels too and do not count."""
        ids = torch.as_tensor(self.particles["instance_id"].to_numpy(np.int32, copy=True))
        return torch.isin(self.instances, ids)

    def __post_init__(self) -> None:
        if self.clean.shape != self.instances.shape:
            raise CryoccdError(
                f"exposure: clean {tuple(self.clean.shape)} and instances "
                f"{tuple(self.instances.shape)} differ in shape"
            )
        missing = [name for name in PARTICLE_COLUMNS if name not in self.particles.columns]
        if missing:
            raise CryoccdError(f"exposure: the truth table lacks the columns {missing}")
