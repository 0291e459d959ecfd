"""The atoms of one model with what tells equal chains and residues apart."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.records import Atoms


@dataclass(frozen=True)
class Model:
    """n atoms, the chains they belong to, and the nodes that stand for their residues.

    Args:
        atoms: the atoms.
        chain: (n,) number of the chain; each copy of an assembly has chains of its own.
        site: (n,) number of the residue within its chain; equal in equal chains.
        node: (n,) whether an atom stands for its residue: C-alpha or P.
    """

    atoms: Atoms
    chain: NDArray[np.int64]
    site: NDArray[np.int64]
    node: NDArray[np.bool_]

    def __post_init__(self) -> None:
        shapes = {self.chain.shape, self.site.shape, self.node.shape}
        if shapes != {(len(self.atoms),)}:
            raise CryoccdError(f"model: chain, site and node have {shapes}, expected one an atom")

    def moved(self, positions_A: NDArray[np.float64]) -> "Model":
        """The same model at other (n, 3) positions."""
        return replace(self, atoms=replace(self.atoms, positions_A=positions_A))

    def chosen(self, keep: NDArray[np.bool_]) -> "Model":
        """The atoms of a (n,) mask."""
        elements = tuple(np.array(self.atoms.elements)[keep].tolist())
        atoms = Atoms(self.atoms.positions_A[keep], elements, self.atoms.b_factors_A2[keep])
        return Model(atoms, self.chain[keep], self.site[keep], self.node[keep])


def model_of_copies(atoms: Atoms, copies: int) -> Model:
    """A model of atoms that are so many equal copies, one after the other, as assemblies give them.

    Every eighth heavy atom is a node: one a residue, on average.
    """
    unit = len(atoms) // copies
    heavy = np.array(atoms.elements[:unit]) != "H"
    node = np.zeros(unit, dtype=bool)
    node[np.flatnonzero(heavy)[::8]] = True
    return Model(
        atoms,
        np.repeat(np.arange(copies), unit),
        np.tile(np.arange(unit), copies),
        np.tile(node, copies),
    )
