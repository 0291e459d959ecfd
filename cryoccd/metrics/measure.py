"""What every figure of the report card is made of: one statistic a micrograph, and a comparison.

A measure turns each micrograph into a small statistic, once, and compares two lists of them. So the
sets stream, the real side is described once for many reports, and intervals and permutation tests
take lists of statistics, not images. A figure depends on the micrographs alone: not on their order,
nor on how many are worked on at a time.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, Protocol, TypeVar

from torch import Tensor

from cryoccd.records import Optics

S = TypeVar("S")

Side = Literal["real", "generated"]
Estimator = Callable[[Sequence[int], Sequence[int]], dict[str, float]]
"""Figures, NaN where undefined, from the real and the generated micrographs with these indices."""


@dataclass(frozen=True, eq=False)
class Field:
    """One micrograph and what is known of it.

    Args:
        image: (h, w) float32, median 0 and scaled MAD 1, cut at +-10 (`images.normalised`).
        pixel_size_A: angstrom a pixel.
        centres_px: (n, 2) particle centres x, y, of picks or labels; None where unknown.
        diameter_A: particle diameter; None where unknown.
        clean: (h, w) contrast with CTF and without noise, of simulated ones; else None.
        optics: true optics of simulated ones; else None.
    """

    image: Tensor
    pixel_size_A: float
    centres_px: Tensor | None = None
    diameter_A: float | None = None
    clean: Tensor | None = None
    optics: Optics | None = None

    @property
    def diameter_px(self) -> float | None:
        """Particle diameter in pixels."""
        return None if self.diameter_A is None else self.diameter_A / self.pixel_size_A


class Fields(Protocol):
    """Micrographs in an order, each made when it is asked for."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Field: ...

    def __iter__(self) -> Iterator[Field]: ...


@dataclass(frozen=True)
class Figure:
    """Name and meaning of one number.

    Args:
        name: as in tables and logs, with its unit.
        ideal: value of a perfect model.
        what: one line for the reader.
    """

    name: str
    ideal: float
    what: str


class Measure(ABC, Generic[S]):
    """A family of figures that share a statistic."""

    figures: tuple[Figure, ...]
    sides: ClassVar[tuple[Side, ...]] = ("real", "generated")
    """Which sides are described; ("generated",) compares generated micrographs with their truth."""
    fewest: ClassVar[int] = 1
    """Micrographs a side, below which nothing is defined."""

    def has(self, names: Collection[str]) -> bool:
        """Whether one of these figures is among its own."""
        return any(figure.name in names for figure in self.figures)

    def lacks(self, field: Field) -> str:
        """What a micrograph lacks to be described, such as "picks"; empty where nothing."""
        return ""

    @abstractmethod
    def describe(self, field: Field) -> S:
        """The statistic of one micrograph."""

    @abstractmethod
    def compare(self, real: Sequence[S], made: Sequence[S]) -> dict[str, float]:
        """Every figure by its name, NaN where undefined; `real` is empty where not in `sides`."""

    def notes(self, real: Sequence[S], made: Sequence[S]) -> dict[str, str]:
        """What a reader must know beside a figure, by its name."""
        return {}

    def estimator(self, real: Sequence[S], made: Sequence[S]) -> Estimator:
        """The figures of chosen micrographs; both lists may be the same, with disjoint choices."""
        return lambda i, j: self.compare([real[k] for k in i], [made[k] for k in j])
