"""All that was placed in one field of view, in three dimensions."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

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

    def __len__(self) -> int:
        return len(self.species)


@dataclass(frozen=True)
class Artefacts:
    """Labelled artefacts: kind and (n, 3) positions in angstrom."""

    kinds: tuple[str, ...] = ()
    positions_A: NDArray[np.float64] = field(default_factory=lambda: np.zeros((0, 3)))


@dataclass(frozen=True)
class Scene:
    """Particles, artefacts and ice of one field.

    Args:
        particles: the particles.
        species_names: name of each species index.
        ice_thickness_A: (ceil(h / 8), ceil(w / 8)) float32 thickness in angstrom.
        shape_px: (height, width) of the field in pixels.
        pixel_size_A: pixel size in angstrom.
        artefacts: labelled artefacts, none by default.
    """

    particles: Particles
    species_names: tuple[str, ...]
    ice_thickness_A: NDArray[np.float32]
    shape_px: tuple[int, int]
    pixel_size_A: float
    artefacts: Artefacts = field(default_factory=Artefacts)

    def __post_init__(self) -> None:
        expected = tuple(-(-side // 8) for side in self.shape_px)
        if self.ice_thickness_A.shape != expected:
            raise CryoccdError(
                f"scene: ice map {self.ice_thickness_A.shape}, expected {expected} (1/8 of field)"
            )
        if not (self.ice_thickness_A > 0).all():
            raise CryoccdError("scene: ice_thickness_A must be above 0 everywhere")
