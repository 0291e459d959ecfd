"""What every artefact is: it draws labelled bodies, or debris of the species, into a field."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from math import inf
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.records import Body, Debris
from cryoccd.scene.field import Field
from cryoccd.specimen.scattering import VITREOUS_ICE_V

ICE_V = VITREOUS_ICE_V
"""Mean inner potential of vitreous ice, as in the specimen's solvent."""

BORDER_A = 500.0
"""What is wider than the field is drawn so far beyond it, from where the CTF brings its signal."""


@dataclass(frozen=True)
class Candidates:
    """The species of which debris can be made.

    Args:
        diameters_A: (k,) of each species of the scene.
        shares: (k,) their abundances, summing to 1.
        conformations: (k,) number of conformations of each.
        broken: for each species the index of its broken form among the scene's names, and the
            number of its variants; empty where none was made.
    """

    diameters_A: NDArray[np.float64]
    shares: NDArray[np.float64]
    conformations: NDArray[np.int64]
    broken: tuple[tuple[int, int], ...] = ()


class Artefact(ABC):
    """One kind of artefact.

    Attributes:
        flat: whether it is drawn for the untilted field alone.
        round: whether its bodies look the same from every side, so that a tilt only moves them.
        finest_A: period of its finest detail, of which a pixel may cover less than half.
    """

    flat: ClassVar[bool] = True
    round: ClassVar[bool] = False
    finest_A: ClassVar[float] = inf

    def check(self, pixel_size_A: float) -> None:
        """Refuse a pixel size that cannot show the finest detail.

        Raises:
            CryoccdError: it names the limit.
        """
        if 2 * pixel_size_A >= self.finest_A:
            raise CryoccdError(
                f"artefacts: {type(self).__name__} at pixel_size_A = {pixel_size_A}, expected "
                f"below {self.finest_A / 2:.2f} A so that detail of {self.finest_A} A fits"
            )

    @abstractmethod
    def draw(
        self, field: Field, candidates: Candidates, generator: np.random.Generator
    ) -> tuple[Body | Debris, ...]:
        """The artefacts of one field; each is a labelled instance of its own."""


@dataclass(frozen=True)
class Patch:
    """Pixels of the field that a body touches.

    Args:
        top_px: row of its first row.
        left_px: column of its first column.
        x_A: (h, w) position of its pixels.
        y_A: (h, w) the same along rows.
    """

    top_px: int
    left_px: int
    x_A: NDArray[np.float64]
    y_A: NDArray[np.float64]


def patch_about(field: Field, xy_A: NDArray[np.float64], reach_A: float) -> Patch:
    """The square of pixels within `reach_A` of a point, whether inside the field or not."""
    low = np.floor((xy_A - reach_A) / field.pixel_size_A).astype(int)
    high = np.ceil((xy_A + reach_A) / field.pixel_size_A).astype(int) + 1
    x, y = (np.arange(low[axis], high[axis]) * field.pixel_size_A for axis in (0, 1))
    y_A, x_A = np.meshgrid(y, x, indexing="ij")
    return Patch(int(low[1]), int(low[0]), x_A, y_A)


def body_of(
    kind: str,
    patch: Patch,
    at_A: tuple[float, float, float],
    potential_V_A: NDArray[np.float64],
    footprint: NDArray[np.bool_],
    loss: NDArray[np.float64] | None = None,
) -> Body:
    """A body of one layer on a patch."""
    return Body(
        kind=kind,
        position_A=at_A,
        top_px=patch.top_px,
        left_px=patch.left_px,
        potential_V_A=torch.from_numpy(potential_V_A.astype(np.float32))[None],
        z_A=(at_A[2],),
        footprint=torch.from_numpy(footprint),
        loss=None if loss is None else torch.from_numpy(loss.astype(np.float32)),
    )


def on_face(
    field: Field, xy_A: NDArray[np.float64], generator: np.random.Generator
) -> tuple[float, float, float]:
    """A point on the upper or the lower face of the ice."""
    half_A = float(field.local_thickness_A(xy_A[None])[0]) / 2
    return float(xy_A[0]), float(xy_A[1]), float(generator.choice([-1, 1]) * half_A)
