"""How the tomograms of a data module come to be where they are absent."""

from abc import abstractmethod
from pathlib import Path

from cryoccd.data.recipe import DataRecipe


class TomogramRecipe(DataRecipe):
    """Makes the folder of tomograms; a whole one is kept, a begun one finished."""

    root: Path | None = None
    """Where the tomograms are already; None for a folder that is to be made."""

    @abstractmethod
    def prepare(self, root: Path) -> None:
        """Make the folder, in one process."""

    def prepare_placing(self, root: Path) -> bool:
        """Make tomograms with poses that no model sees, to tell it what is in a box.

        Returns:
            False where there are none: nothing can then be told.
        """
        return False
