"""Several pools as one, by turns, so that the first few of all are some of each."""

from collections.abc import Iterator, Sequence
from typing import Generic, Protocol, TypeVar

Item = TypeVar("Item")
Item_co = TypeVar("Item_co", covariant=True)


class Pool(Protocol[Item_co]):
    """Whole micrographs, counted and indexed."""

    def __len__(self) -> int:
        """How many there are."""

    def __getitem__(self, index: int) -> Item_co:
        """One of them."""


class Interleaved(Generic[Item]):
    """The first of each pool, the second of each, ...; a pool that has ended is passed over."""

    def __init__(self, pools: Sequence[Pool[Item]]) -> None:
        longest = max(len(pool) for pool in pools)
        self._order = [(pool, i) for i in range(longest) for pool in pools if i < len(pool)]

    def __len__(self) -> int:
        return len(self._order)

    def __getitem__(self, index: int) -> Item:
        pool, place = self._order[index]
        return pool[place]

    def __iter__(self) -> Iterator[Item]:
        return (pool[place] for pool, place in self._order)
