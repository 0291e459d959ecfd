"""One pair of folders, simulated and real, that crops are drawn from."""

from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Literal

from cryoccd.data.anisotropy import THRESHOLD, spectral_anisotropy
from cryoccd.data.held import HELD_BYTES
from cryoccd.data.ice_sources import IceSource, ModelIce, RealIce
from cryoccd.data.real import RealPool
from cryoccd.data.recipe import Recipe
from cryoccd.data.simulated import SimulatedPool
from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.folder import open_folder

IceKind = Literal["model", "real"]

_MEASURED_MICROGRAPHS = 16


@dataclass(frozen=True)
class FolderPair:
    """Where a pair lies, and what holds for it alone.

    Args:
        simulated: dataset folder with clean images; all of it is for training.
        real: folder that open_folder reads; its train split where it has a split.csv, else all.
        pixel_size_A: pixel size of the real side where its files have none.
        rotate_real: whether the real side gets quarter turns and mirror images; None lets the
            measured anisotropy of its spectrum decide.
        recipe: makes the folders where they are absent.
        cache: folder for the estimated ice maps, None keeps them in memory.
    """

    simulated: Path
    real: Path
    pixel_size_A: float | None = None
    rotate_real: bool | None = None
    recipe: Recipe | None = None
    cache: Path | None = None

    def prepare(self) -> None:
        """Let the recipe make the folders."""
        if self.recipe is not None:
            self.recipe.prepare(self.simulated, self.real)


class Part:
    """A pair, opened when it is asked for: its pools, and whether its real side is turned.

    Args:
        pair: the folders.
        style: index that its crops carry.
        ice_source: "real" draws the ice from maps estimated on its own real micrographs, "model"
            takes the ice that the simulation had.
        seed: seed of the ice.
        limit_bytes: memory for the micrographs of each side.
        validation: micrographs of each side that are held out.
    """

    def __init__(
        self,
        pair: FolderPair,
        style: int,
        ice_source: IceKind,
        seed: int,
        limit_bytes: int = HELD_BYTES,
        validation: int = 0,
    ) -> None:
        self.pair, self.style = pair, style
        self._ice_source, self._seed = ice_source, seed
        self._limit_bytes, self._validation = limit_bytes, validation

    @cached_property
    def real(self) -> RealPool:
        """The real training micrographs."""
        folder = open_folder(self.pair.real, self.pair.pixel_size_A)
        limits = (self._limit_bytes, self._validation)
        return RealPool(folder, self._seed, self.pair.cache, *limits)

    @cached_property
    def simulated(self) -> SimulatedPool:
        """The simulated micrographs."""
        ice: IceSource = ModelIce() if self._ice_source == "model" else RealIce(self.real)
        limits = (self._limit_bytes, self._validation)
        return SimulatedPool(Dataset(self.pair.simulated), ice, self._seed, *limits)

    @cached_property
    def pixel_size_A(self) -> float:
        """Pixel size of the simulated side; that of the real side agrees within 1 %."""
        return self.simulated.dataset.pixel_size_A

    @property
    def particle_diameter_A(self) -> float:
        """Diameter of the disc that covers a particle of the real side."""
        return self.real.folder.optics().particle_diameter_A

    @property
    def has_picks(self) -> bool:
        """Whether the real side comes with picks."""
        return self.real.folder.has_picks

    @cached_property
    def turns_real(self) -> bool:
        """Whether the real side is turned: as told, else by the anisotropy of its spectrum."""
        if self.pair.rotate_real is not None:
            return self.pair.rotate_real
        measured = (m.image for m in islice(self.real, _MEASURED_MICROGRAPHS))
        return spectral_anisotropy(measured) <= THRESHOLD

    def check(self) -> None:
        """Compare the pixel sizes of both sides.

        Raises:
            CryoccdError: they differ by more than 1 %.
        """
        simulated_A, real_A = self.pixel_size_A, self.real.folder.pixel_size_A
        if abs(real_A / simulated_A - 1) > 0.01:
            raise CryoccdError(
                f"{self.pair.simulated}: pixel size {simulated_A:g} A, but {real_A:g} A in "
                f"{self.pair.real}; simulate at the pixel size of the real micrographs"
            )

    def fill(self, crop_px: int) -> None:
        """Load what the memory takes; faults of the input show here, and not inside a worker.

        Raises:
            CryoccdError: there are picks but the optics lack a key; a micrograph is smaller than
                a crop.
        """
        if self.has_picks:
            self.real.folder.optics()
        self.real.fill(crop_px)
        self.simulated.fill(crop_px)
