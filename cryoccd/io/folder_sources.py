"""Where a folder of micrographs takes its images, picks and optics from."""

from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.folder_optics import one_value, read_micrographs_star
from cryoccd.io.folder_tables import inside_field, read_picks
from cryoccd.io.images import IMAGE_SUFFIXES, read_image
from cryoccd.io.mrc import read_mrc

_SIZED_MICROGRAPHS = 8  # enough labels for the median size of a particle


class FolderSource(Protocol):
    """One kind of folder."""

    names: list[str]
    has_picks: bool

    def path(self, name: str) -> Path:
        """File of a micrograph."""

    def read(self, name: str) -> tuple[NDArray[np.float32], float]:
        """(h, w) image and the pixel size of its header, 0 = unknown."""

    def picks_px(self, name: str, shape_px: tuple[int, int]) -> NDArray[np.float64]:
        """(n, 2) x, y of a micrograph of a folder with picks."""

    @property
    def optics(self) -> dict[str, Any]:
        """The keys of FolderOptics that the folder tells."""

    def diameter_px(self) -> float | None:
        """Diameter of a particle by its instance labels; None where there are none."""


class PlainSource:
    """Images in micrographs/ or in the folder itself; optional picks/ and micrographs.star."""

    def __init__(self, root: Path) -> None:
        folder = root / "micrographs" if (root / "micrographs").is_dir() else root
        files = sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
        files = [p for p in files if not p.name.startswith(".")]
        if not files:
            raise CryoccdError(f"{folder}: holds no image ({', '.join(IMAGE_SUFFIXES)})")
        suffixes = sorted({p.suffix.lower() for p in files})
        if len(suffixes) > 1:
            raise CryoccdError(f"{folder}: mixes {' and '.join(suffixes)}; keep one kind of image")
        self._files = {p.stem: p for p in files}
        if len(self._files) < len(files):
            twice = next(p for p in files if self._files[p.stem] != p)
            raise CryoccdError(f"{folder}: two images named {twice.stem}; rename one")
        self.names = sorted(self._files)
        self._root = root
        self.has_picks = any((root / "picks").glob("*.csv"))

    def path(self, name: str) -> Path:
        """File of a micrograph."""
        return self._files[name]

    def read(self, name: str) -> tuple[NDArray[np.float32], float]:
        """(h, w) image and the pixel size of its header, 0 = unknown."""
        return read_image(self._files[name])

    def picks_px(self, name: str, shape_px: tuple[int, int]) -> NDArray[np.float64]:
        """(n, 2) x, y of picks/NAME.csv."""
        return read_picks(self._root / "picks" / f"{name}.csv", shape_px)

    @cached_property
    def optics(self) -> dict[str, Any]:
        """The keys of FolderOptics that micrographs.star tells, none where it is absent."""
        star = self._root / "micrographs.star"
        return read_micrographs_star(star, self.names) if star.is_file() else {}

    def diameter_px(self) -> float | None:
        """None: picks have no size."""
        return None


class DatasetSource:
    """A dataset folder of this project; picks are its truth, optics its tables.

    A truth table without a single row counts as no picks.
    """

    def __init__(self, root: Path) -> None:
        self._dataset = Dataset(root)
        self.names = sorted(self._dataset.names)
        self.has_picks = len(self._dataset.particles) > 0

    def path(self, name: str) -> Path:
        """File of a micrograph."""
        return self._dataset.root / "micrographs" / f"{name}.mrc"

    def read(self, name: str) -> tuple[NDArray[np.float32], float]:
        """(h, w) image and the pixel size of its header."""
        return read_mrc(self.path(name), ndim=2)

    def picks_px(self, name: str, shape_px: tuple[int, int]) -> NDArray[np.float64]:
        """(n, 2) x, y of the particles whose centre lies in the field."""
        centres_A = self._dataset.particles_of(name)[["x_A", "y_A"]].to_numpy(float)
        centres_px = centres_A / self._dataset.pixel_size_A
        return centres_px[inside_field(centres_px, shape_px)]

    @cached_property
    def optics(self) -> dict[str, Any]:
        """The keys of FolderOptics that the table knows, the diameter measured on the labels."""
        table = self._dataset.micrographs
        path = self._dataset.root / "micrographs.parquet"
        keys = ("voltage_kV", "cs_mm", "amplitude_contrast", "pixel_size_A")
        known = {key: table[key].dropna().to_numpy(float) for key in keys}  # NaN in real sets
        values: dict[str, Any] = {k: one_value(path, k, v) for k, v in known.items() if len(v)}
        defocus_A = ((table["defocus_u_A"] + table["defocus_v_A"]) / 2).dropna()
        if len(defocus_A):
            values["defocus_A"] = (float(defocus_A.min()), float(defocus_A.max()))
        diameter_px = self.diameter_px()
        if diameter_px is not None:
            values["particle_diameter_A"] = diameter_px * values["pixel_size_A"]
        return values

    def diameter_px(self) -> float | None:
        """Median diameter of the discs that have the area of a whole particle's label."""
        if not (self._dataset.root / "instances").is_dir():
            return None
        areas: list[int] = []
        for name in self.names[:_SIZED_MICROGRAPHS]:
            rows = self._dataset.particles_of(name)
            whole = rows.loc[~rows["on_edge"] & (rows["overlap_fraction"] < 0.05), "instance_id"]
            if len(whole):
                labels = self._dataset.image(name, "instances").astype(np.int64)
                counts = np.bincount(labels.ravel(), minlength=int(whole.max()) + 1)
                areas.extend(counts[whole.to_numpy()].tolist())
        areas = [area for area in areas if area > 0]
        return 2 * float(np.sqrt(np.median(areas) / np.pi)) if areas else None
