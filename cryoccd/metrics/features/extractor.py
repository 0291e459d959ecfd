"""What turns crops into the features that distributions are compared by."""

from typing import Protocol

from torch import Tensor


class Extractor(Protocol):
    """Features of crops, the same one by one as together.

    `name` ends those of the figures (fd_NAME, kid_NAME, cmmd_NAME); `version` is all that another
    value of them could come from: the network, its weights, and what is done to a crop before.
    """

    @property
    def name(self) -> str:
        """Last part of the name of every figure."""

    @property
    def version(self) -> str:
        """Network, checksum of its weights, resizing."""

    def __call__(self, crops: Tensor, /) -> Tensor:
        """(n, d) float32 features of (n, p, p) crops of normalised micrographs."""
