"""Poses by cryoDRGN's ab-initio reconstruction, `cryodrgn abinit`, from images alone.

A hierarchical pose search and then gradient descent on a table of poses (CryoDRGN-AI, Levy et al.,
Nat. Methods 2025). It estimates the map together with the poses, so that its frame, and
its hand, are its own: errors are scored after one global alignment. Each image is posed by itself;
nothing is learnt that another set could use.

    WORK/particles    the particles as `cryoccd export --format cryodrgn` writes them
    WORK/abinit       what the program writes
    WORK/abinit.log   what it says

cryoDRGN is under the GPL: only its command is used.
"""

import sysconfig
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from cryoccd.downstream.pose.program import last_poses, read_poses, run_logged
from cryoccd.errors import CryoccdError, check_within
from cryoccd.io.dataset import Dataset
from cryoccd.io.export.options import ExportOptions
from cryoccd.io.export.run import export_micrographs
from cryoccd.metrics.pose.poses import Poses


@dataclass(frozen=True)
class AbinitOptions:
    """What may be chosen of `cryodrgn abinit`; the rest is as it comes.

    Args:
        epochs: passes through the images, pose search and descent together.
        box_px: side of the boxes in the micrograph; by default that of the largest species map.
        species: which to take; by default all.
        arguments: further words of the command line, such as --l-end 24.
    """

    epochs: int = 30
    box_px: int | None = None
    species: tuple[str, ...] | None = None
    arguments: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check_within("cryodrgn: epochs", self.epochs, 1, 1000, "passes")


def cryodrgn_abinit(
    root: Path, work: Path, options: AbinitOptions | None = None, seed: int = 0
) -> Poses:
    """Poses of the particles of a dataset folder, in the order of `read_particles` with this box.

    Args:
        root: a finished dataset folder with defoci; its angles are written and not looked at.
        work: a new folder.
        options: what is chosen.
        seed: of the program.

    Raises:
        CryoccdError: cryoDRGN is absent or failed, `work` is not empty, or defoci are unknown.
    """
    options = options or AbinitOptions()
    program = cryodrgn_program()
    dataset = Dataset(root)
    export = ExportOptions(box_px=options.box_px, species=options.species)
    export_micrographs(dataset, "cryodrgn", work / "particles", export)
    command = [str(program), *abinit_words(work, options, seed)]
    run_logged("cryodrgn abinit", command, work, work / "abinit.log")
    return read_poses(last_poses(work / "abinit"), dataset.pixel_size_A)


def abinit_words(work: Path, options: AbinitOptions, seed: int) -> list[str]:
    """Words of the command line after `cryodrgn`.

    Without --ctf the program fails, and so does its analysis of a map without latent variables:
    --no-analysis (cryodrgn 4.3.1).
    """
    particles = (work / "particles").absolute()
    return [
        "abinit",
        str(particles / "particles.mrcs"),
        f"--ctf={particles / 'ctf.pkl'}",
        f"--outdir={work.absolute() / 'abinit'}",
        "--zdim=0",
        f"--num-epochs={options.epochs}",
        f"--checkpoint={options.epochs}",
        f"--seed={seed}",
        "--num-workers=0",
        "--no-analysis",
        *options.arguments,
    ]


def cryodrgn_program() -> Path:
    """The command of this environment.

    Raises:
        CryoccdError: cryoDRGN is not installed.
    """
    try:
        version("cryodrgn")
    except PackageNotFoundError as error:
        raise CryoccdError("cryoDRGN is absent; pip install 'cryoccd[pose]'") from error
    return Path(sysconfig.get_path("scripts")) / "cryodrgn"
