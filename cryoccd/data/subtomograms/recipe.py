"""How the tomograms of a data module come to be where they are absent."""

from abc import ABC, abstractmethod
from pathlib import Path


class TomogramRecipe(ABC):
    """Makes the folder of tomograms; a whole one is kept, a begun one finished."""

    @abstractmethod
    def prepare(self, root: Path) -> None:
        """Make the folder, in one process."""
