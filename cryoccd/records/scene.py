"""All that was placed in one field of view, in three dimensions."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.errors import CryoccdError


@dataclass(frozen=True)
class Particles:
    """n particles in a field.

    Args:
        positions_A: (n, 3) centres as x, y, z; x and y from the centre of pixel [0, 0], z from the
            middle of the ice, positive towards the electron source.
        eulers_deg: (n, 3) RELION rot, tilt, psi (ZYZ).
        species: (n,) index into the scene's species names.
        conformation: (n,) index of the conformation within its species, 0 for a rigid one.
    """

    positions_A: NDArray[np.float64]
    eulers_deg: NDArray[np.float64]
    species: NDArray[np.int64]
    conformation: NDArray[np.int64]

    def __post_init__(self) -> None:
        n = len(self.species)
        if self.positions_A.shape != (n, 3) or self.eulers_deg.shape != (n, 3):
            raise CryoccdError(
                f"particles: positions {self.positions_A.shape} and angles "
                f"{self.eulers_deg.shape} do not match {n} species"
            )
        if self.conformation.shape != (n,):
            raise CryoccdError(f"particles: {self.conformation.shape} conformations for {n}")

    def take(self, which: NDArray[np.bool_]) -> "Particles":
        """Those where (n,) `which` is true."""
        return Particles(
            self.positions_A[which],
            self.eulers_deg[which],
            self.species[which],
            self.conformation[which],
        )

    def __len__(self) -> int:
        return len(self.species)


@dataclass(frozen=True)
class Debris:
    """One labelled artefact that is made of specimen: a broken particle, a clump of particles.

    Args:
        kind: its class in the labels, for example "broken" or "aggregate".
        members: what it consists of, at least one; species index the scene's names.
    """

    kind: str
    members: Particles

    def __post_init__(self) -> None:
        if len(self.members) == 0:
            raise CryoccdError(f"debris {self.kind}: no members, expected at least one")

    @property
    def position_A(self) -> NDArray[np.float64]:
        """(3,) mean of the members' centres."""
        return np.asarray(self.members.positions_A.mean(axis=0))


@dataclass(frozen=True)
class Body:
    """One labelled thing that is no particle, drawn on the pixels of the field.

    Membranes, carbon, gold, crystals, blobs, the segments of a backdrop.

    Args:
        kind: its class in the labels, for example "gold_bead" or "membrane".
        position_A: its centre x, y, z, in the frame of the particles.
        top_px: row of the field on which row 0 of the arrays lies; may be outside the field.
        left_px: the same for columns.
        potential_V_A: (layers, h, w) float32 projected potential in excess of the ice, of each
            layer; may be negative.
        z_A: (layers,) height of each layer.
        footprint: (h, w) bool, the pixels that are labelled.
        loss: (h, w) float32 >= 0 or None; electrons lost by absorption and scattering beyond the
            aperture: the intensity is multiplied by exp(-loss).
    """

    kind: str
    position_A: tuple[float, float, float]
    top_px: int
    left_px: int
    potential_V_A: Tensor
    z_A: tuple[float, ...]
    footprint: Tensor
    loss: Tensor | None = None

    def __post_init__(self) -> None:
        layers, *shape = self.potential_V_A.shape
        if self.potential_V_A.ndim != 3 or layers != len(self.z_A):
            raise CryoccdError(
                f"body {self.kind}: potential {tuple(self.potential_V_A.shape)}, expected "
                f"({len(self.z_A)}, h, w): one image a height"
            )
        for name in ("footprint", "loss"):
            value = getattr(self, name)
            if value is not None and list(value.shape) != shape:
                raise CryoccdError(
                    f"body {self.kind}: {name} {tuple(value.shape)}, expected {tuple(shape)}"
                )


@dataclass(frozen=True)
class Scene:
    """All that is in one field.

    Args:
        particles: the particles, labelled with pose.
        species_names: name of each species index.
        ice_thickness_A: (ceil(h / 8), ceil(w / 8)) float32 thickness in angstrom.
        shape_px: (height, width) of the field in pixels.
        pixel_size_A: pixel size in angstrom.
        debris: artefacts made of specimen.
        bodies: membranes and all other artefacts.
    """

    particles: Particles
    species_names: tuple[str, ...]
    ice_thickness_A: NDArray[np.float32]
    shape_px: tuple[int, int]
    pixel_size_A: float
    debris: tuple[Debris, ...] = ()
    bodies: tuple[Body, ...] = ()

    def __post_init__(self) -> None:
        expected = tuple(-(-side // 8) for side in self.shape_px)
        if self.ice_thickness_A.shape != expected:
            raise CryoccdError(
                f"scene: ice map {self.ice_thickness_A.shape}, expected {expected} (1/8 of field)"
            )
        if not (self.ice_thickness_A > 0).all():
            raise CryoccdError("scene: ice_thickness_A must be above 0 everywhere")
