"""Chains of a model that are copies of one another, as arrays to superpose."""

import numpy as np
from numpy.typing import NDArray

from cryoccd.specimen.model import Model

Copies = NDArray[np.float64]
"""(chains, residues, 3) nodes that equal chains have in common."""

ALIKE = 0.5  # share of the longer chain's residues that equal chains have in common
FEWEST = 3  # residues that fix a superposition


def equal_chains(model: Model) -> list[Copies]:
    """The sets of equal chains, by residue number and name; chains of under 3 nodes are left out.

    A lone chain is a set of one. Residues that some copy lacks are left out of its set.
    """
    chains = [_Chain(model, number) for number in np.unique(model.chain[model.node])]
    sets: list[list[_Chain]] = []
    for chain in (c for c in chains if len(c.sites) >= FEWEST):
        for members in sets:
            if chain.is_like(members[0]):
                members.append(chain)
                break
        else:
            sets.append([chain])
    return [copies for members in sets if (copies := _stacked(members)).shape[1] >= FEWEST]


class _Chain:
    """Nodes of one chain in the order of their sites."""

    def __init__(self, model: Model, number: int) -> None:
        chosen = np.flatnonzero(model.node & (model.chain == number))
        self.sites, first = np.unique(model.site[chosen], return_index=True)
        self.points_A = model.atoms.positions_A[chosen[first]]

    def is_like(self, other: "_Chain") -> bool:
        shared = np.intersect1d(self.sites, other.sites, assume_unique=True)
        return len(shared) >= ALIKE * max(len(self.sites), len(other.sites))


def _stacked(members: list[_Chain]) -> Copies:
    shared = members[0].sites
    for chain in members[1:]:
        shared = np.intersect1d(shared, chain.sites, assume_unique=True)
    return np.stack([c.points_A[np.searchsorted(c.sites, shared)] for c in members])
