"""The parts of what is known of a published data set: files, picks, microscope, particle."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from cryoccd.errors import CryoccdError, check_within


@dataclass(frozen=True)
class ArchiveImages:
    """Which files of an entry are its micrographs.

    Args:
        folder: their folder, below data/ of the entry.
        pattern: what their names match, with * and ?.
        first: least name in the order of the alphabet, where only some are wanted.
        last: largest one.
        gain: gain reference that movies are multiplied by, below data/ as well.
        gain_flip_y: whether its rows are stored in the other order than those of the movies.
    """

    folder: str
    pattern: str = "*.mrc"
    first: str | None = None
    last: str | None = None
    gain: str | None = None
    gain_flip_y: bool = False

    def __post_init__(self) -> None:
        for name, value in (("folder", self.folder), ("gain", self.gain or "gain")):
            parts = value.split("/")
            if not all(re.fullmatch(r"[\w.+ -]+", part) and part.strip(".") for part in parts):
                raise CryoccdError(f"images: {name} = {value!r}, expected a path below data/")

    def matches(self, name: str) -> bool:
        """Whether a file of the folder is one of the micrographs."""
        if not fnmatchcase(name, self.pattern) or f"{self.folder}/{name}" == self.gain:
            return False
        return (self.first or name) <= name <= (self.last or name)


@dataclass(frozen=True)
class ReferencePicks:
    """How the reference picks are to be read.

    Args:
        origin: where they are had, told where they are missing.
        scale: pixels of the deposited micrograph per pixel of the picks.
        flip_y: whether they count rows from the last one.
        threshold: largest share that may be unusable.
    """

    origin: str
    scale: float = 1.0
    flip_y: bool = False
    threshold: float = 0.01

    def __post_init__(self) -> None:
        check_within("picks: scale", self.scale, 1e-3, 1e3, "pixels per pixel")
        check_within("picks: threshold", self.threshold, 0, 1, "a share")


@dataclass(frozen=True)
class Microscope:
    """Optics that the micrographs have in common.

    Args:
        voltage_kV: acceleration voltage.
        cs_mm: spherical aberration.
        amplitude_contrast: fraction.
        defocus_A: least and largest mean defocus; None = that of the picks' STAR file.
        astigmatism_A: least and largest difference of the two defoci of simulated micrographs.
    """

    voltage_kV: float
    cs_mm: float
    amplitude_contrast: float
    defocus_A: tuple[float, float] | None = None
    astigmatism_A: tuple[float, float] = (0.0, 500.0)


@dataclass(frozen=True)
class PaperParticle:
    """The particle, and how it lies in micrographs of `field_px` pixels.

    Args:
        structure: what is simulated: pdb:ID, emdb:NUMBER, library:NAME or a file; None where
            nothing is published: the user must say.
        symmetry: point group.
        mass_kDa: mass of the whole, needed where the structure is a map.
        diameter_A: diameter of the disc that covers it; None = that of the structure.
        box_px: box of its volume after binning.
        mean: particles a micrograph.
        sd: standard deviation of their number.
        collapse_ratio: part of the box by which neighbours may overlap.
        mask_threshold: a particle is labelled where its projection exceeds 1 - mask_threshold of
            the maximum.
    """

    structure: str | None
    symmetry: str
    box_px: int
    mean: float
    sd: float
    collapse_ratio: float
    mask_threshold: float
    mass_kDa: float | None = None
    diameter_A: float | None = None

    def __post_init__(self) -> None:
        check_within("particle: box_px", self.box_px, 8, 4096, "pixels")
        check_within("particle: mean", self.mean, 0, 60000, "particles a micrograph")
        check_within("particle: collapse_ratio", self.collapse_ratio, 0, 0.99, "a share")
        check_within("particle: mask_threshold", self.mask_threshold, 0, 1, "a share")

    @property
    def least_distance_px(self) -> int:
        """Least distance of two centres, in binned pixels."""
        return int((1 - self.collapse_ratio) * self.box_px)
