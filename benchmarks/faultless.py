"""Simulated micrographs without fault, which can be exposed again with something else in them.

An image is level (1 + clean) + noise: level is what passes the ice, in electrons a pixel, clean the
contrast of the particles behind the camera, noise that of the ice and of counting.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.imaging.camera import CameraConfig
from cryoccd.imaging.dose import DoseConfig
from cryoccd.imaging.inelastic import transmission
from cryoccd.imaging.observe import Observation
from cryoccd.imaging.projected import project
from cryoccd.imaging.projection import Projector
from cryoccd.metrics.images import normalised
from cryoccd.metrics.measure import Field
from cryoccd.randomness import item_seed
from cryoccd.records import Optics, Particles, Scene
from cryoccd.scene.crowding import CrowdingConfig
from cryoccd.scene.ice import IceConfig
from cryoccd.simulate.cast import Cast, load_specimens, measure_species, species_volumes
from cryoccd.simulate.config import OpticsConfig, SimulateConfig, SpeciesConfig
from cryoccd.simulate.micrograph import take
from cryoccd.simulate.optics import draw_optics
from cryoccd.simulate.scene import draw_scene
from cryoccd.simulate.solvent import SolventConfig

DIAMETER_A = 180.0
_SPARE = 0.8  # particles that the fault of added ones brings, over those of the faultless scene
_SOLVENT = SolventConfig(noise=3)
_DOSE = DoseConfig(dose_e_per_A2=10)
_CAMERA = CameraConfig(preset="integrating")
CONFIG = SimulateConfig(
    species=[SpeciesConfig("assembly:barrel_d7")],
    particles=CrowdingConfig(mean=10 * (1 + _SPARE)),
    ice=IceConfig(median_A=400, sigma_log=0.1, roughness=0.05, wedge=0.4),
    optics=OpticsConfig(defocus_A=(12000, 22000), astigmatism_A=(0, 400)),
    dose=_DOSE,
    solvent=_SOLVENT,
    camera=_CAMERA,
)


@dataclass(frozen=True, eq=False)
class Draw:
    """One micrograph without fault.

    Args:
        index: its number.
        scene: what is in it.
        spare: particles that have room beside those.
        optics: the lens.
        image: (h, w) electrons a pixel.
        clean: (h, w) contrast behind the camera.
        level: (h, w) electrons a pixel without contrast.
    """

    index: int
    scene: Scene
    spare: Particles
    optics: Optics
    image: Tensor
    clean: Tensor
    level: Tensor

    @property
    def noise(self) -> Tensor:
        """(h, w) electrons a pixel: of ice and counting."""
        return self.image - self.level * (1 + self.clean)

    @property
    def unit(self) -> float:
        """Scaled MAD of the image in electrons a pixel."""
        return 1.4826 * float((self.image - self.image.median()).abs().median())

    def field(self, image: Tensor | None = None) -> Field:
        """The micrograph, or another image with its labels."""
        image = self.image if image is None else image
        optics = self.optics
        xy_A = torch.from_numpy(self.scene.particles.positions_A[:, :2])
        return Field(
            image=normalised(image),
            pixel_size_A=optics.pixel_size_A,
            centres_px=xy_A / optics.pixel_size_A,
            diameter_A=DIAMETER_A,
            clean=self.clean,
            optics=optics,
        )

    def with_noise(self, noise: Tensor) -> Field:
        """The micrograph with another noise."""
        return self.field(self.level * (1 + self.clean) + noise)


class Microscope:
    """Draws micrographs and exposes changed scenes.

    Args:
        n_train: micrographs of the training split.
        seed: of all.
    """

    def __init__(self, n_train: int, seed: int = 0) -> None:
        self.seed = seed
        specimens = load_specimens(CONFIG)
        projectors = {k: Projector(v) for k, v in species_volumes(specimens).items()}
        self._cast = Cast(measure_species(CONFIG, specimens), 0, projectors)
        self._camera = _CAMERA.build()
        self.training = tuple(self.draw(index) for index in range(n_train))
        self.other = self.draw(1_000_000)

    def draw(self, index: int) -> Draw:
        """Micrograph of an index."""
        generator = np.random.default_rng(item_seed(self.seed, index))
        optics = draw_optics(CONFIG.optics, CONFIG.pixel_size_A, generator)
        scene = draw_scene(CONFIG, self._cast, generator)
        n = len(scene.particles)
        kept = np.arange(n) < round(n / (1 + _SPARE))
        spare = chosen(scene.particles, ~kept)
        scene = replace(scene, particles=chosen(scene.particles, kept))
        seen = self._observe(scene, optics, index)
        free_path_A = _SOLVENT.mean_free_path_A
        passed = transmission(scene.ice_thickness_A, scene.shape_px, free_path_A)
        level = _DOSE.dose_e_per_A2 * CONFIG.pixel_size_A**2 * passed
        clean = self._camera.expectation(seen.clean - 1)
        return Draw(index, scene, spare, optics, seen.image, clean, level)

    def with_particles(self, draw: Draw, particles: Particles) -> Field:
        """Other particles than the labels say, in the same ice and noise."""
        scene = replace(draw.scene, particles=particles)
        clean = self._camera.expectation(self._observe(scene, draw.optics, draw.index).clean - 1)
        return draw.field(draw.level * (1 + clean) + draw.noise)

    def retaken(
        self,
        draw: Draw,
        thickness_A: NDArray[np.float32] | None = None,
        optics: Optics | None = None,
        ice_noise: float = 1.0,
    ) -> Field:
        """Exposed anew with the same seeds and other ice or optics than the labels say."""
        ice_A = draw.scene.ice_thickness_A if thickness_A is None else thickness_A
        scene = replace(draw.scene, ice_thickness_A=ice_A)
        return draw.field(self._observe(scene, optics or draw.optics, draw.index, ice_noise).image)

    def _observe(
        self, scene: Scene, optics: Optics, index: int, ice_noise: float = 1.0
    ) -> Observation:
        solvent = replace(_SOLVENT, noise=ice_noise * _SOLVENT.noise)
        generator = torch.Generator().manual_seed(item_seed(self.seed, index, "noise"))
        projected = project(scene, self._cast.projectors)
        return take(replace(CONFIG, solvent=solvent), scene, projected, optics, generator)


def chosen(particles: Particles, which: NDArray[np.bool_]) -> Particles:
    """Some of the particles."""
    return Particles(*(column[which] for column in _columns(particles)))


def joined(one: Particles, two: Particles) -> Particles:
    """All particles of both."""
    pairs = zip(_columns(one), _columns(two), strict=True)
    return Particles(*(np.concatenate(pair) for pair in pairs))


def _columns(particles: Particles) -> tuple[NDArray[Any], ...]:
    p = particles
    return p.positions_A, p.eulers_deg, p.species, p.conformation
