"""A share of the items of a set, so that several processes or machines write one folder together.

Items are dealt in turn: of 3 shares the second has the items 2, 5, 8 ... Each is written whole by
the one process that has it, so none is lost or made twice; who finishes last collects the tables.
A share that was interrupted goes on when its command runs again.
"""

import re
from dataclasses import dataclass

from cryoccd.errors import CryoccdError


@dataclass(frozen=True)
class Share:
    """One of several shares.

    Args:
        number: which, from 1.
        of: how many there are.

    Raises:
        CryoccdError: a number that is not among them.
    """

    number: int = 1
    of: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise CryoccdError(f"share = {self}, expected 1of{self.of} to {self.of}of{self.of}")

    def __str__(self) -> str:
        return f"{self.number}of{self.of}"

    @classmethod
    def parse(cls, text: str) -> "Share":
        """Of a text such as 2of8.

        Raises:
            CryoccdError: it is none.
        """
        found = re.fullmatch(r"([1-9]\d{0,5})of([1-9]\d{0,5})", text)
        if not found:
            raise CryoccdError(f"share = {text!r}, expected NofM such as 2of8")
        return cls(int(found[1]), int(found[2]))

    @property
    def whole(self) -> bool:
        """Whether there is but one."""
        return self.of == 1

    def takes(self, index: int) -> bool:
        """Whether the item of an index, from 0, is in it."""
        return index % self.of == self.number - 1


WHOLE = Share()
"""All items."""
