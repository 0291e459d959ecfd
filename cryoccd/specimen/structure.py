"""Models from PDB and mmCIF files, plain or gzipped, through gemmi."""

import gzip
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import gemmi
import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.records import Atoms
from cryoccd.specimen.confidence import (
    is_predicted,
    kept_confident,
    position_b_factors_A2,
    residue_plddt,
)
from cryoccd.specimen.model import Model
from cryoccd.specimen.scattering import atomic_numbers

B_FACTOR_LIMIT_A2 = 300.0
"""Beyond this an atom is invisible at any resolution of interest."""

ASYMMETRIC_UNIT = "asymmetric_unit"


def read_structure(path: Path) -> Atoms:
    """Atoms of the first model of a file as they are deposited, see `read_models`."""
    return read_models(path, ASYMMETRIC_UNIT)[0].atoms


def read_models(
    path: Path,
    assembly: str = "1",
    plddt: bool | None = None,
    plddt_minimum: float = 50.0,
    plddt_blur: bool = False,
) -> tuple[Model, ...]:
    """The models of a .pdb, .ent, .cif or .mmcif file, plain or .gz, in the file's frame.

    Waters are dropped, other HETATM records kept. Of alternative locations the one of the highest
    occupancy stays (the first among equals) and counts as a whole atom. Deuterium becomes
    hydrogen. B factors that are negative or not finite become 0, those above B_FACTOR_LIMIT_A2
    that limit; 0 is kept, an atom at rest. Those of a predicted model follow from its pLDDT
    (confidence.py).

    Args:
        path: the file.
        assembly: biological assembly by its name in the file, or "asymmetric_unit" for the
            coordinates as deposited; a file that lists no assembly stays as it is.
        plddt: whether the B-factor column holds pLDDT; None: where the file says so.
        plddt_minimum: residues of lower pLDDT are dropped, 0 to 100.
        plddt_blur: keep these residues too, smeared by their B factors.

    Raises:
        CryoccdError: missing or unreadable file, no atoms, an unknown element, an unknown
            assembly, or no pLDDT where it is asked for.
    """
    structure, predicted = _opened(path)
    predicted = predicted if plddt is None else plddt
    models = []
    for deposited in structure:
        model, column = _model(path, _assembled(path, structure, deposited, assembly))
        if predicted:
            confidence = residue_plddt(path, column, model.chain, model.site)
            model = _with_b_factors(model, position_b_factors_A2(confidence))
            if not plddt_blur:
                model = kept_confident(path, model, confidence, plddt_minimum)
        models.append(model)
    if not models:
        raise CryoccdError(f"{path}: no atoms; expected ATOM or HETATM records")
    return tuple(models)


def _opened(path: Path) -> tuple[Any, bool]:
    """The parsed file, and whether it is a predicted one."""
    if not path.is_file():
        raise CryoccdError(f"{path}: no such file")
    document = gemmi.cif.Document()
    try:
        if path.suffix == ".gz":
            _read_through(path)
        structure = gemmi.read_structure(str(path), save_doc=document)
    except (RuntimeError, ValueError, OSError, IndexError, EOFError, zlib.error) as error:
        raise CryoccdError(
            f"{path}: not a readable structure ({' '.join(str(error).split())}); "
            "expected PDB or mmCIF, plain or .gz"
        ) from error
    return structure, is_predicted(structure, document)


def _read_through(path: Path) -> None:
    """Unpack once: gemmi takes a truncated archive for a shorter structure."""
    with gzip.open(path) as stream:
        while stream.read(1 << 20):
            pass


def _assembled(path: Path, structure: Any, deposited: Any, name: str) -> Any:
    """One model of the file, expanded to a biological assembly."""
    known = {assembly.name: assembly for assembly in structure.assemblies}
    if name == ASYMMETRIC_UNIT or (not known and name == "1"):
        return deposited
    if name not in known:
        raise CryoccdError(
            f"{path}: assembly '{name}', expected one of {', '.join([*known, ASYMMETRIC_UNIT])}"
        )
    try:
        return gemmi.make_assembly(known[name], deposited, gemmi.HowToNameCopiedChain.AddNumber)
    except RuntimeError as error:
        raise CryoccdError(
            f"{path}: assembly '{name}' cannot be made ({' '.join(str(error).split())}); choose "
            f"{ASYMMETRIC_UNIT}"
        ) from error


def _model(path: Path, molecule: Any) -> tuple[Model, NDArray[np.float64]]:
    """A model without alternatives, and its B-factor column as it stands in the file."""
    structure = gemmi.Structure()
    structure.add_model(molecule)
    structure.remove_waters()
    flat: Any = gemmi.FlatStructure(structure)
    if len(flat.occ) == 0:
        raise CryoccdError(f"{path}: no atoms besides water; expected ATOM or HETATM records")
    flat.strings_as_numbers = False
    keep = _one_location(flat)
    names = flat.element_names[keep].astype(str)
    elements = np.where(names == "D", "H", names)
    residues = np.rec.fromarrays([flat.resnums[keep], flat.icodes[keep], flat.residue_names[keep]])
    alpha = (flat.atom_names[keep] == b"CA") & (elements == "C")
    phosphate = (flat.atom_names[keep] == b"P") & (flat.het_flags[keep] == ord("A"))
    column = flat.b_iso[keep].astype(np.float64)
    try:
        atomic_numbers(tuple(np.unique(elements).tolist()))
        model = Model(
            Atoms(flat.pos[keep].copy(), tuple(elements.tolist()), np.zeros(len(keep))),
            chain=np.unique(flat.chain_ids[keep], return_inverse=True)[1],
            site=np.unique(residues, return_inverse=True)[1],
            node=alpha | phosphate,
        )
    except CryoccdError as error:
        raise CryoccdError(f"{path}: {error}") from error
    column = np.nan_to_num(column, nan=0.0, posinf=0.0)
    return _with_b_factors(model, column), column


def _with_b_factors(model: Model, b_factors_A2: NDArray[np.float64]) -> Model:
    limited = b_factors_A2.clip(0.0, B_FACTOR_LIMIT_A2)
    return replace(model, atoms=replace(model.atoms, b_factors_A2=limited))


def _one_location(flat: Any) -> NDArray[np.int64]:
    """Indices, in file order, of atoms without alternatives and of the fullest alternative."""
    site = np.rec.fromarrays([flat.chain_ids, flat.resnums, flat.icodes, flat.atom_names])
    has_alternatives = flat.altlocs != 0
    alternative = np.flatnonzero(has_alternatives)
    by_occupancy = alternative[np.argsort(-flat.occ[alternative], kind="stable")]
    _, first = np.unique(site[by_occupancy], return_index=True)
    return np.sort(np.concatenate([np.flatnonzero(~has_alternatives), by_occupancy[first]]))
