"""The noise-free micrograph of a scene with all its labels."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cryoccd.imaging.contrast import Scattering, contrast
from cryoccd.imaging.footprints import Footprints, draw_footprints
from cryoccd.imaging.projected import Projected, project
from cryoccd.imaging.projection import Projector
from cryoccd.imaging.stamps import joined
from cryoccd.records import (
    ARTEFACT_COLUMNS,
    PARTICLE_COLUMNS,
    Body,
    Debris,
    Exposure,
    Optics,
    Scene,
)


def expose(
    scene: Scene,
    volumes: Mapping[str, Projector],
    optics: Optics,
    scattering: Scattering = "weak_phase",
) -> Exposure:
    """Noise-free micrograph of a scene with all its labels, on the CPU.

    Args:
        scene: what lies where; no particles is legal and gives a flat image of 1.
        volumes: projector of each species, under "NAME" or "NAME-CONFORMATION" (from 1).
        optics: defocus at the middle of the ice; a particle at z_A has that minus z_A.
        scattering: see `contrast`.

    Raises:
        CryoccdError: a species without projector, or pixel sizes that differ.
    """
    projected = project(scene, volumes)
    clean = 1 + contrast(projected, optics, scattering=scattering).cpu()
    return label(projected, clean, optics)


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
