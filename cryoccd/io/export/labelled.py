"""The micrographs of a set with what an exporter needs to know of them, one after the other."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.folder_tables import inside_field
from cryoccd.io.mrc import read_mrc, read_mrc_shape


@dataclass(frozen=True)
class Labelled:
    """One micrograph and its particles.

    Args:
        name: of the micrograph.
        path: of its image.
        shape_px: height and width.
        settings: its row of micrographs.parquet.
        labels: rows of the truth, of the species asked for.
        particles: those whose centre lies on the field.
    """

    name: str
    path: Path
    shape_px: tuple[int, int]
    settings: dict[str, float]
    labels: pd.DataFrame
    particles: pd.DataFrame

    @property
    def pixel_size_A(self) -> float:
        """Angstrom per pixel."""
        return float(self.settings["pixel_size_A"])

    @property
    def centres_px(self) -> NDArray[np.float64]:
        """(n, 2) x, y from the centre of pixel [0, 0]."""
        return self.particles[["x_A", "y_A"]].to_numpy(np.float64) / self.pixel_size_A

    def image(self) -> NDArray[np.float32]:
        """(h, w) values of the micrograph."""
        return read_mrc(self.path, ndim=2)[0]


def labelled_micrographs(
    dataset: Dataset, species: tuple[str, ...] | None = None
) -> Iterator[Labelled]:
    """Micrographs in the order of the table; memory does not grow with their number.

    Raises:
        CryoccdError: an image or a table that is not what the manifest promises.
    """
    table = dataset.micrographs.set_index("micrograph")
    columns = list(table.columns)
    settings = (dict(zip(columns, row, strict=True)) for row in table.itertuples(index=False))
    for (name, rows), row in zip(dataset.walk(), settings, strict=True):
        path = dataset.root / "micrographs" / f"{name}.mrc"
        shape = read_mrc_shape(path)[-2:]
        if species is not None:
            rows = rows[rows["species"].isin(species)]
        centres_px = rows[["x_A", "y_A"]].to_numpy(np.float64) / row["pixel_size_A"]
        inside = inside_field(centres_px, (shape[0], shape[1]))
        yield Labelled(
            name=name,
            path=path,
            shape_px=(shape[0], shape[1]),
            settings=row,
            labels=rows,
            particles=rows[inside].reset_index(drop=True),
        )


@dataclass(frozen=True)
class Survey:
    """What a set holds, found in one pass over its truth.

    Args:
        species: names, sorted; the number of a class is its place here, from 1.
        oriented: whether every particle has its angles.
        focused: whether every particle has its defocus.
    """

    species: list[str]
    oriented: bool
    focused: bool


def survey(dataset: Dataset, species: tuple[str, ...] | None = None) -> Survey:
    """Survey a set, or the part of it that is exported, in constant memory.

    Raises:
        CryoccdError: a species that the set has not.
    """
    names: set[str] = set()
    oriented, focused = True, True
    for _, rows in dataset.walk():
        names.update(rows["species"].unique())
        if species is not None:
            rows = rows[rows["species"].isin(species)]
        oriented &= bool(rows[["rot_deg", "tilt_deg", "psi_deg"]].notna().all(axis=None))
        focused &= bool(rows["defocus_u_A"].notna().all())
    for name in species or ():
        if name not in names:
            raise CryoccdError(
                f"species {name}: not in {dataset.root}, expected of {', '.join(sorted(names))}"
            )
    return Survey(sorted(names), oriented, focused)
