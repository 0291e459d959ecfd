"""What Topaz reads and writes: down-sampled micrographs and tables of coordinates.

`topaz preprocess` crops in Fourier space, which keeps the centre of pixel [0, 0] and the whole
field: a side of n px becomes n // factor px and coordinates shrink by that ratio, which is not the
factor where there is a remainder.

Topaz splits tables at blanks and takes a name of digits for a number, so it is given other names.
"""

import json
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.downstream.picking.topaz_program import run_topaz, stage
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import sha256_file, write_text
from cryoccd.io.folder import MicrographFolder
from cryoccd.io.mrc import read_mrc_shape, write_mrc
from cryoccd.metrics.picking.picks import Picks

COLUMNS = ("image_name", "x_coord", "y_coord")
_AT_ONCE = 32  # micrographs a command, which spends seconds on its imports


@dataclass(frozen=True, eq=False)
class Downsampled:
    """Normalised micrographs as Topaz sees them.

    Args:
        folder: where they lie.
        full_px: (width, height) of each before, by its name.
        checksums: of the files that they were made of.
    """

    folder: Path
    full_px: Mapping[str, tuple[int, int]]
    checksums: Mapping[str, str]

    @cached_property
    def aliases(self) -> dict[str, str]:
        """Their names for Topaz."""
        return aliases(self.checksums)

    def path(self, name: str) -> Path:
        """File of a micrograph."""
        return self.folder / f"{self.aliases[name]}.mrc"

    def size_px(self, name: str) -> NDArray[np.int64]:
        """(2,) width and height."""
        return np.array(read_mrc_shape(self.path(name))[:0:-1], dtype=np.int64)

    def to_small(self, name: str, positions_px: NDArray[np.float64]) -> NDArray[np.int64]:
        """(n, 2) nearest pixels of positions in the micrograph as it was."""
        size = self.size_px(name)
        small = np.floor(positions_px * size / self.full_px[name] + 0.5).astype(np.int64)
        return small.clip(0, size - 1)

    def to_full(self, name: str, positions_px: NDArray[np.float64]) -> NDArray[np.float64]:
        """(n, 2) positions in the micrograph as it was."""
        return positions_px * (self.full_px[name] / self.size_px(name))


def downsample(
    folder: MicrographFolder, names: Sequence[str], factor: int, work: Path
) -> Downsampled:
    """Down-sample and normalise micrographs, or find them in `work`.

    Raises:
        CryoccdError: no micrographs, a constant one, or a fault of the program.
    """
    if not names:
        raise CryoccdError(f"topaz: no micrograph of {folder.root} was named; name one or more")
    short = aliases(names)
    checksums = {name: sha256_file(folder.path(name)) for name in short}

    def make(made: Path, log: Path) -> None:
        sizes = {}
        for start in range(0, len(checksums), _AT_ONCE):
            with tempfile.TemporaryDirectory(dir=work, prefix=".micrographs-") as raw:
                files = []
                for name in list(checksums)[start : start + _AT_ONCE]:
                    image = folder.image(name)
                    if image.min() == image.max():
                        raise CryoccdError(f"{folder.path(name)}: constant; leave it out")
                    sizes[name] = image.shape[::-1]
                    files.append((Path(raw) / f"{short[name]}.mrc").absolute())
                    write_mrc(files[-1], image, 1.0, "for topaz preprocess")
                options = ("--scale", factor, "--destdir", made.absolute())
                run_topaz("preprocess", *options, *files, log=log, folder=made)
        write_text(made / "sizes.json", json.dumps(sizes))

    made = stage(work, "micrographs", {"factor": factor, "files": checksums}, make)
    sizes = json.loads((made / "sizes.json").read_text(encoding="utf8"))
    return Downsampled(made, {name: tuple(size) for name, size in sizes.items()}, checksums)


def aliases(names: Iterable[str]) -> dict[str, str]:
    """Names that Topaz takes for micrographs, in alphabetical order of theirs."""
    return {name: f"m{number}" for number, name in enumerate(sorted(set(names)))}


def write_table(
    path: Path,
    positions: Mapping[str, NDArray[np.float64] | NDArray[np.int64]],
    short: Mapping[str, str],
) -> None:
    """Coordinates (n, 2) x, y of several micrographs, without scores."""
    write_text(path, _table(positions, short).to_csv(sep="\t", index=False))


def write_picks(path: Path, picks: Mapping[str, Picks], short: Mapping[str, str]) -> None:
    """Coordinates with scores."""
    table = _table({name: each.positions_px for name, each in picks.items()}, short)
    table["score"] = np.concatenate([each.scores for each in picks.values()])
    write_text(path, table.to_csv(sep="\t", index=False))


def read_picks(path: Path, short: Mapping[str, str]) -> dict[str, Picks]:
    """Picks of the micrographs of `short`, which are not in the table where there are none.

    Raises:
        CryoccdError: not a table of Topaz, or a micrograph that was not asked for.
    """
    table = pd.read_csv(path, sep="\t")
    if tuple(table.columns) != (*COLUMNS, "score"):
        raise CryoccdError(f"{path}: columns {list(table.columns)}, expected {[*COLUMNS, 'score']}")
    unknown = sorted(set(table["image_name"]) - set(short.values()))
    if unknown:
        raise CryoccdError(f"{path}: picks of {unknown[0]}, which was not asked for")
    found = {}
    for name, alias in short.items():
        rows = table[table["image_name"] == alias]
        found[name] = Picks(
            rows[["x_coord", "y_coord"]].to_numpy(np.float64), rows["score"].to_numpy(np.float64)
        )
    return found


def _table(
    positions: Mapping[str, NDArray[np.float64] | NDArray[np.int64]], short: Mapping[str, str]
) -> pd.DataFrame:
    table = pd.DataFrame(np.concatenate(list(positions.values())), columns=list(COLUMNS[1:]))
    counts = [len(each) for each in positions.values()]
    table.insert(0, COLUMNS[0], np.repeat([short[name] for name in positions], counts))
    return table
