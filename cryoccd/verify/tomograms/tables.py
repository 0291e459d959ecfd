"""The tables of a set of tilt series by their own rules."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from cryoccd.imaging.stamps import species_key
from cryoccd.imaging.tilt import LARGEST_TILT_DEG
from cryoccd.io.checked import check_parquet, read_parquet
from cryoccd.io.dataset import TomogramSet
from cryoccd.io.folder_tables import inside_field
from cryoccd.io.mrc import read_mrc_shape
from cryoccd.verify.finding import Finding

POSITION = ["x_A", "y_A", "z_A"]
ANGLES = ["rot_deg", "tilt_deg", "psi_deg"]

_TILTS = ["angle_deg", "axis_deg", "pre_exposure_e_per_A2", "exposure_e_per_A2"]
_DEFOCUS = ["defocus_u_A", "defocus_v_A", "astigmatism_deg"]
_OPTICS = ["voltage_kV", "cs_mm", "amplitude_contrast", "phase_shift_deg"]
_SIZES = ["pixel_size_A", "voxel_size_A"]


def read_tilts(tomograms: TomogramSet) -> pd.DataFrame:
    """The table of tilts.

    Raises:
        CryoccdError: it, or that of the series, lacks a column.
    """
    check_parquet(tomograms.root / "tomograms.parquet", (*_OPTICS, *_SIZES))
    columns = ("tomogram", "tilt", "acquisition", *_TILTS, *_DEFOCUS)
    return read_parquet(tomograms.root / "tilts.parquet", columns)


def check_series(tomograms: TomogramSet, tilts: pd.DataFrame) -> Finding:
    """Whether each series has its settings and its tilts."""
    faults = list(_settings(tomograms.tomograms))
    strange = sorted(set(tilts["tomogram"]) - set(tomograms.names))
    if strange:
        faults.append(f"tilts of {strange[0]}, which tomograms.parquet does not name")
    for name in tomograms.names:
        rows = tilts[tilts["tomogram"] == name]
        faults += [f"{name}: {fault}" for fault in _tilts(rows)]
    return _told(faults, f"{len(tilts)} tilts of {len(tomograms.names)} series")


def check_particles(tomograms: TomogramSet) -> Finding:
    """Whether all particles lie in a tomogram of the set and have their map."""
    particles = tomograms.particles
    faults = []
    strange = sorted(set(particles["tomogram"]) - set(tomograms.names))
    if strange:
        faults.append(f"particles of {strange[0]}, which tomograms.parquet does not name")
    for species, conformation in particles[["species", "conformation"]].drop_duplicates().values:
        if species_key(species, conformation) not in tomograms.species_maps:
            faults.append(f"no map species/{species_key(species, conformation)}.mrc")
    sizes_A = zip(tomograms.names, tomograms.tomograms["pixel_size_A"], strict=True)
    for name, pixel_size_A in sizes_A:
        shape_px = read_mrc_shape(tomograms.root / "tilts" / f"{name}.mrcs")[-2:]
        rows = tomograms.particles_of(name)
        faults += [f"{name}: {fault}" for fault in _truth(rows, shape_px, float(pixel_size_A))]
    return _told(faults, f"{len(particles)} particles within their ranges")


def _settings(series: pd.DataFrame) -> Iterator[str]:
    numbers = series[[*_OPTICS, *_SIZES]].to_numpy(np.float64)
    if series["tomogram"].duplicated().any():
        yield f"tomogram {series['tomogram'][series['tomogram'].duplicated()].iloc[0]} stands twice"
    if not np.isfinite(numbers).all() or not (series[["voltage_kV", *_SIZES]] > 0).all(axis=None):
        yield "tomograms.parquet holds what is no number, or a voltage or size that is not above 0"
        return
    for size in _SIZES:
        if series[size].nunique() > 1:
            yield f"{series[size].nunique()} values of {size}, expected one"
    binning = (series["voxel_size_A"] / series["pixel_size_A"]).to_numpy(np.float64)
    if (np.abs(binning - binning.round()) > 1e-4).any() or (binning < 0.5).any():
        yield f"voxel_size_A is {binning[0]:.4g} pixels, expected a whole number"


def _tilts(rows: pd.DataFrame) -> Iterator[str]:
    if len(rows) < 2:
        yield f"{len(rows)} tilts, expected 2 or more"
        return
    if not np.isfinite(rows[[*_TILTS, *_DEFOCUS]].to_numpy(np.float64)).all():
        yield "tilts.parquet holds what is no number"
        return
    angles_deg = rows["angle_deg"].to_numpy(np.float64)
    if not (np.diff(angles_deg) > 0).all() or np.abs(angles_deg).max() > LARGEST_TILT_DEG:
        yield f"angle_deg does not ascend within {LARGEST_TILT_DEG:g} degrees"
    if rows["axis_deg"].nunique() != 1:
        yield f"{rows['axis_deg'].nunique()} values of axis_deg, expected one"
    for column in ("tilt", "acquisition"):
        if sorted(rows[column]) != list(range(len(rows))):
            yield f"{column} does not count from 0 to {len(rows) - 1}"
    before = rows.sort_values("acquisition")[["pre_exposure_e_per_A2", "exposure_e_per_A2"]]
    exposed = before["exposure_e_per_A2"].cumsum() - before["exposure_e_per_A2"]
    if not np.allclose(before["pre_exposure_e_per_A2"], exposed, atol=1e-3):
        yield "pre_exposure_e_per_A2 is not the sum of the exposures before"


def _truth(rows: pd.DataFrame, shape_px: tuple[int, ...], pixel_size_A: float) -> Iterator[str]:
    ids = rows["instance_id"]
    if len(ids) and (ids.min() < 1 or ids.duplicated().any()):
        yield "instance_id is not unique from 1"
    if not np.isfinite(rows[[*POSITION, *ANGLES]].to_numpy(np.float64)).all():
        yield "a position or angle is no number"
        return
    if not (rows[ANGLES].abs() <= 360).all(axis=None):
        yield "an angle is not within 360 degrees"
    points_px = rows[["x_A", "y_A"]].to_numpy(np.float64) / pixel_size_A
    beyond = ~inside_field(points_px, (shape_px[0], shape_px[1]))
    if beyond.any():
        yield f"instance {ids[beyond].iloc[0]} lies outside the field"


def _told(faults: list[str], text: str) -> Finding:
    if faults:
        more = f" and {len(faults) - 1} more faults" if len(faults) > 1 else ""
        return Finding("tables", "FAIL", faults[0] + more)
    return Finding("tables", "pass", text)
