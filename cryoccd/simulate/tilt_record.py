"""The record of a tilt series: images and truth tables."""

from dataclasses import dataclass

import pandas as pd
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.records import Optics

TILT_COLUMNS = (
    "tilt",
    "angle_deg",
    "axis_deg",
    "acquisition",
    "pre_exposure_e_per_A2",
    "exposure_e_per_A2",
    "defocus_u_A",
    "defocus_v_A",
    "astigmatism_deg",
)
"""Columns of the table of tilts without the name of the series."""

SUBTOMOGRAM_COLUMNS = (
    "instance_id",
    "species",
    "conformation",
    "x_A",
    "y_A",
    "z_A",
    "rot_deg",
    "tilt_deg",
    "psi_deg",
)
"""Columns of the truth of a tomogram without its name; the angles are those at tilt 0."""


@dataclass(frozen=True)
class TiltSeries:
    """One tilt series with all that is known of it.

    Args:
        images: (t, h, w) float32, the tilts ascending.
        tilts: one row an image with TILT_COLUMNS; acquisition counts from 0.
        particles: one row a particle whose centre lies in the field at tilt 0, with
            SUBTOMOGRAM_COLUMNS: x_A, y_A from the centre of pixel [0, 0], z_A from the middle of
            the ice towards the source, all at tilt 0.
        optics: the settings of each tilt.
    """

    images: Tensor
    tilts: pd.DataFrame
    particles: pd.DataFrame
    optics: tuple[Optics, ...]

    def __post_init__(self) -> None:
        if not len(self.images) == len(self.tilts) == len(self.optics):
            raise CryoccdError(
                f"tilt series: {len(self.images)} images, {len(self.tilts)} rows and "
                f"{len(self.optics)} optics, expected as many of each"
            )
