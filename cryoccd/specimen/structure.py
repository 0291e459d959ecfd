"""Atoms from PDB and mmCIF files, plain or gzipped, through gemmi."""

import gzip
import zlib
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.records import Atoms
from cryoccd.specimen.scattering import atomic_numbers

B_FACTOR_LIMIT_A2 = 300.0
"""Beyond this an atom is invisible at any resolution of interest."""


def read_structure(path: Path) -> Atoms:
    """Atoms of the first model of a .pdb, .ent, .cif or .mmcif file, plain or .gz.

    Waters are dropped, other HETATM records kept. Of alternative locations the one of the highest
    occupancy stays (the first among equals) and counts as a whole atom. Deuterium becomes
    hydrogen. B factors that are negative or not finite become 0, those above B_FACTOR_LIMIT_A2
    that limit; 0 is kept, an atom at rest. Neither the centre nor the assembly is touched:
    coordinates are those of the file.

    Raises:
        CryoccdError: missing or unreadable file, no atoms, an unknown element.
    """
    if not path.is_file():
        raise CryoccdError(f"{path}: no such file")
    try:
        if path.suffix == ".gz":
            _read_through(path)
        structure = gemmi.read_structure(str(path))
    except (RuntimeError, ValueError, OSError, IndexError, EOFError, zlib.error) as error:
        raise CryoccdError(
            f"{path}: not a readable structure ({' '.join(str(error).split())}); "
            "expected PDB or mmCIF, plain or .gz"
        ) from error
    for _ in range(len(structure) - 1):
        del structure[-1]
    structure.remove_waters()
    flat: Any = gemmi.FlatStructure(structure)
    if len(flat.occ) == 0:
        raise CryoccdError(f"{path}: no atoms besides water; expected ATOM or HETATM records")
    keep = _one_location(flat)
    names = flat.element_names[keep].astype(str)
    elements = tuple(np.where(names == "D", "H", names).tolist())
    try:
        atomic_numbers(elements)
        b_factors = np.nan_to_num(flat.b_iso[keep].astype(np.float64), nan=0.0, posinf=0.0)
        return Atoms(
            positions_A=flat.pos[keep].copy(),
            elements=elements,
            b_factors_A2=b_factors.clip(0.0, B_FACTOR_LIMIT_A2),
        )
    except CryoccdError as error:
        raise CryoccdError(f"{path}: {error}") from error


def _read_through(path: Path) -> None:
    """Unpack once: gemmi takes a truncated archive for a shorter structure."""
    with gzip.open(path) as stream:
        while stream.read(1 << 20):
            pass


def _one_location(flat: Any) -> NDArray[np.int64]:
    """Indices, in file order, of atoms without alternatives and of the fullest alternative."""
    flat.strings_as_numbers = False
    site = np.rec.fromarrays([flat.chain_ids, flat.resnums, flat.icodes, flat.atom_names])
    has_alternatives = flat.altlocs != 0
    alternative = np.flatnonzero(has_alternatives)
    by_occupancy = alternative[np.argsort(-flat.occ[alternative], kind="stable")]
    _, first = np.unique(site[by_occupancy], return_index=True)
    return np.sort(np.concatenate([np.flatnonzero(~has_alternatives), by_occupancy[first]]))
