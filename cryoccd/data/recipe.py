"""How the folders of a data module come to be where they are absent."""

from abc import ABC, abstractmethod
from pathlib import Path

from cryoccd.errors import CryoccdError


class DataRecipe(ABC):
    """Makes the data of a column of a table."""

    @property
    @abstractmethod
    def domain(self) -> str:
        """What the real side is: "oracle", or the name of a real data set."""

    def check(self) -> None:
        """Refuse what is missing before any work begins.

        Raises:
            CryoccdError: something that only the user can bring.
        """
        return


class Recipe(DataRecipe):
    """Makes the simulated and the real folder; whole ones are kept, begun ones finished."""

    structure: str
    """What is simulated: `assembly:NAME` or a structure file."""

    @abstractmethod
    def prepare(self, simulated: Path, real: Path) -> None:
        """Make the real folder and the simulated one for training."""

    @abstractmethod
    def prepare_test(self, simulated: Path, real: Path) -> None:
        """Make the simulated folder that is translated and compared with the real test split."""

    def prepare_posed(self, real: Path, output: Path, split: str) -> None:
        """Make a dataset folder of a real split with known poses; for evaluations alone.

        Raises:
            CryoccdError: poses of these micrographs are not known.
        """
        raise CryoccdError(f"{real}: the poses of {self.domain} are not known; take the oracle's")

    @abstractmethod
    def prepare_labelled(self, simulated: Path, real: Path, count: int) -> None:
        """Make another simulated folder that pickers and others are trained on, once translated."""
