"""One simulated micrograph with its truth."""

from dataclasses import dataclass, field

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

ARTEFACT_COLUMNS = ("instance_id", "kind", "x_A", "y_A", "z_A")
"""Columns of the table of artefacts without the name of the micrograph."""


def no_artefacts() -> pd.DataFrame:
    """An empty table of artefacts."""
    return pd.DataFrame([], columns=list(ARTEFACT_COLUMNS))


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
        artefacts: one row a labelled artefact or membrane with ARTEFACT_COLUMNS.
    """

    clean: Tensor
    instances: Tensor
    ice_thickness_A: Tensor
    particles: pd.DataFrame
    optics: Optics
    artefacts: pd.DataFrame = field(default_factory=no_artefacts)

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
        for table, columns in (
            (self.particles, PARTICLE_COLUMNS),
            (self.artefacts, ARTEFACT_COLUMNS),
        ):
            missing = [name for name in columns if name not in table.columns]
            if missing:
                raise CryoccdError(f"exposure: a truth table lacks the columns {missing}")
