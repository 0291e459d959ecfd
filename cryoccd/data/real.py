"""The real side: whole micrographs, normalised, and crops of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cryoccd.data.held import HELD_BYTES, Held
from cryoccd.data.hold_out import hold_out
from cryoccd.data.ice_maps import cached_ice
from cryoccd.data.windows import check_window, cut, random_window
from cryoccd.errors import CryoccdError
from cryoccd.imaging.discs import disc_mask
from cryoccd.imaging.normalise import robust_normalise
from cryoccd.io.folder import MicrographFolder
from cryoccd.randomness import item_seed


@dataclass(frozen=True)
class RealMicrograph:
    """One real micrograph.

    Args:
        name: its name.
        image: (h, w) float32, median 0 and MAD * 1.4826 = 1.
        centres_px: (n, 2) float64 picks x, y, None where the folder has none.
    """

    name: str
    image: Tensor
    centres_px: Tensor | None


class RealPool:
    """The training micrographs of a folder: its train split, or all where it has no split.csv.

    Micrographs are held in memory up to a limit and read again beyond it.

    Args:
        folder: the folder.
        seed: seeds the clustering of the ice maps.
        cache: folder of the ice maps, None to keep them in memory alone.
        limit_bytes: memory for micrographs.
        validation: how many are held out; their names are `held_out`.
    """

    def __init__(
        self,
        folder: MicrographFolder,
        seed: int = 0,
        cache: Path | None = None,
        limit_bytes: int = HELD_BYTES,
        validation: int = 0,
    ) -> None:
        self.folder = folder
        names = folder.names("train" if folder.has_split else None)
        self.names, self.held_out = hold_out(names, validation, seed, folder.root)
        self._seed, self._cache = seed, cache
        self._micrographs = Held(self._load, _n_bytes, limit_bytes)
        self._ice: dict[str, Tensor] = {}

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> RealMicrograph:
        return self._micrographs[self.names[index]]

    def __iter__(self) -> Iterator[RealMicrograph]:
        return (self._micrographs[name] for name in self.names)

    def fill(self, side_px: int) -> None:
        """Load what the memory takes, so that workers share it; refuse what is below a crop."""
        self._micrographs.fill(self.names)
        for name, micrograph in self._micrographs.items():
            check_window(name, micrograph.image.shape, side_px)

    @cached_property
    def disc_radius_px(self) -> float:
        """Radius of the discs at the picks, from the particle diameter of the optics."""
        optics = self.folder.optics()
        return optics.particle_diameter_A / optics.pixel_size_A / 2

    def crop(self, side_px: int, rng: np.random.Generator) -> tuple[Tensor, Tensor | None]:
        """A random (1, side, side) crop, and the discs at its picks where the folder has any."""
        micrograph = self[int(rng.integers(len(self)))]
        shape = micrograph.image.shape
        check_window(micrograph.name, shape, side_px)
        window = random_window(shape, (side_px, side_px), rng)
        image = cut(micrograph.image, window)
        if micrograph.centres_px is None:
            return image, None
        corner = torch.tensor([window[1].start, window[0].start], dtype=torch.float64)
        discs = disc_mask((side_px, side_px), micrograph.centres_px - corner, self.disc_radius_px)
        return image, discs.to(torch.float32)[None]

    def ice(self, index: int) -> Tensor:
        """Coarse map of relative transmission of a micrograph, estimated once."""
        name = self.names[index]
        if name not in self._ice:
            seed = item_seed(self._seed, "ice", name)
            image, pixel_size_A = self[index].image, self.folder.pixel_size_A
            self._ice[name] = cached_ice(image, pixel_size_A, seed, self._cache)
        return self._ice[name]

    def _load(self, name: str) -> RealMicrograph:
        values = torch.from_numpy(self.folder.image(name))
        try:
            image = robust_normalise(values, name)
        except CryoccdError as error:
            raise CryoccdError(f"{self.folder.root}: {error}") from error
        picks = self.folder.picks_px(name)
        return RealMicrograph(name, image, None if picks is None else torch.from_numpy(picks))


def _n_bytes(micrograph: RealMicrograph) -> int:
    return micrograph.image.nbytes
