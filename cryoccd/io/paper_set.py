"""What is known of a published data set: where it lies, what it shows, how it was taken.

One YAML file a set, configs/paper/NAME.yaml; docs/paper.md tells what each value comes from.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from jsonargparse import ArgumentParser

from cryoccd.errors import CryoccdError, check_range, check_within
from cryoccd.io.paper_parts import ArchiveImages, Microscope, PaperParticle, ReferencePicks
from cryoccd.io.refusal import one_line

PAPER_SETS = Path("configs/paper")


@dataclass(frozen=True)
class PaperSet:
    """A published data set.

    Args:
        empiar: its number in EMPIAR.
        images: its micrographs.
        pixel_size_A: of the deposited micrographs.
        bin: integer factor of the Fourier binning.
        microscope: optics.
        picks: reference picks.
        particle: what is seen.
        field_px: side of the square that is cut from the middle of the binned micrographs.
        check_pixel_size: whether headers and picks that tell a pixel size must agree with it; not
            where they are known to be wrong.
        test_share: share of the real micrographs that is held out.
        simulated_train: simulated micrographs for training.
        simulated_test: simulated micrographs to translate.
    """

    empiar: str
    images: ArchiveImages
    pixel_size_A: float
    bin: int
    microscope: Microscope
    picks: ReferencePicks
    particle: PaperParticle
    field_px: int = 1024
    check_pixel_size: bool = True
    test_share: float = 0.2
    simulated_train: int = 100
    simulated_test: int = 1000

    def __post_init__(self) -> None:
        entry_number(f"empiar:{self.empiar}")
        check_within("pixel_size_A", self.pixel_size_A, 0.1, 100, "angstrom per pixel")
        check_within("bin", self.bin, 1, 64, "an integer factor")
        check_within("field_px", self.field_px, 32, 65536, "pixels")
        check_within("test_share", self.test_share, 0.01, 0.99, "a share")
        check_within("simulated_train", self.simulated_train, 1, 10**6, "micrographs")
        check_within("simulated_test", self.simulated_test, 1, 10**6, "micrographs")
        if self.microscope.defocus_A is not None:
            check_range("defocus_A", self.microscope.defocus_A, 100, 1e5, "angstrom")

    @property
    def identifier(self) -> str:
        """How `cryoccd fetch` calls it."""
        return f"empiar:{self.empiar}"

    @property
    def binned_pixel_size_A(self) -> float:
        """Pixel size after binning."""
        return self.pixel_size_A * self.bin


def read_paper_set(path: Path) -> PaperSet:
    """The data set of a YAML file.

    Raises:
        CryoccdError: no such file, an unknown or missing key, or a value that is refused.
    """
    if not path.is_file():
        raise CryoccdError(f"{path}: no such file; run from the top folder of the project")
    parser = ArgumentParser(exit_on_error=False)
    keys = parser.add_class_arguments(PaperSet, as_group=False)
    with one_line(parser, [path]):
        settings = parser.instantiate(parser.parse_path(path))
        return PaperSet(**{key: settings[key] for key in keys})


def find_paper_set(identifier: str, folder: Path = PAPER_SETS) -> PaperSet:
    """The data set of an identifier such as empiar:10028.

    Raises:
        CryoccdError: no such identifier, or none of the folder's files is of it.
    """
    number, known = entry_number(identifier), {}
    for path in sorted(folder.glob("*.yaml")):
        known[read_paper_set(path).empiar] = path
    if number not in known:
        listed = ", ".join(f"empiar:{each}" for each in sorted(known)) or "none"
        raise CryoccdError(
            f"{identifier}: no file of {folder} says where its micrographs lie (known: {listed}); "
            "write one as docs/paper.md tells, or run from the top folder of the project"
        )
    return read_paper_set(known[number])


def entry_number(identifier: str) -> str:
    """10028 of empiar:10028 or empiar:EMPIAR-10028.

    Raises:
        CryoccdError: another kind of identifier.
    """
    match = re.fullmatch(r"empiar:(?:EMPIAR-)?([0-9]{5,6})", identifier, re.ASCII)
    if match is None:
        raise CryoccdError(
            f"{identifier!r}: no such name, expected five or six digits as in empiar:10028"
        )
    return match[1]
