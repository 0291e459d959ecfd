"""Tomograms of a dataset folder of this project, with its truth table."""

from pathlib import Path

import numpy as np

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import TomogramSet
from cryoccd.io.tomograms.found import Found
from cryoccd.io.tomograms.options import TomogramOptions
from cryoccd.io.tomograms.particles import ANGLES, POSITION, inside, joined, particle_rows
from cryoccd.io.tomograms.tomogram import find_tomogram


def find_dataset(root: Path, options: TomogramOptions) -> Found:
    """The tomograms of a finished set of tilt series.

    z_A of its truth counts from slice d // 2; here it counts from slice 0. Particles whose centre
    lies above or below the tomogram belong to the truth all the same, and are left out.

    Raises:
        CryoccdError: an unfinished or damaged set, or a flavour that it does not have.
    """
    dataset = TomogramSet(root)
    folder = root / (options.flavour or "tomograms")
    if not folder.is_dir():
        raise CryoccdError(f"{root}: no folder {folder.name}/ for the flavour {options.flavour}")
    size_A = dataset.voxel_size_A
    tomograms = tuple(find_tomogram(name, folder / f"{name}.mrc", size_A) for name in dataset.names)
    parts, beyond = [], 0
    for tomogram in tomograms:
        rows = dataset.particles_of(tomogram.name)
        values = rows[[*POSITION, *ANGLES]].to_numpy(np.float64)
        posed = ~np.isnan(values[:, 3:]).all(axis=1)  # composed particles may have no known pose
        if not (np.isfinite(values[:, :3]).all() and np.isfinite(values[posed]).all()):
            raise CryoccdError(
                f"{root / 'particles.parquet'}: {tomogram.name} has a position or angle that is "
                "no number; make the set again"
            )
        xyz_A = values[:, :3] + np.array([0, 0, tomogram.shape[0] // 2 * size_A])
        kept = inside(xyz_A / tomogram.voxel_size_A, tomogram)
        beyond += int((~kept).sum())
        own = rows[kept]
        species, conformations = own["species"].tolist(), own["conformation"].tolist()
        parts.append(
            particle_rows(tomogram.name, species, xyz_A[kept], values[kept, 3:], conformations)
        )
    remarks = (f"{beyond} centres outside their tomogram left out",) if beyond else ()
    return Found(tomograms, joined(parts), dataset.species_maps, remarks)
