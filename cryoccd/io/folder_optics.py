"""Optics of a folder of micrographs: optics.yaml, or a micrographs STAR file of RELION 3.0 / 3.1.

Defocus is a range over the folder, the mean of the two axes of each micrograph; positive is
under-focus.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.folder_tables import image_stem
from cryoccd.io.star import join_optics
from cryoccd.io.star_blocks import read_blocks


@dataclass(frozen=True)
class FolderOptics:
    """What the micrographs of one folder have in common.

    Args:
        voltage_kV: acceleration voltage.
        cs_mm: spherical aberration.
        amplitude_contrast: fraction.
        pixel_size_A: pixel size.
        defocus_A: lowest and highest mean defocus.
        particle_diameter_A: diameter of the disc that covers a particle.
    """

    voltage_kV: float
    cs_mm: float
    amplitude_contrast: float
    pixel_size_A: float
    defocus_A: tuple[float, float]
    particle_diameter_A: float

    def __post_init__(self) -> None:
        low, high = self.defocus_A
        for name, value, least, most in (
            ("voltage_kV", self.voltage_kV, 20, 3000),
            ("cs_mm", self.cs_mm, 0, 20),
            ("amplitude_contrast", self.amplitude_contrast, 0, 1),
            ("pixel_size_A", self.pixel_size_A, 1e-3, 1e3),
            ("defocus_A[0]", low, -2e5, 2e5),
            ("defocus_A[1]", high, -2e5, 2e5),
            ("particle_diameter_A", self.particle_diameter_A, 1, 1e5),
        ):
            if not least <= value <= most:
                raise CryoccdError(f"{name} = {value:g}, expected {least:g} to {most:g}")
        if low > high:
            raise CryoccdError(f"defocus_A = [{low:g}, {high:g}], expected [low, high]")


OPTICS_KEYS = tuple(field.name for field in fields(FolderOptics))


def read_optics_yaml(path: Path) -> dict[str, Any]:
    """The keys of FolderOptics that the file has, as numbers.

    Raises:
        CryoccdError: no YAML mapping, an unknown key, or a value that is no number.
    """
    try:
        values = yaml.safe_load(path.read_text(encoding="utf8"))
    except (yaml.YAMLError, OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise CryoccdError(f"{path}: not readable as YAML ({reason})") from error
    if not isinstance(values, dict):
        raise CryoccdError(f"{path}: expected lines KEY: VALUE with {', '.join(OPTICS_KEYS)}")
    for key, value in values.items():
        if key not in OPTICS_KEYS:
            hint = _close(str(key), OPTICS_KEYS)
            raise CryoccdError(f"{path}: unknown key {key}{hint}; known: {', '.join(OPTICS_KEYS)}")
        if key == "defocus_A":
            if not (isinstance(value, list) and len(value) == 2 and all(map(_is_number, value))):
                raise CryoccdError(f"{path}: defocus_A = {value}, expected [low, high] in angstrom")
            values[key] = (float(value[0]), float(value[1]))
        elif not _is_number(value):
            raise CryoccdError(f"{path}: {key} = {value!r}, expected a number")
        else:
            values[key] = float(value)
    return values


def read_micrographs_star(path: Path, names: list[str]) -> dict[str, Any]:
    """The keys of FolderOptics that a RELION 3.0 or 3.1 micrographs STAR file tells.

    Args:
        path: the STAR file; of rlnMicrographName only the file's stem counts.
        names: the folder's micrographs; each must have a row.

    Raises:
        CryoccdError: unreadable, a column missing or not of RELION, a micrograph without a row,
            or values that differ where one is expected.
    """
    table = _star_table(path)
    foreign = [name for name in table.columns if not str(name).startswith("rln")]
    if foreign:
        raise CryoccdError(f"{path}: unknown column {foreign[0]}, RELION's begin with rln")
    stems = [image_stem(str(name)) for name in _column(path, table, "rlnMicrographName")]
    missing = [name for name in names if name not in stems]
    if missing:
        raise CryoccdError(f"{path}: no row for {missing[0]} in rlnMicrographName")
    table = table[np.isin(stems, names)]

    def numbers(name: str) -> NDArray[np.float64]:
        values = pd.to_numeric(_column(path, table, name), errors="coerce").to_numpy(float)
        if not np.isfinite(values).all():
            raise CryoccdError(f"{path}: {name} holds a value that is no number")
        return values

    defocus_A = (numbers("rlnDefocusU") + numbers("rlnDefocusV")) / 2
    values: dict[str, Any] = {"defocus_A": (float(defocus_A.min()), float(defocus_A.max()))}
    for name, key in (
        ("rlnVoltage", "voltage_kV"),
        ("rlnSphericalAberration", "cs_mm"),
        ("rlnAmplitudeContrast", "amplitude_contrast"),
    ):
        values[key] = one_value(path, name, numbers(name))
    pixel_size = _star_pixel_size(path, table, numbers)
    return values if pixel_size is None else values | {"pixel_size_A": pixel_size}


def one_value(path: Path, name: str, values: NDArray[np.float64]) -> float:
    """The value that all micrographs of a folder share."""
    distinct = np.unique(values)
    if len(distinct) != 1:
        raise CryoccdError(f"{path}: {len(distinct)} values of {name}, expected one; split the set")
    return float(distinct[0])


def _star_pixel_size(
    path: Path, table: pd.DataFrame, numbers: Callable[[str], NDArray[np.float64]]
) -> float | None:
    """Pixel size of the micrographs before that of the movies; RELION 3.0 tells it by two columns.

    None where the file does not tell: the headers or the caller may.
    """
    for name in ("rlnMicrographPixelSize", "rlnMicrographOriginalPixelSize"):
        if name in table:
            return one_value(path, name, numbers(name))
    if "rlnDetectorPixelSize" in table and "rlnMagnification" in table:
        with np.errstate(divide="ignore"):  # an infinite pixel size is refused by the folder
            size_A = numbers("rlnDetectorPixelSize") * 1e4 / numbers("rlnMagnification")
        return one_value(path, "rlnDetectorPixelSize / rlnMagnification", size_A)
    return None


def _star_table(path: Path) -> pd.DataFrame:
    """One row a micrograph, the columns of its optics group joined on."""
    tables = read_blocks(path)
    optics = tables.pop("optics", None)
    if not tables:
        raise CryoccdError(f"{path}: holds no table of micrographs")
    table = tables.get("micrographs", next(iter(tables.values())))
    if optics is not None:
        _column(path, table, "rlnOpticsGroup")
    return join_optics(path, table, optics)


def _column(path: Path, table: pd.DataFrame, name: str) -> pd.Series:
    if name not in table:
        hint = _close(name, tuple(map(str, table.columns)))
        raise CryoccdError(f"{path}: no column {name}{hint}")
    return table[name]


def _close(name: str, known: tuple[str, ...]) -> str:
    found = get_close_matches(name, known, n=1, cutoff=0.8)
    return f" (is it {found[0]}?)" if found else ""


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)
