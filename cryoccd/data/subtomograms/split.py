"""Which particles a model is trained on and which are held out.

The paper (Passi & Cohen 2025) draws a tenth of the particles at random; their boxes overlap boxes
of the training part, as `overlap_audit` tells. A whole tomogram held out shares no voxel.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cryoccd.data.subtomograms.table import ParticleTable
from cryoccd.errors import CryoccdError
from cryoccd.randomness import item_seed

HELD_SHARE = 0.1
"""Of the paper."""


@dataclass(frozen=True)
class Split:
    """Rows of a table, ascending.

    Args:
        train: (n,) rows to train on.
        held: (m,) the others.
        name: what was held out, in words.
    """

    train: NDArray[np.int64]
    held: NDArray[np.int64]
    name: str


def split_random(table: ParticleTable, seed: int, held_share: float = HELD_SHARE) -> Split:
    """A share of the particles at random.

    Each particle draws by its own place, so the order of the table does not matter.

    Raises:
        CryoccdError: nothing is held out, or a class has no particle left to train on.
    """
    count = round(held_share * len(table))
    if not 0 < count < len(table):
        raise CryoccdError(
            f"{table.root}: {len(table)} particles, too few to hold out a share of {held_share:g}"
        )
    named = (table.tomograms[number] for number in table.tomogram)
    draws = [
        item_seed(seed, "held out", name, *(f"{value:.2f}" for value in xyz_px))
        for name, xyz_px in zip(named, table.xyz_px, strict=True)
    ]
    held = np.zeros(len(table), bool)
    held[np.argsort(draws, kind="stable")[:count]] = True
    return _checked(table, held, f"{held_share:.0%} of the particles, at random")


def split_leave_one_out(table: ParticleTable, fold: int | Sequence[int]) -> Split:
    """The particles of one tomogram, or of several; those without particles make no fold.

    Args:
        table: the particles.
        fold: which, in the order of the tomograms; several are held out together.

    Raises:
        CryoccdError: a fold that there is not, none or every one held out, a single tomogram, or a
            class with fewer particles than folds or with none left to train on.
    """
    filled = sorted(set(table.tomogram.tolist()))
    if len(filled) < 2:
        raise CryoccdError(
            f"{table.root}: particles in {len(filled)} tomogram, expected 2 or more to leave one "
            "out; take split random"
        )
    folds = [fold] if isinstance(fold, int) else sorted(set(fold))
    for each in folds:
        if not 0 <= each < len(filled):
            raise CryoccdError(
                f"{table.root}: fold = {each}, expected 0 to {len(filled) - 1}, one a tomogram "
                "with particles"
            )
    if not 0 < len(folds) < len(filled):
        raise CryoccdError(
            f"{table.root}: fold = {folds} holds out {len(folds)} of {len(filled)} tomograms, "
            "expected some to hold out and some to train on"
        )
    every = table.counts(np.arange(len(table)))
    fewest = int(every.argmin())
    if every[fewest] < len(filled):
        raise CryoccdError(
            f"{table.root}: {every[fewest]} boxes of {table.classes[fewest]} for {len(filled)} "
            "folds, expected one a fold or more; name it in leave_out, or take split random"
        )
    numbers = [filled[each] for each in folds]
    names = ", ".join(table.tomograms[number] for number in numbers)
    plural = "s" if len(folds) > 1 else ""
    return _checked(table, np.isin(table.tomogram, numbers), f"tomogram{plural} {names}")


def _checked(table: ParticleTable, held: NDArray[np.bool_], name: str) -> Split:
    split = Split(np.flatnonzero(~held), np.flatnonzero(held), name)
    counts = table.counts(split.train)
    if not counts.all():
        raise CryoccdError(
            f"{table.root}: no box of {table.classes[int(counts.argmin())]} to train on (held out: "
            f"{name}); name it in leave_out"
        )
    return split
