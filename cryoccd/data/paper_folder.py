"""A fetched entry of an archive as a plain folder: binned in Fourier space, cut to a square."""

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

import cryoccd
from cryoccd.data.paper_source import PaperSource
from cryoccd.errors import CryoccdError
from cryoccd.fourier import fourier_crop
from cryoccd.io.atomic import sha256_file, write_text
from cryoccd.io.checked import read_json
from cryoccd.io.fetch_cache import checksum_file, read_checksum
from cryoccd.io.folder_optics import FolderOptics
from cryoccd.io.folder_tables import inside_field
from cryoccd.io.folder_write import FolderWriter
from cryoccd.io.paper_set import PaperSet
from cryoccd.io.progress import progress_bar
from cryoccd.randomness import item_seed
from cryoccd.simulate.resolved import resolved
from cryoccd.specimen.config import SpecimenConfig
from cryoccd.specimen.species import diameter_A, load_specimen


def write_paper_folder(
    source: PaperSource, species: SpecimenConfig, output: Path, seed: int
) -> None:
    """Write the micrographs and picks of an entry; finished ones are kept.

    Picks beyond the square are dropped.

    Args:
        source: the entry.
        species: what is seen; its diameter is used where the data set tells none.
        output: the folder.
        seed: of the split.

    Raises:
        CryoccdError: a file that is refused, or an output that was made from something else.
    """
    paper = source.paper
    _mark(source, seed, output)
    writer = FolderWriter(output)
    if writer.finished:
        return
    names = list(source.files)
    size_A, microscope = paper.binned_pixel_size_A, paper.microscope
    optics = FolderOptics(
        microscope.voltage_kV,
        microscope.cs_mm,
        microscope.amplitude_contrast,
        size_A,
        microscope.defocus_A or source.table.defocus_A(),
        paper.particle.diameter_A or diameter_A(load_specimen(species, size_A).volumes[0]),
    )
    with progress_bar() as progress:
        title = f"bin {paper.bin} · {paper.identifier}"
        for name in progress.track([n for n in names if not writer.has(n)], description=title):
            square, points_px = _square(paper, source.image(name), source.picks_px[name])
            label = f"cryoccd {cryoccd.__version__} bin {paper.bin} of {name}"
            writer.write(name, square, size_A, points_px, label)
    writer.finish(_split(names, paper.test_share, seed), optics)


def _square(
    paper: PaperSet, image: NDArray[np.float32], picks_px: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """The middle of the binned image, and the picks in it."""
    binned = fourier_crop(torch.from_numpy(np.ascontiguousarray(image)), paper.bin).numpy()
    side, (height, width) = paper.field_px, binned.shape
    top, left = (height - side) // 2, (width - side) // 2
    square = binned[top : top + side, left : left + side].astype(np.float32)
    points_px = picks_px / paper.bin - [left, top]
    return square, points_px[inside_field(points_px, (side, side))]


def _split(names: list[str], test_share: float, seed: int) -> dict[str, str]:
    """Train or test by name; both have one at least."""
    count = min(max(1, round(test_share * len(names))), len(names) - 1)
    drawn = np.random.default_rng(item_seed(seed, "split")).permutation(sorted(names))
    test = {str(name) for name in drawn[:count]}
    return {name: "test" if name in test else "train" for name in sorted(names)}


def _mark(source: PaperSource, seed: int, output: Path) -> None:
    """Note what the output is made from, or compare it with what an earlier run noted."""
    pick_files = sorted(source.picks.rglob("*")) if source.picks.is_dir() else [source.picks]
    made_from = {
        "set": resolved(source.paper),
        "seed": seed,
        "version": cryoccd.__version__,
        "micrographs": {
            name: read_checksum(checksum_file(path)) for name, path in source.files.items()
        },
        "without_picks": source.without_picks,
        "picks": {path.name: sha256_file(path) for path in pick_files if path.is_file()},
    }
    marker = output / "paper.json"
    if not marker.is_file():
        write_text(marker, json.dumps(made_from, indent=1))
    elif read_json(marker) != json.loads(json.dumps(made_from)):
        raise CryoccdError(
            f"{output}: made from other micrographs, other picks or another configuration; remove "
            "it and the simulated sets beside it"
        )
