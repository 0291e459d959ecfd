"""The clean micrograph of a scene in the weak-phase approximation.

I = 1 - 2 F^-1[CTF F(sigma P)] (Kirkland 2010, chapter 3; Vulovic et al., J. Struct. Biol. 183, 19,
2013), where P is the projected potential and sigma the interaction constant: with a CTF that starts
positive, under-focused particles are dark on light. Every particle has the CTF of its own height.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.fft import next_fast_len
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.imaging.ctf import ctf
from cryoccd.imaging.footprints import Footprints, draw_footprints
from cryoccd.imaging.heights import shared_heights
from cryoccd.imaging.projection import Projector
from cryoccd.imaging.stamps import Stamp, joined, make_stamps, project_particles, reach_px
from cryoccd.records import (
    ARTEFACT_COLUMNS,
    PARTICLE_COLUMNS,
    Body,
    Debris,
    Exposure,
    Optics,
    Scene,
)

_BODY_BORDER_PX = 256
"""Bodies are drawn so far beyond the field, from where the CTF still brings their signal."""


@dataclass(frozen=True)
class Projected:
    """A scene as projected potentials at heights; made once, for the image and for the labels.

    Args:
        particles: one stamp a particle.
        debris: the stamps of the members of each piece of debris.
        scene: where they come from.
    """

    particles: list[Stamp]
    debris: list[list[Stamp]]
    scene: Scene

    def layers(self, border_px: int) -> tuple[list[Stamp], NDArray[np.float64]]:
        """All that scatters within a border about the field, and (n,) heights."""
        scene = self.scene
        stamps, z_A = list(self.particles), list(scene.particles.positions_A[:, 2])
        for members, debris in zip(self.debris, scene.debris, strict=True):
            stamps += members
            z_A += list(debris.members.positions_A[:, 2])
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
    return Projected(make_stamps(scene, projectors), debris, scene)


def expose(
    scene: Scene,
    volumes: Mapping[str, Projector],
    optics: Optics,
) -> Exposure:
    """Noise-free micrograph of a scene with all its labels, on the CPU.

    Args:
        scene: what lies where; no particles is legal and gives a flat image of 1.
        volumes: projector of each species, under "NAME" or "NAME-CONFORMATION" (from 1).
        optics: defocus at the middle of the ice; a particle at z_A has that minus z_A.

    Raises:
        CryoccdError: a species without projector, or pixel sizes that differ.
    """
    projected = project(scene, volumes)
    return label(projected, 1 + contrast(projected, optics).cpu(), optics)


def contrast(projected: Projected, optics: Optics, border_px: int = 0) -> Tensor:
    """The image minus 1, (height + 2 border, width + 2 border), in the weak-phase approximation.

    Raises:
        CryoccdError: pixel sizes that differ.
    """
    scene = projected.scene
    if abs(optics.pixel_size_A / scene.pixel_size_A - 1) > 1e-4:
        raise CryoccdError(
            f"optics: pixel_size_A = {optics.pixel_size_A}, expected the scene's "
            f"{scene.pixel_size_A}"
        )
    stamps, z_A = projected.layers(border_px + _BODY_BORDER_PX)
    return weak_phase_contrast(stamps, z_A, scene.shape_px, optics, border_px)


def label(projected: Projected, clean: Tensor, optics: Optics) -> Exposure:
    """A clean image with all the labels of its scene."""
    scene = projected.scene
    whole = projected.particles + [joined(members) for members in projected.debris]
    footprints = draw_footprints(whole, scene.shape_px, scene.pixel_size_A, scene.bodies)
    return Exposure(
        clean=clean,
        instances=footprints.instances,
        ice_thickness_A=torch.from_numpy(scene.ice_thickness_A),
        particles=_truth(scene, footprints, optics),
        optics=optics,
        artefacts=_artefacts(scene, footprints),
    )


def weak_phase_contrast(
    stamps: Sequence[Stamp],
    z_A: NDArray[np.float64],
    shape_px: tuple[int, int],
    optics: Optics,
    border_px: int = 0,
) -> Tensor:
    """The image minus 1 of stamps at (n,) heights z_A, with a border about the field."""
    height, width = shape_px[0] + 2 * border_px, shape_px[1] + 2 * border_px
    if not stamps:
        return torch.zeros(height, width)
    margin = max(0, reach_px(stamps, shape_px) - border_px)
    # what spreads over one end of the padded field comes in at the other: keep both ends apart
    padding = margin + max(margin, _delocalisation_px(z_A, shape_px, optics))
    padded = next_fast_len(height + padding, real=True), next_fast_len(width + padding, real=True)
    device = stamps[0].potential.device
    heights_A, weights = shared_heights(z_A, optics)
    spectrum = torch.zeros(padded[0], padded[1] // 2 + 1, dtype=torch.complex64, device=device)
    for node, height_A in enumerate(heights_A):
        slab = torch.zeros(padded, device=device)
        for stamp, weight in zip(stamps, weights[:, node], strict=True):
            slab[stamp.window(margin + border_px)] += weight * stamp.potential
        u_A, v_A = (torch.tensor(d - height_A) for d in (optics.defocus_u_A, optics.defocus_v_A))
        spectrum += torch.fft.rfft2(slab) * ctf(optics, padded, u_A, v_A, device)
    image = torch.fft.irfft2(spectrum, s=padded)
    field: Tensor = image[margin : margin + height, margin : margin + width]
    return field * (-2 * optics.interaction_rad_per_V_A)


def _delocalisation_px(
    z_A: NDArray[np.float64],
    shape_px: tuple[int, int],
    optics: Optics,
) -> int:
    """How far the CTF moves any frequency up to Nyquist: |lambda d k - Cs lambda^3 k^3|.

    At most the longer side of the field.
    """
    k_per_A = np.linspace(0, 0.5 / optics.pixel_size_A, 64)
    wavelength_A, cs_A = optics.wavelength_A, optics.cs_mm * 1e7
    spherical_A = cs_A * wavelength_A**3 * k_per_A**3
    moved_A = [
        np.abs(wavelength_A * (defocus_A - height_A) * k_per_A - spherical_A).max()
        for defocus_A in (optics.defocus_u_A, optics.defocus_v_A)
        for height_A in (z_A.min(), z_A.max())
    ]
    return min(int(np.ceil(max(moved_A) / optics.pixel_size_A)), max(shape_px))


def _artefacts(scene: Scene, footprints: Footprints) -> pd.DataFrame:
    """One row for each piece of debris and body that shows a pixel."""
    ids = footprints.instance_id[len(scene.particles) :]
    parts: list[Debris | Body] = [*scene.debris, *scene.bodies]
    kinds = [part.kind for part in parts]
    at_A = np.array([part.position_A for part in parts]).reshape(-1, 3)
    table = pd.DataFrame({"instance_id": ids, "kind": kinds, "x_A": at_A[:, 0], "y_A": at_A[:, 1]})
    table["z_A"] = at_A[:, 2]
    return table[table["instance_id"] > 0].reset_index(drop=True)[list(ARTEFACT_COLUMNS)]


def _truth(scene: Scene, footprints: Footprints, optics: Optics) -> pd.DataFrame:
    particles = scene.particles
    n = len(particles)
    x_A, y_A, z_A = particles.positions_A.T
    rot_deg, tilt_deg, psi_deg = particles.eulers_deg.T
    table = pd.DataFrame(
        {
            "instance_id": footprints.instance_id[:n],
            "species": np.array(scene.species_names, dtype=object)[particles.species],
            "conformation": particles.conformation,
            "x_A": x_A,
            "y_A": y_A,
            "z_A": z_A,
            "rot_deg": rot_deg,
            "tilt_deg": tilt_deg,
            "psi_deg": psi_deg,
            "defocus_u_A": optics.defocus_u_A - z_A,
            "defocus_v_A": optics.defocus_v_A - z_A,
            "astigmatism_deg": optics.astigmatism_deg,
            "visible_fraction": footprints.visible_fraction[:n],
            "overlap_fraction": footprints.overlap_fraction[:n],
            "on_edge": footprints.on_edge[:n],
        },
        columns=list(PARTICLE_COLUMNS),
    )
    return table[table["instance_id"] > 0].reset_index(drop=True)
