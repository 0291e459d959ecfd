"""Foreign picks to a dataset folder: picks and images are judged first, then written one by one."""

import hashlib
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

import cryoccd
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import atomic_path, check_writable, sha256_file
from cryoccd.io.dataset import DatasetWriter
from cryoccd.io.folder import MicrographFolder, open_folder
from cryoccd.io.image_header import ImageHeader, read_image_header
from cryoccd.io.imports.centres import centres_px
from cryoccd.io.imports.item import RealItem
from cryoccd.io.imports.optics import micrograph_optics
from cryoccd.io.imports.particles import particles_of, species_of
from cryoccd.io.imports.pixel_size import set_pixel_size
from cryoccd.io.imports.quarantine import check_share, faults_of, write_quarantine
from cryoccd.io.imports.rows import gather, match
from cryoccd.io.imports.stacks import check_stacks
from cryoccd.io.picks import read_pick_tables
from cryoccd.io.progress import progress_bar

_BESIDE = ("split.csv", "optics.yaml")
_SAME_SIZE = 1e-4  # of a header's pixel size, relative: a float32 of the same number


@dataclass(frozen=True)
class ImportSettings:
    """How foreign picks are to be read.

    Args:
        pixel_size_A: of the micrographs, where their files have none.
        scale: pixels of the micrograph per pixel of the picks.
        flip_y: whether the picks count rows from the last one.
        root: folder below which the files that a STAR file names must lie.
        threshold: largest share of picks that may be left out.
    """

    pixel_size_A: float | None = None
    scale: float = 1.0
    flip_y: bool = False
    root: Path | None = None
    threshold: float = 0.01

    def __post_init__(self) -> None:
        if not 0 < self.scale < float("inf"):
            raise CryoccdError(f"scale = {self.scale}, expected pixels per pixel, above 0")
        if not 0 <= self.threshold <= 1:
            raise CryoccdError(f"threshold = {self.threshold}, expected a share of 0 to 1")
        if self.root is not None and not self.root.is_dir():
            raise CryoccdError(f"root = {self.root}: no such folder")


def import_picks(
    micrographs: Path,
    picks: Path,
    output: Path,
    settings: ImportSettings,
    quarantine: Path | None = None,
    resume: bool = False,
) -> None:
    """Write a dataset folder of real micrographs and the picks of another program.

    Everything is judged before anything is written.

    Raises:
        CryoccdError: a file is refused, too many picks are, or `output` is in the way.
    """
    folder = open_folder(micrographs, settings.pixel_size_A)
    headers = {name: _header(folder.path(name)) for name in folder.names()}
    synthetic = any(header.synthetic for header in headers.values())
    tables = read_pick_tables(picks, settings.root)
    files = sorted({picks, *(table.path for table in tables)})
    made_by = _made_by(folder, files, settings)
    writer = DatasetWriter(output, made_by, resume=resume, synthetic=synthetic)
    if writer.finished:
        return
    if quarantine is not None:
        check_writable(quarantine)
    rows = gather(tables)
    check_stacks(rows, settings.root)
    rows = match(rows, folder.names(), picks, micrographs)
    pixel_size_A = set_pixel_size(folder, settings.pixel_size_A, headers, rows, picks)
    rows[["at_x_px", "at_y_px"]] = centres_px(
        rows, headers, pixel_size_A, settings.scale, settings.flip_y
    )
    faults = faults_of(rows, headers)
    if quarantine is not None:
        write_quarantine(quarantine, rows, faults)
    check_share(rows, faults, settings.threshold)
    usable = rows[faults == ""].reset_index(drop=True)
    usable["species"] = species_of(usable)
    optics = micrograph_optics(folder, usable, pixel_size_A)
    left = [name for name in folder.names() if not writer.has(name)]
    picked = usable.groupby("micrograph").indices
    with progress_bar() as progress:
        for name in progress.track(left, description="check"):
            folder.image(name)
        for name in progress.track(left, description="import"):
            rows_of = usable.iloc[picked.get(name, [])]
            writer.write(_item(folder, name, headers[name], optics[name], rows_of))
    for name in _BESIDE:
        if (micrographs / name).is_file():
            with atomic_path(output / name) as temporary:
                shutil.copyfile(micrographs / name, temporary)
    write_quarantine(output / "quarantine.csv", rows, faults)
    writer.finish(folder.names())


def _item(
    folder: MicrographFolder,
    name: str,
    header: ImageHeader,
    optics: dict[str, float],
    picks: pd.DataFrame,
) -> RealItem:
    size_A = optics["pixel_size_A"]
    as_it_is = header.plain and abs(header.pixel_size_A / size_A - 1) <= _SAME_SIZE
    return RealItem(
        name=name,
        source=folder.path(name),
        values=None if as_it_is else folder.image(name),
        optics=optics,
        particles=particles_of(picks, optics, size_A),
        synthetic=header.synthetic,
    )


def _header(path: Path) -> ImageHeader:
    header = read_image_header(path)
    if header.sections != 1:
        raise CryoccdError(f"{path}: {header.sections} images in one file, expected one")
    return header


def _made_by(
    folder: MicrographFolder, picks: list[Path], settings: ImportSettings
) -> dict[str, Any]:
    """What the result hangs on; images by name and size, since reading them takes long."""
    beside = [folder.root / name for name in (*_BESIDE, "micrographs.star")]
    images = "\n".join(
        f"{name} {folder.path(name).stat().st_size}" for name in sorted(folder.names())
    )
    return {
        "command": "import",
        "version": cryoccd.__version__,
        **{key: value for key, value in asdict(settings).items() if key != "root"},
        "images_sha256": hashlib.sha256(images.encode()).hexdigest(),
        "picks_sha256": _digest(picks),
        "beside_sha256": _digest(beside),
    }


def _digest(paths: list[Path]) -> str:
    """One checksum of the names and contents of those files that are there."""
    lines = [f"{path.name} {sha256_file(path)}" for path in paths if path.is_file()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
