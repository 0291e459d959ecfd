"""Tomograms that the simulator makes where they are absent, so that nothing is downloaded."""

from dataclasses import replace
from pathlib import Path

from cryoccd.data.subtomograms.recipe import TomogramRecipe
from cryoccd.errors import CryoccdError
from cryoccd.simulate.config import read_config
from cryoccd.simulate.run import simulate


class SimulatedTomograms(TomogramRecipe):
    """Tilt series and tomograms of a configuration of `cryoccd simulate`.

    Args:
        config: the configuration, with `tilts`.
        count: number of tomograms, by default that of the configuration.
        seed: of the set, by default that of the configuration.
        workers: processes of the simulation.
    """

    def __init__(
        self, config: Path, count: int | None = None, seed: int | None = None, workers: int = 1
    ) -> None:
        self.config, self.count, self.seed, self.workers = Path(config), count, seed, workers

    def prepare(self, root: Path) -> None:
        """Simulate what is missing.

        Raises:
            CryoccdError: the configuration is faulty or makes micrographs, or the folder was made
                by another.
        """
        settings = read_config(self.config)
        if settings.tilts is None:
            raise CryoccdError(f"{self.config}: has no tilts, so no tomograms; add tilts: {{}}")
        count = settings.count if self.count is None else self.count
        seed = settings.seed if self.seed is None else self.seed
        settings = replace(settings, count=count, seed=seed)
        simulate(settings, root, self.workers, resume=True, title=f"tomograms · {root.name}")
