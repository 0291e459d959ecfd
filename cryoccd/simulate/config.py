"""What a simulated set is made of; every value is checked when it enters."""

from dataclasses import dataclass, field
from pathlib import Path

from jsonargparse import ArgumentParser

from cryoccd.errors import CryoccdError, check_within
from cryoccd.imaging.camera import CameraConfig
from cryoccd.imaging.contrast import Scattering
from cryoccd.imaging.dose import DoseConfig
from cryoccd.imaging.motion import MotionConfig
from cryoccd.io.refusal import one_line
from cryoccd.scene.artefacts import Artefact
from cryoccd.scene.backdrop import Backdrop
from cryoccd.scene.crowding import CrowdingConfig
from cryoccd.scene.ice import IceConfig
from cryoccd.scene.membranes import Membranes
from cryoccd.scene.orientation import OrientationLaw
from cryoccd.scene.placement import PlacementLaw
from cryoccd.simulate.optics import OpticsConfig
from cryoccd.simulate.solvent import SolventConfig
from cryoccd.simulate.tilt_config import TiltConfig, TomogramConfig
from cryoccd.specimen.config import SpecimenConfig

__all__ = ["OpticsConfig", "SimulateConfig", "SpeciesConfig", "read_config"]


@dataclass(frozen=True)
class SpeciesConfig(SpecimenConfig):
    """One species of particle: a specimen, how many there are of it, where and how it lies.

    Args:
        abundance: its share of the particles, relative to the other species.
        placement: its law of placement, by default that of its class of molecule.
        orientation: its law of orientation where its place leaves that free, by default uniform.
    """

    abundance: float = 1.0
    placement: PlacementLaw | None = None
    orientation: OrientationLaw | None = None

    def __post_init__(self) -> None:
        if not self.source:
            raise CryoccdError("species: source is empty, expected assembly:NAME or a file")
        super().__post_init__()
        check_within("species: abundance", self.abundance, 1e-6, 1e6, "a share above 0")


@dataclass(frozen=True)
class SimulateConfig:
    """A set of micrographs.

    Args:
        species: what is imaged, at least one.
        count: number of micrographs.
        seed: seed of the set; each micrograph draws from its own, made of this and its index.
        shape_px: height and width.
        pixel_size_A: pixel size.
        box_px: box of a projected particle; by default chosen from the structure.
        particles: how many, and how close.
        ice: thickness of the ice.
        membranes: lipid bilayers.
        backdrop: a segmented volume that fills the field.
        artefacts: what else lies there, labelled as what it is.
        optics: the microscope.
        scattering: weak_phase is linear in the potential; phase_object and multislice are not, and
            slower.
        dose: exposure and damage; without it the micrographs are clean.
        motion: movement of the specimen during the exposure.
        solvent: noise and loss of the ice.
        camera: the camera, counting by default.
        movies: whether to write the frames as well.
        tilts: a tilt series of each field and its tomogram, instead of a micrograph; the exposure
            is that of the whole series.
        tomogram: the reconstruction.
    """

    species: list[SpeciesConfig] = field(default_factory=list)
    count: int = 8
    seed: int = 0
    shape_px: tuple[int, int] = (256, 256)
    pixel_size_A: float = 4.0
    box_px: int | None = None
    particles: CrowdingConfig = field(default_factory=CrowdingConfig)
    ice: IceConfig = field(default_factory=IceConfig)
    membranes: list[Membranes] = field(default_factory=list)
    backdrop: Backdrop | None = None
    artefacts: list[Artefact] = field(default_factory=list)
    optics: OpticsConfig = field(default_factory=OpticsConfig)
    scattering: Scattering = "weak_phase"
    dose: DoseConfig | None = None
    motion: MotionConfig | None = None
    solvent: SolventConfig | None = None
    camera: CameraConfig | None = None
    movies: bool = False
    tilts: TiltConfig | None = None
    tomogram: TomogramConfig = field(default_factory=TomogramConfig)

    def __post_init__(self) -> None:
        if not self.species:
            raise CryoccdError(
                "simulate: species is empty, expected a list of {source, abundance}; add one to "
                "the config, or --structure"
            )
        check_within("simulate: count", self.count, 1, 10_000_000, "micrographs")
        check_within("simulate: seed", self.seed, 0, 2**63 - 1, "a whole number")
        for side in self.shape_px:
            check_within("simulate: shape_px", side, 32, 65536, "pixels, height and width")
        check_within("simulate: pixel_size_A", self.pixel_size_A, 0.1, 100, "angstrom per pixel")
        if self.box_px is not None:
            most = min(self.shape_px)
            check_within("simulate: box_px", self.box_px, 8, most, "pixels, at most the field")
        if self.dose is None:
            for name in ("motion", "solvent", "camera"):
                if getattr(self, name) is not None:
                    raise CryoccdError(
                        f"simulate: {name} without dose, expected both; add "
                        "`dose: {dose_e_per_A2: 40}`"
                    )
        if self.movies and (self.dose is None or self.dose.frames < 2):
            raise CryoccdError("simulate: movies without frames, expected dose.frames of 2 or more")


def read_config(path: Path) -> SimulateConfig:
    """The configuration of a YAML file.

    Raises:
        CryoccdError: no such file, an unknown key, or a value that is refused.
    """
    parser = ArgumentParser(exit_on_error=False)
    keys = parser.add_class_arguments(SimulateConfig, as_group=False)
    with one_line(parser, [path]):
        settings = parser.instantiate(parser.parse_path(path))
        return SimulateConfig(**{key: settings[key] for key in keys})
