"""What was loaded last, up to a limit of memory."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Value = TypeVar("Value")

HELD_BYTES = 1 << 30
"""Memory that one pool of micrographs may hold."""


class Held(Generic[Value]):
    """Values by name; the least recently used one goes first when the limit is passed.

    Args:
        load: makes the value of a name.
        n_bytes: its size in memory.
        limit_bytes: how much is held; a single value may be larger.
    """

    def __init__(
        self,
        load: Callable[[str], Value],
        n_bytes: Callable[[Value], int],
        limit_bytes: int = HELD_BYTES,
    ) -> None:
        self._load, self._n_bytes, self._limit = load, n_bytes, limit_bytes
        self._values: OrderedDict[str, Value] = OrderedDict()
        self._held = 0

    def __getitem__(self, name: str) -> Value:
        if name in self._values:
            self._values.move_to_end(name)
            return self._values[name]
        value = self._load(name)
        self._values[name] = value
        self._held += self._n_bytes(value)
        while self._held > self._limit and len(self._values) > 1:
            self._held -= self._n_bytes(self._values.popitem(last=False)[1])
        return value

    @property
    def held_bytes(self) -> int:
        """Memory held now."""
        return self._held

    def fill(self, names: list[str]) -> None:
        """Load names in order until the limit is met."""
        for name in names:
            if self._held >= self._limit:
                return
            self[name]

    def items(self) -> list[tuple[str, Value]]:
        """Names and values held now."""
        return list(self._values.items())
