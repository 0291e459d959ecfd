"""The simulated side: noise-free contrast with its labels, and crops of it."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from cryoccd.data.held import HELD_BYTES, Held
from cryoccd.data.hold_out import hold_out
from cryoccd.data.ice_sources import IceSource
from cryoccd.data.windows import check_window, cut, random_window
from cryoccd.io.dataset import Dataset
from cryoccd.io.folder_tables import inside_field
from cryoccd.randomness import item_seed


@dataclass(frozen=True)
class SimulatedMicrograph:
    """One simulated micrograph.

    Args:
        name: its name.
        clean: (h, w) float32 intensity minus 1: background 0, particles negative.
        mask: (h, w) bool, inside particles.
        ice: (h, w) float32 relative transmission in (0, 1], 1 = brightest.
        particles: its rows of the truth table.
        centres_px: (n, 2) float64 x, y of the particles whose centre lies in the field.
    """

    name: str
    clean: Tensor
    mask: Tensor
    ice: Tensor
    particles: pd.DataFrame
    centres_px: Tensor


class SimulatedPool:
    """The micrographs of a dataset folder.

    Args:
        dataset: the folder.
        ice: where the ice comes from.
        seed: seeds the draw of each micrograph's ice.
        limit_bytes: memory for micrographs; beyond it they are read again.
        validation: how many are held out; their names are `held_out`.
    """

    def __init__(
        self,
        dataset: Dataset,
        ice: IceSource,
        seed: int = 0,
        limit_bytes: int = HELD_BYTES,
        validation: int = 0,
    ) -> None:
        self.dataset = dataset
        self.names, self.held_out = hold_out(dataset.names, validation, seed, dataset.root)
        self._ice, self._seed = ice, seed
        self._micrographs = Held(self._load, _n_bytes, limit_bytes)

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> SimulatedMicrograph:
        return self._micrographs[self.names[index]]

    def __iter__(self) -> Iterator[SimulatedMicrograph]:
        return (self._micrographs[name] for name in self.names)

    def fill(self, side_px: int) -> None:
        """Load what the memory takes, so that workers share it; refuse what is below a crop."""
        self._micrographs.fill(self.names)
        for name, micrograph in self._micrographs.items():
            check_window(name, micrograph.clean.shape, side_px)

    def crop(self, side_px: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Clean, mask and ice (1, side, side) of one random window."""
        micrograph = self[int(rng.integers(len(self)))]
        check_window(micrograph.name, micrograph.clean.shape, side_px)
        window = random_window(micrograph.clean.shape, (side_px, side_px), rng)
        return (
            cut(micrograph.clean, window),
            cut(micrograph.mask, window),
            cut(micrograph.ice, window),
        )

    def _load(self, name: str) -> SimulatedMicrograph:
        exposure = self.dataset.exposure(name)
        shape = (int(exposure.clean.shape[0]), int(exposure.clean.shape[1]))
        rng = np.random.default_rng(item_seed(self._seed, "ice", name))
        rows = exposure.particles
        centres_px = rows[["x_A", "y_A"]].to_numpy(float) / exposure.optics.pixel_size_A
        # instance labels count artefacts too: a particle is what the truth table names
        ids = torch.as_tensor(rows["instance_id"].to_numpy(np.int32, copy=True))
        return SimulatedMicrograph(
            name=name,
            clean=exposure.clean - 1,
            mask=torch.isin(exposure.instances, ids),
            ice=self._ice(exposure.ice_thickness_A, shape, rng),
            particles=rows,
            centres_px=torch.from_numpy(centres_px[inside_field(centres_px, shape)]),
        )


def _n_bytes(micrograph: SimulatedMicrograph) -> int:
    return micrograph.clean.nbytes + micrograph.mask.nbytes + micrograph.ice.nbytes
