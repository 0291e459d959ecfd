"""Tomograms that the user has."""

from pathlib import Path

from cryoccd.data.subtomograms.recipe import TomogramRecipe
from cryoccd.errors import CryoccdError


class GivenTomograms(TomogramRecipe):
    """A folder of tomograms with picks, read where it is.

    Args:
        root: the folder; its name is what figures are labelled with.
    """

    def __init__(self, root: Path) -> None:
        self.root: Path = Path(root)

    @property
    def domain(self) -> str:
        """Name of the folder."""
        return self.root.resolve().name

    def check(self) -> None:
        """Refuse an absent folder.

        Raises:
            CryoccdError: it is absent.
        """
        if not self.root.is_dir():
            raise CryoccdError(f"{self.root}: no such folder, expected tomograms with picks")

    def prepare(self, root: Path) -> None:
        """It is there."""
        self.check()
