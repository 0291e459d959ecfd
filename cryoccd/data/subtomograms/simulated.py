"""Tomograms that the simulator makes where they are absent, so that nothing is downloaded."""

from dataclasses import replace
from pathlib import Path

from cryoccd.data.subtomograms.recipe import TomogramRecipe
from cryoccd.errors import CryoccdError
from cryoccd.simulate.config import SimulateConfig, read_config
from cryoccd.simulate.run import simulate


class SimulatedTomograms(TomogramRecipe):
    """Tilt series and tomograms of a configuration of `cryoccd simulate`.

    Args:
        config: the configuration, with `tilts`.
        count: number of tomograms, by default that of the configuration.
        seed: of the set, by default that of the configuration.
        workers: processes of the simulation.
        placing: number of tomograms of the next seed, for `prepare_placing`; 0 for none.
    """

    def __init__(
        self,
        config: Path,
        count: int | None = None,
        seed: int | None = None,
        workers: int = 1,
        placing: int = 0,
    ) -> None:
        self.config, self.count, self.seed, self.workers = Path(config), count, seed, workers
        self.placing = placing

    @property
    def domain(self) -> str:
        """Figures on this data are labelled oracle, never with the name of a real data set."""
        return "oracle"

    def prepare(self, root: Path) -> None:
        """Simulate what is missing.

        Raises:
            CryoccdError: the configuration is faulty or makes micrographs, or the folder was made
                by another.
        """
        settings = self._settings()
        simulate(settings, root, self.workers, resume=True, title=f"tomograms · {root.name}")

    def prepare_placing(self, root: Path) -> bool:
        """Simulate others, whose places, poses and densities generators are told."""
        if self.placing:
            settings = self._settings()
            settings = replace(settings, count=self.placing, seed=settings.seed + 1)
            simulate(settings, root, self.workers, resume=True, title="tomograms to tell of")
        return self.placing > 0

    def _settings(self) -> SimulateConfig:
        settings = read_config(self.config)
        if settings.tilts is None:
            raise CryoccdError(f"{self.config}: has no tilts, so no tomograms; add tilts: {{}}")
        count = settings.count if self.count is None else self.count
        seed = settings.seed if self.seed is None else self.seed
        return replace(settings, count=count, seed=seed)
