"""Predicted models, whose B-factor column holds a confidence, not a B factor.

pLDDT (0 to 100) is the predicted lDDT of each residue (Jumper et al. 2021). The error of its
position follows from it by

    rmsd = 1.5 exp(4 (0.7 - pLDDT / 100)) angstrom,    B = 8 pi^2 / 3 rmsd^2

(Baek et al. 2021, after the error estimates of Hiranuma et al. 2021; used so for AlphaFold models
by Oeffner et al. 2022). Residues of low confidence are mostly disordered: their atoms stand in no
place at all, so they are left out by default.
"""

import re
from math import pi
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.specimen.model import Model

_TITLE = re.compile(r"ALPHAFOLD|ESMFOLD|COLABFOLD", re.IGNORECASE)
_ENTRY = re.compile(r"AF-[A-Z0-9]+", re.IGNORECASE)


def is_predicted(structure: Any, document: Any) -> bool:
    """Whether a file says of itself that it is a prediction.

    It names no experiment and has AlphaFold in its title, an AF- entry, or a pLDDT among the
    metrics of ModelCIF.

    Args:
        structure: gemmi.Structure.
        document: gemmi.cif.Document, empty for a PDB file.
    """
    method = _info(structure, "_exptl.method")
    if method and "THEORETICAL" not in method.upper():
        return False
    title = _info(structure, "_struct.title")
    entry = _info(structure, "_entry.id")
    metrics = [name for block in document for name in block.find_values("_ma_qa_metric.name")]
    return (
        _TITLE.search(title) is not None
        or _ENTRY.match(entry) is not None
        or any("plddt" in name.lower() for name in metrics)
    )


def position_b_factors_A2(plddt: NDArray[np.float64]) -> NDArray[np.float64]:
    """B factors in square angstrom of the error that a pLDDT of 0 to 100 stands for."""
    rmsd_A = 1.5 * np.exp(4 * (0.7 - plddt / 100))
    return np.asarray(8 * pi**2 / 3 * rmsd_A**2)


def residue_plddt(
    path: Path, column: NDArray[np.float64], chain: NDArray[np.int64], site: NDArray[np.int64]
) -> NDArray[np.float64]:
    """(n,) mean over the residue of each atom of the (n,) B-factor column.

    Raises:
        CryoccdError: the column is constant, leaves 0 to 100, or is a fraction of 1.
    """
    low, high = float(column.min()), float(column.max())
    if not 0 <= low < high <= 100 or high <= 1:
        raise CryoccdError(
            f"{path}: the B-factor column holds {low:g} to {high:g}, expected pLDDT of 0 to 100 "
            "that differ, as of an AlphaFold model; set plddt to false if these are B factors"
        )
    _, residue = np.unique(np.stack([chain, site]), axis=1, return_inverse=True)
    residue = residue.reshape(-1)
    mean = np.bincount(residue, column) / np.bincount(residue)
    return np.asarray(mean[residue])


def kept_confident(path: Path, model: Model, plddt: NDArray[np.float64], minimum: float) -> Model:
    """The residues of at least this pLDDT.

    Raises:
        CryoccdError: none has it.
    """
    keep = plddt >= minimum
    if not keep.any():
        raise CryoccdError(
            f"{path}: no residue has pLDDT of {minimum:g} or more, the best has {plddt.max():.1f}; "
            "lower plddt_minimum or set plddt_blur"
        )
    return model.chosen(keep)


def _info(structure: Any, key: str) -> str:
    if key in structure.info:
        return str(structure.info[key])
    return ""
