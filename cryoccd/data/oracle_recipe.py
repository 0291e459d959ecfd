"""The oracle benchmark's data: a virtual microscope plays the real side."""

from pathlib import Path

from cryoccd.data.matched_scene import simulate_like
from cryoccd.data.oracle_truth import import_truth
from cryoccd.data.recipe import Recipe
from cryoccd.errors import CryoccdError
from cryoccd.io.folder import open_folder
from cryoccd.randomness import item_seed
from cryoccd.simulate.oracle_run import write_oracle
from cryoccd.simulate.oracle_styles import STYLES


class OracleRecipe(Recipe):
    """Real side: micrographs, picks and nominal optics of a style. Simulated side: its protein.

    What the simulation knows of the style is the structure that its user would have and what
    can be estimated from the images; the hidden parameters stay hidden.

    Args:
        style: name of the acquisition style.
        structure: `assembly:NAME` or a structure file of the main species.
        n_train: real training micrographs, and simulated ones.
        n_test: real test micrographs, and simulated ones to translate.
        seed: seed of both sides.
        workers: processes of the simulation.
        defocus_factor: range of the simulated defocus over that which the real side's optics tell.
    """

    def __init__(
        self,
        style: str,
        structure: str,
        n_train: int = 32,
        n_test: int = 32,
        seed: int = 0,
        workers: int = 2,
        defocus_factor: float = 1.0,
    ) -> None:
        if style not in STYLES:
            raise CryoccdError(f"style {style!r} is unknown, expected one of {', '.join(STYLES)}")
        self.style = style
        self.structure = structure
        self.n_train = n_train
        self.n_test = n_test
        self.seed = seed
        self.workers = workers
        self.defocus_factor = defocus_factor

    @property
    def domain(self) -> str:
        """Figures on this data are labelled oracle, never with the name of a real data set."""
        return "oracle"

    def prepare(self, simulated: Path, real: Path) -> None:
        """Make the real side and the simulated training side where they are absent."""
        seed = item_seed(self.seed, "oracle", self.style)
        style = STYLES[self.style]
        write_oracle(style, real, self.n_train, self.n_test, seed, workers=self.workers)
        self._simulate("train", real, simulated, self.n_train)

    def prepare_test(self, simulated: Path, real: Path) -> None:
        """Make the simulated side that is translated and compared."""
        self._simulate("test", real, simulated, self.n_test)

    def prepare_posed(self, real: Path, output: Path, split: str) -> None:
        """Make a dataset folder of the hidden truth of the main species."""
        import_truth(real, output, STYLES[self.style].ingredients[0].species, split)

    def prepare_labelled(self, simulated: Path, real: Path, count: int) -> None:
        """Make another simulated side, that others are trained on."""
        self._simulate("labelled", real, simulated, count)

    def _simulate(self, split: str, real: Path, output: Path, count: int) -> None:
        seed = item_seed(self.seed, "simulated", split, self.style)
        title = f"simulate · {split} · {self.style}"
        folder = open_folder(real)
        known = (folder, self.structure, output, count, seed, self.workers, title)
        simulate_like(*known, self.defocus_factor)
