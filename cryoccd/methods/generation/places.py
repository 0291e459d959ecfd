"""What a generator is told of each box beside its class: where it lies, and what is in it.

The number of a box among those of its class picks its place, so that the first n boxes of a class
are the same however many are drawn, and no training box is taken twice before all were.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.data.subtomograms.boxes import BoxCutter
from cryoccd.data.subtomograms.density import ClassDensity
from cryoccd.data.subtomograms.maps import read_maps
from cryoccd.data.subtomograms.table import particle_table
from cryoccd.errors import CryoccdError
from cryoccd.io.dataset.box_item import UNKNOWN, Three
from cryoccd.io.tomograms import ANGLES, open_tomograms
from cryoccd.io.tomograms.tomogram import same_size
from cryoccd.methods.generation.provenance import identity
from cryoccd.methods.volume_generator import VolumeGenerator
from cryoccd.randomness import item_seed


@dataclass(frozen=True)
class Place:
    """Where a box lies and what is in it.

    Args:
        position: x, y, z of its middle, shares of the tomogram's extent in [0, 1].
        density: (1, b, b, b) noise-free density of all particles in it; None tells nothing.
        angles_deg: rot, tilt, psi of the particle in the middle, NaN where not told.
        offset_px: x, y, z of that particle from voxel b // 2, NaN likewise.
        tomogram: that the density is of.
    """

    position: Three
    density: Tensor | None = None
    angles_deg: Three = UNKNOWN
    offset_px: Three = UNKNOWN
    tomogram: str = ""


class Places(Protocol):
    """Picks the place of each box."""

    def place(self, label: int, number: int) -> Place:
        """Of a box by its number among those of a class."""


class UniformPlaces:
    """Anywhere in the tomogram.

    Args:
        seed: of the draws.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def place(self, label: int, number: int) -> Place:
        """Uniform in x, y and z."""
        rng = np.random.default_rng(item_seed(self._seed, "place", label, number))
        return Place(_three(rng.uniform(size=3)))


class TrainingPlaces:
    """Where the training boxes of the class were.

    Args:
        model: whose checkpoint keeps them.
        labels: classes that are drawn.
        seed: of the order.

    Raises:
        CryoccdError: the training data had no box of a class.
    """

    def __init__(self, model: VolumeGenerator, labels: Sequence[int], seed: int) -> None:
        known, self._position = model.places
        self._deck = _Deck(known.numpy(), seed)
        for label in labels:
            if not self._deck.holds(label):
                raise CryoccdError(
                    f"positions = data, but {model.label} was trained with no box of "
                    f"{model.classes[label]}; take uniform"
                )

    def place(self, label: int, number: int) -> Place:
        """That of one of the training boxes."""
        return Place(_three(self._position[self._deck.row(label, number)].numpy()))


class DensityPlaces:
    """Places, poses and densities of the particles of tomograms with known poses.

    Args:
        root: dataset folder of simulated tomograms, or another that tells poses and has maps.
        model: that will be told; classes that it does not know are left out, as in its training.
        labels: classes that are drawn.
        seed: of the order.

    Raises:
        CryoccdError: the folder has other voxels, no particle of a class, or no map or pose of one.
    """

    def __init__(
        self, root: Path, model: VolumeGenerator, labels: Sequence[int], seed: int
    ) -> None:
        source = open_tomograms(root)
        self._source = source
        size_A, told_A = source.voxel_size_A, float(model.voxel_size_A)
        if not same_size(size_A, told_A):
            raise CryoccdError(f"{root}: voxels of {size_A:g} A, but the model's have {told_A:g} A")
        strange = sorted(set(source.particles["label"]) - set(model.classes))
        self._table = particle_table(source, model.classes, strange)
        rows = source.particles[~source.particles["label"].isin(strange)]
        self._angles_deg = rows[ANGLES].to_numpy(np.float64)
        self._deck = _Deck(self._table.label, seed)
        for label in labels:
            if not self._deck.holds(label):
                raise CryoccdError(f"{root}: no particle of {model.classes[label]} to take")
        density = ClassDensity(read_maps(source, self._table.map_keys), size_A)
        self._cutter = BoxCutter(source, self._table, int(model.box_voxels), density)

    def told(self) -> dict[str, Any]:
        """Which tomograms and particles they are, for the manifest."""
        return identity(self._source)

    def place(self, label: int, number: int) -> Place:
        """That of one of the particles, with the density of all that is about it."""
        row, table = self._deck.row(label, number), self._table
        box = self._cutter.cut(row)
        return Place(
            position=_three(box.position.numpy()),
            density=box.density,
            angles_deg=_three(self._angles_deg[row]),
            offset_px=_three(table.xyz_px[row] - table.centres_px[row]),
            tomogram=table.tomograms[table.tomogram[row]],
        )


class _Deck:
    """Rows of each class in an order of their own, dealt round and round."""

    def __init__(self, labels: NDArray[np.int64], seed: int) -> None:
        self._orders = {
            int(label): np.random.default_rng(item_seed(seed, "order", int(label))).permutation(
                np.flatnonzero(labels == label)
            )
            for label in np.unique(labels)
        }

    def holds(self, label: int) -> bool:
        """Whether there is any row of a class."""
        return label in self._orders

    def row(self, label: int, number: int) -> int:
        """The row of a number."""
        order = self._orders[label]
        return int(order[number % len(order)])


def _three(values: NDArray[np.floating]) -> Three:
    x, y, z = map(float, values)
    return x, y, z
