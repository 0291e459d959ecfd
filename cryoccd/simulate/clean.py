"""One clean micrograph: scene, optics and exposure from a seed of its own."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from cryoccd.geometry import item_seed
from cryoccd.imaging.exposure import expose
from cryoccd.imaging.projection import Projector
from cryoccd.records import Exposure, Optics
from cryoccd.scene.compose import SpeciesInScene, compose_scene
from cryoccd.simulate.config import OpticsConfig, SimulateConfig


@dataclass(frozen=True)
class Cast:
    """The species of a set, ready to be placed and imaged.

    Args:
        species: name, diameter and abundance of each.
        projectors: the projector of each name.
    """

    species: tuple[SpeciesInScene, ...]
    projectors: Mapping[str, Projector]


def simulate_one(config: SimulateConfig, cast: Cast, index: int) -> Exposure:
    """The micrograph of one index: the same alone and in any set of the same config."""
    generator = np.random.default_rng(item_seed(config.seed, index))
    optics = draw_optics(config.optics, config.pixel_size_A, generator)
    scene = compose_scene(
        cast.species,
        config.particles,
        config.ice,
        config.shape_px,
        config.pixel_size_A,
        generator,
    )
    return expose(scene, cast.projectors, optics)


def draw_optics(
    config: OpticsConfig, pixel_size_A: float, generator: np.random.Generator
) -> Optics:
    """Optics of one micrograph: defocus, astigmatism and its angle uniform in their ranges."""
    mean_A = generator.uniform(*config.defocus_A)
    difference_A = generator.uniform(*config.astigmatism_A)
    return Optics(
        voltage_kV=config.voltage_kV,
        cs_mm=config.cs_mm,
        amplitude_contrast=config.amplitude_contrast,
        pixel_size_A=pixel_size_A,
        defocus_u_A=mean_A + difference_A / 2,
        defocus_v_A=mean_A - difference_A / 2,
        astigmatism_deg=generator.uniform(0.0, 180.0),
    )
