"""Topaz as a picker: a network of it, made for particles of one size.

Picks are half a diameter apart or more. Topaz gives the log-odds of each; all are kept down to a
threshold far below any particle, the same for all trainings, so that no curve is cut short.

Bepler et al. 2019, Nat. Methods 16, 1153; see topaz_program for how it is run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryoccd.downstream.picking.base import EXCLUSION
from cryoccd.downstream.picking.topaz_config import DETECTORS
from cryoccd.downstream.picking.topaz_files import downsample, read_picks
from cryoccd.downstream.picking.topaz_program import run_topaz, stage
from cryoccd.downstream.picking.topaz_scale import (
    choose_factor,
    matching_factor,
    seen_diameter_px,
)
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import sha256_file
from cryoccd.io.folder import MicrographFolder
from cryoccd.metrics.picking.picks import Picks


@dataclass(frozen=True)
class TopazPicker:
    """A network of Topaz with the micrographs that it is made for.

    Args:
        model: file of a trained network, or the name of a detector that comes with the program.
        particle_diameter_A: diameter of the particles.
        work: folder of what the program makes; what it holds already is not made again.
        downsampled_A: pixel size of what the network sees; None makes a particle 24 px wide.
        threshold: least log-odds of a pick.
        device: number of the GPU, -1 for the CPU.

    Raises:
        CryoccdError: no such file or detector.
    """

    model: Path | str
    particle_diameter_A: float
    work: Path
    downsampled_A: float | None = None
    threshold: float = -20.0
    device: int = -1

    def __post_init__(self) -> None:
        if self.model not in DETECTORS and not Path(self.model).is_file():
            raise CryoccdError(
                f"topaz: model = {self.model}, expected a file that topaz train made, or one of "
                f"{', '.join(DETECTORS)}"
            )

    def pick_files(self, folder: MicrographFolder, names: Sequence[str]) -> dict[str, Picks]:
        """Picks of micrographs by their names, in pixels of these, highest score first.

        Positions lie on the pixels of the down-sampled micrographs.

        Raises:
            CryoccdError: micrographs that Topaz cannot pick, or a fault of the program.
        """
        factor = self._factor(folder.pixel_size_A)
        diameter_px = seen_diameter_px(self.particle_diameter_A, folder.pixel_size_A, factor)
        small = downsample(folder, names, factor, self.work)
        options = (
            *("--radius", max(1, round(EXCLUSION * diameter_px))),
            *("--threshold", self.threshold),
        )
        detector = self.model in DETECTORS
        model = str(self.model) if detector else Path(self.model).absolute()
        inputs = {
            "model": model if detector else sha256_file(Path(self.model)),
            "options": options,
            "factor": factor,
            "files": small.checksums,
        }

        def make(made: Path, log: Path) -> None:
            files = [small.path(name).absolute() for name in small.checksums]
            paths = ("--model", model, "--output", "picks.txt", *files)
            device = ("--device", self.device)
            run_topaz("extract", *options, *device, *paths, log=log, folder=made)

        made = stage(self.work, "picks", inputs, make)
        found = read_picks(made / "picks.txt", small.aliases)
        return {
            name: Picks(small.to_full(name, found[name].positions_px), found[name].scores)
            for name in names
        }

    def _factor(self, pixel_size_A: float) -> int:
        if self.downsampled_A is None:
            return choose_factor(self.particle_diameter_A, pixel_size_A)
        return matching_factor(self.downsampled_A, pixel_size_A)
