"""A published data set of an archive, and a simulated side with its published conditions."""

from pathlib import Path

from cryoccd.data.paper_folder import write_paper_folder
from cryoccd.data.paper_source import PaperSource
from cryoccd.data.recipe import Recipe
from cryoccd.errors import CryoccdError
from cryoccd.io.folder import open_folder
from cryoccd.io.paper_set import read_paper_set
from cryoccd.randomness import item_seed
from cryoccd.scene.crowding import CrowdingConfig
from cryoccd.simulate.config import OpticsConfig, SimulateConfig, SpeciesConfig
from cryoccd.simulate.run import simulate


class PaperRecipe(Recipe):
    """Real side: micrographs of `cryoccd fetch empiar:ID` with reference picks, binned.

    Simulated side: the set's structure at its published number, spacing and optics.

    Args:
        config: the data set, configs/paper/NAME.yaml.
        n_train: simulated training micrographs, by default those of the data set.
        n_test: simulated micrographs to translate, by default those of the data set.
        structure: what is simulated, by default that of the data set.
        picks: file or folder of reference picks, by default `picks` beside the entry's micrographs
            in the cache.
        cache: of `cryoccd fetch`, by default its own.
        seed: of the split and the simulated side.
        workers: processes of the simulation.
    """

    def __init__(
        self,
        config: Path,
        n_train: int | None = None,
        n_test: int | None = None,
        structure: str | None = None,
        picks: Path | None = None,
        cache: Path | None = None,
        seed: int = 0,
        workers: int = 2,
    ) -> None:
        self.config = Path(config)
        self.paper = read_paper_set(self.config)
        self.structure = structure or self.paper.particle.structure or ""
        self.n_train = n_train or self.paper.simulated_train
        self.n_test = n_test or self.paper.simulated_test
        self.picks = picks
        self.cache = cache
        self.seed = seed
        self.workers = workers

    @property
    def domain(self) -> str:
        """The entry."""
        return f"empiar-{self.paper.empiar}"

    def check(self) -> None:
        """The structure is known, the micrographs were fetched, and their picks are there."""
        self._species()
        self._source()

    def prepare(self, simulated: Path, real: Path) -> None:
        """Bin the real side and simulate the training side, where they are absent."""
        species = self._species()
        write_paper_folder(self._source(), species, real, self.seed)
        self._simulate("train", species, real, simulated, self.n_train)

    def prepare_test(self, simulated: Path, real: Path) -> None:
        """Make the simulated side that is translated and compared with the real test split."""
        self._simulate("test", self._species(), real, simulated, self.n_test)

    def prepare_labelled(self, simulated: Path, real: Path, count: int) -> None:
        """Make another simulated side, that others are trained on."""
        self._simulate("labelled", self._species(), real, simulated, count)

    def _species(self) -> SpeciesConfig:
        if not self.structure:
            raise CryoccdError(
                f"{self.config}: particle.structure is not published; write pdb:ID, emdb:NUMBER "
                "(with mass_kDa) or a file there"
            )
        particle = self.paper.particle
        return SpeciesConfig(self.structure, symmetry=particle.symmetry, mass_kDa=particle.mass_kDa)

    def _source(self) -> PaperSource:
        return PaperSource(self.paper, self.picks, self.cache)

    def _simulate(
        self, split: str, species: SpeciesConfig, real: Path, output: Path, count: int
    ) -> None:
        paper, particle, optics = self.paper, self.paper.particle, open_folder(real).optics()
        size_A = paper.binned_pixel_size_A
        config = SimulateConfig(
            species=[species],
            count=count,
            seed=item_seed(self.seed, "simulated", split),
            shape_px=(paper.field_px, paper.field_px),
            pixel_size_A=size_A,
            box_px=particle.box_px,
            particles=CrowdingConfig(
                particle.mean, particle.sd, particle.least_distance_px * size_A
            ),
            optics=OpticsConfig(
                voltage_kV=optics.voltage_kV,
                cs_mm=optics.cs_mm,
                amplitude_contrast=optics.amplitude_contrast,
                defocus_A=optics.defocus_A,
                astigmatism_A=paper.microscope.astigmatism_A,
            ),
        )
        title = f"simulate · {split} · {self.domain}"
        simulate(config, output, workers=self.workers, resume=True, title=title)
