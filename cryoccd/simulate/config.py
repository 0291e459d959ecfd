"""What a simulated set is made of; every value is checked when it enters."""

from argparse import ArgumentError
from dataclasses import dataclass, field
from pathlib import Path

from jsonargparse import ArgumentParser

from cryoccd.errors import CryoccdError
from cryoccd.scene.compose import CrowdingConfig
from cryoccd.scene.ice import IceConfig


@dataclass(frozen=True)
class SpeciesConfig:
    """One species of particle.

    Args:
        source: `assembly:NAME` for a built-in assembly, or a PDB, mmCIF or MRC file.
        abundance: its share of the particles, relative to the other species.
    """

    source: str
    abundance: float = 1.0

    def __post_init__(self) -> None:
        if not self.source:
            raise CryoccdError("species: source is empty, expected assembly:NAME or a file")
        _within("species: abundance", self.abundance, 1e-6, 1e6, "a share above 0")


@dataclass(frozen=True)
class OpticsConfig:
    """The microscope and the range of its defocus.

    Args:
        voltage_kV: acceleration voltage.
        cs_mm: spherical aberration.
        amplitude_contrast: fraction of amplitude contrast.
        defocus_A: least and largest mean defocus of a micrograph, uniform, positive = under-focus.
        astigmatism_A: least and largest difference of the two defoci, at a random angle.
    """

    voltage_kV: float = 300.0
    cs_mm: float = 2.7
    amplitude_contrast: float = 0.1
    defocus_A: tuple[float, float] = (10000.0, 25000.0)
    astigmatism_A: tuple[float, float] = (0.0, 500.0)

    def __post_init__(self) -> None:
        _within("optics: voltage_kV", self.voltage_kV, 20, 3000, "kV, for example 300")
        _within("optics: cs_mm", self.cs_mm, 0, 20, "mm, for example 2.7")
        _within("optics: amplitude_contrast", self.amplitude_contrast, 0, 1, "a fraction")
        _range("optics: defocus_A", self.defocus_A, 100, 1e5, "angstrom, 1 um = 10000")
        _range("optics: astigmatism_A", self.astigmatism_A, 0, 2e4, "angstrom")


@dataclass(frozen=True)
class SimulateConfig:
    """A set of clean micrographs.

    Args:
        species: what is imaged, at least one.
        count: number of micrographs.
        seed: seed of the set; each micrograph draws from its own, made of this and its index.
        shape_px: height and width.
        pixel_size_A: pixel size.
        box_px: box of a projected particle; by default chosen from the structure.
        particles: how many, and how close.
        ice: thickness of the ice.
        optics: the microscope.
    """

    species: list[SpeciesConfig] = field(default_factory=list)
    count: int = 8
    seed: int = 0
    shape_px: tuple[int, int] = (256, 256)
    pixel_size_A: float = 4.0
    box_px: int | None = None
    particles: CrowdingConfig = field(default_factory=CrowdingConfig)
    ice: IceConfig = field(default_factory=IceConfig)
    optics: OpticsConfig = field(default_factory=OpticsConfig)

    def __post_init__(self) -> None:
        if not self.species:
            raise CryoccdError(
                "simulate: species is empty, expected a list of {source, abundance}; add one to "
                "the config, or --structure"
            )
        _within("simulate: count", self.count, 1, 10_000_000, "micrographs")
        _within("simulate: seed", self.seed, 0, 2**63 - 1, "a whole number")
        for side in self.shape_px:
            _within("simulate: shape_px", side, 32, 65536, "pixels, height and width")
        _within("simulate: pixel_size_A", self.pixel_size_A, 0.1, 100, "angstrom per pixel")
        if self.box_px is not None:
            _within(
                "simulate: box_px", self.box_px, 8, min(self.shape_px), "pixels, at most the field"
            )


def read_config(path: Path) -> SimulateConfig:
    """The configuration of a YAML file.

    Raises:
        CryoccdError: no such file, an unknown key, or a value that is refused.
    """
    parser = ArgumentParser(exit_on_error=False)
    keys = parser.add_class_arguments(SimulateConfig, as_group=False)
    try:
        settings = parser.instantiate(parser.parse_path(path))
    except (ArgumentError, TypeError) as error:
        raise CryoccdError(f"{path}: {' '.join(str(error).split())}") from error
    return SimulateConfig(**{key: settings[key] for key in keys})


def _within(name: str, value: float, low: float, high: float, unit: str) -> None:
    if not low <= value <= high:
        raise CryoccdError(f"{name} = {value}, expected {low:g} to {high:g} ({unit})")


def _range(name: str, bounds: tuple[float, float], low: float, high: float, unit: str) -> None:
    if not low <= bounds[0] <= bounds[1] <= high:
        raise CryoccdError(
            f"{name} = {list(bounds)}, expected [low, high] within {low:g} to {high:g} ({unit})"
        )
