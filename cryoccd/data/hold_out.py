"""Micrographs that are kept from training, so that a model can be judged on what it never saw."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cryoccd.errors import CryoccdError
from cryoccd.randomness import item_seed


def hold_out(
    names: Sequence[str], count: int, seed: int, root: Path
) -> tuple[list[str], list[str]]:
    """Names to train with and `count` others, drawn by the seed; both in their order.

    Raises:
        CryoccdError: nothing would be left to train with.
    """
    if not 0 <= count < len(names):
        raise CryoccdError(
            f"data: validation = {count}, expected 0 to {len(names) - 1}, as {root} has "
            f"{len(names)} micrographs to train with"
        )
    drawn = np.random.default_rng(item_seed(seed, "validation")).permutation(len(names))[:count]
    held = {names[index] for index in drawn}
    return [name for name in names if name not in held], [name for name in names if name in held]
