"""Training crops with their heat maps, numbered: the same number gives the same crop.

Every second crop has a particle in its middle half, of a class drawn alike however many there are;
the others are anywhere. Crops keep within the tomogram, as windows do. They are turned by the half
turns that leave the missing wedge where it is.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from cryoccd.data.subtomograms.turns import draw_flips, flipped
from cryoccd.downstream.detection.config import DetectorConfig
from cryoccd.downstream.detection.heat import heat_maps
from cryoccd.downstream.detection.labelled import LabelledTomogram
from cryoccd.downstream.detection.network import STRIDE
from cryoccd.downstream.detection.scaled import ScaledTomogram
from cryoccd.randomness import item_seed

Example = tuple[Tensor, Tensor]
"""(n, n, n) crop, (classes, n/2, n/2, n/2) heat maps."""

_REACH = 4.0  # sigma beyond which a Gaussian counts as 0


class DetectionCrops(Dataset[Example]):
    """Crop k hangs on the seed and k alone.

    Args:
        training: tomograms with particles, each as likely as another for a crop anywhere.
        sigmas_px: of the Gaussians of each class, in voxels.
        config: the budget.
        seed: of places and turns.
    """

    def __init__(
        self,
        training: Sequence[LabelledTomogram],
        sigmas_px: Sequence[float],
        config: DetectorConfig,
        seed: int,
    ) -> None:
        self._training, self._config, self._seed = training, config, seed
        self._scaled = [ScaledTomogram(each.tomogram) for each in training]
        self._sigmas_px = np.asarray(sigmas_px, np.float64)
        owners = [np.full(len(each.labels), number) for number, each in enumerate(training)]
        self._owner = np.concatenate(owners)
        self._label = np.concatenate([each.labels for each in training])
        self._xyz_px = np.concatenate([each.xyz_px for each in training])
        self._rows = [np.flatnonzero(self._label == label) for label in np.unique(self._label)]

    def __len__(self) -> int:
        return self._config.steps * self._config.batch_size

    def __getitem__(self, number: int) -> Example:
        rng = np.random.default_rng(item_seed(self._seed, "crop", number))
        side = self._config.crop_voxels
        if number % 2:
            place = int(rng.integers(len(self._training)))
            sizes_px = np.array(self._scaled[place].shape[::-1])
            middle = np.floor(rng.uniform(0, sizes_px)).astype(np.int64)
        else:
            row = int(rng.choice(self._rows[int(rng.integers(len(self._rows)))]))
            place = int(self._owner[row])
            sizes_px = np.array(self._scaled[place].shape[::-1])
            moved = rng.integers(-side // 4, side // 4 + 1, 3)
            middle = np.floor(self._xyz_px[row] + 0.5).astype(np.int64) + moved
        room = sizes_px - side
        corner = (middle - side // 2).clip(np.minimum(room, 0), np.maximum(room, 0))
        flips = draw_flips(rng, turns=True, mirrors=False)
        x, y, z = corner.tolist()
        crop = flipped(self._scaled[place].block((z, y, x), (side,) * 3), flips)
        return torch.from_numpy(crop), self._target(place, corner, flips)

    def _target(self, place: int, corner: NDArray[np.int64], flips: NDArray[np.bool_]) -> Tensor:
        side, training = self._config.crop_voxels, self._training[place]
        within = training.xyz_px - corner
        reach = _REACH * self._sigmas_px[training.labels, None]
        near = ((within > -reach) & (within < side - 1 + reach)).all(axis=1)
        turned = np.where(flips, side - 1 - within, within)[near]
        cells = (turned - (STRIDE - 1) / 2) / STRIDE
        return heat_maps(
            side // STRIDE,
            torch.from_numpy(cells),
            torch.from_numpy(training.labels[near]),
            (self._sigmas_px / STRIDE).tolist(),
        )
