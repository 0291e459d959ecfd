"""One micrograph: scene, optics, exposure and camera from a seed of its own."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cryoccd.imaging.camera import CameraConfig
from cryoccd.imaging.contrast import contrast
from cryoccd.imaging.exposure import label
from cryoccd.imaging.ice_noise import ice_contrast
from cryoccd.imaging.inelastic import transmission
from cryoccd.imaging.observe import Observation, least_border_px, observe
from cryoccd.imaging.projected import Projected, project
from cryoccd.randomness import item_seed
from cryoccd.records import Exposure, Optics, Scene
from cryoccd.simulate.cast import Cast
from cryoccd.simulate.config import SimulateConfig
from cryoccd.simulate.optics import draw_optics
from cryoccd.simulate.scene import draw_scene
from cryoccd.simulate.solvent import SolventConfig


@dataclass(frozen=True)
class Shot:
    """One simulated micrograph.

    Args:
        exposure: the noise-free image with all its labels.
        image: (h, w) electrons a pixel; None where the config has no dose.
        frames: (f, h, w) the movie, where one was asked for.
    """

    exposure: Exposure
    image: Tensor | None = None
    frames: Tensor | None = None


def simulate_one(config: SimulateConfig, cast: Cast, index: int) -> Shot:
    """The micrograph of one index: the same alone and in any set of the same config."""
    generator = np.random.default_rng(item_seed(config.seed, index))
    optics = draw_optics(config.optics, config.pixel_size_A, generator)
    scene = draw_scene(config, cast, generator)
    projected = project(scene, cast.projectors)
    if config.dose is None:
        clean = 1 + contrast(projected, optics, scattering=config.scattering).cpu()
        return Shot(label(projected, clean, optics))
    noise = torch.Generator().manual_seed(item_seed(config.seed, index, "noise"))
    seen = take(config, scene, projected, optics, noise)
    return Shot(label(projected, seen.clean, optics), seen.image, seen.frames)


def take(
    config: SimulateConfig,
    scene: Scene,
    projected: Projected,
    optics: Optics,
    generator: torch.Generator,
) -> Observation:
    """What the camera writes of a scene, on the CPU."""
    assert config.dose is not None
    solvent = config.solvent or SolventConfig()
    border_px = least_border_px(config.motion, optics.pixel_size_A)
    thickness_A = scene.ice_thickness_A
    ice = None
    if solvent.noise:
        ice = ice_contrast(thickness_A, scene.shape_px, optics, generator, solvent.noise, border_px)
    passed = transmission(thickness_A, scene.shape_px, solvent.mean_free_path_A)
    diffuse = solvent.inelastic_kept * (1 - passed) if solvent.inelastic_kept else None
    return observe(
        contrast(projected, optics, border_px, config.scattering).cpu(),
        border_px,
        passed,
        ice,
        total_loss(scene),
        optics,
        config.dose,
        config.motion,
        (config.camera or CameraConfig()).build(),
        generator,
        diffuse=diffuse,
        movies=config.movies,
    )


def total_loss(scene: Scene) -> Tensor | None:
    """(h, w) exponent of the electrons that the bodies of a scene take away."""
    height, width = scene.shape_px
    total: Tensor | None = None
    for body in scene.bodies:
        if body.loss is None:
            continue
        if total is None:
            total = torch.zeros(height, width)
        top, left = max(body.top_px, 0), max(body.left_px, 0)
        bottom = min(body.top_px + body.loss.shape[0], height)
        right = min(body.left_px + body.loss.shape[1], width)
        if bottom > top and right > left:
            rows = slice(top - body.top_px, bottom - body.top_px)
            columns = slice(left - body.left_px, right - body.left_px)
            total[top:bottom, left:right] += body.loss[rows, columns]
    return total
