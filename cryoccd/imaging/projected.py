"""A scene as projected potentials: particles and debris once, bodies as they were drawn."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cryoccd.imaging.projection import Projector
from cryoccd.imaging.stamps import Stamp, make_stamps, project_particles
from cryoccd.records import Scene

BODY_BORDER_PX = 256
"""Bodies are drawn so far beyond the field, from where the CTF still brings their signal."""


@dataclass(frozen=True)
class Projected:
    """A scene as projected potentials at heights; made once, for the image and for the labels.

    Args:
        particles: one stamp a particle.
        debris: the stamps of the members of each piece of debris.
        scene: where they come from.
        projectors: that made them.
    """

    particles: list[Stamp]
    debris: list[list[Stamp]]
    scene: Scene
    projectors: Mapping[str, Projector]

    def layers(self, border_px: int) -> tuple[list[Stamp], NDArray[np.float64]]:
        """All that scatters within a border about the field, and (n,) heights."""
        scene = self.scene
        stamps, z_A = list(self.particles), list(scene.particles.positions_A[:, 2])
        for members, debris in zip(self.debris, scene.debris, strict=True):
            stamps += members
            z_A += list(debris.members.positions_A[:, 2])
        drawn, heights_A = self.body_layers(border_px)
        return stamps + drawn, np.array([*z_A, *heights_A], dtype=np.float64)

    def body_layers(self, border_px: int) -> tuple[list[Stamp], NDArray[np.float64]]:
        """The same of the bodies alone."""
        scene = self.scene
        stamps: list[Stamp] = []
        z_A: list[float] = []
        for body in scene.bodies:
            for potential, height_A in zip(body.potential_V_A, body.z_A, strict=True):
                part = Stamp(potential, body.top_px, body.left_px).cut(scene.shape_px, border_px)
                if part is not None:
                    stamps.append(part)
                    z_A.append(height_A)
        return stamps, np.array(z_A, dtype=np.float64)


def project(scene: Scene, projectors: Mapping[str, Projector]) -> Projected:
    """Project all particles and debris of a scene.

    Raises:
        CryoccdError: a species without projector, or of another pixel size.
    """
    debris = [project_particles(part.members, scene, projectors) for part in scene.debris]
    return Projected(make_stamps(scene, projectors), debris, scene, projectors)
