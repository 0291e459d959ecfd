"""Training examples of the classifier: a box, turned as its missing wedge allows, and its label."""

import torch
from torch import Tensor
from torch.utils.data import Dataset

from cryoccd.data.subtomograms.turns import TURNS
from cryoccd.downstream.volumes.config import VolumeClassifierConfig
from cryoccd.metrics.volume import BoxSet
from cryoccd.randomness import item_seed

Example = tuple[Tensor, Tensor]
"""(b, b, b) box, () label."""


class VolumeExamples(Dataset[Example]):
    """Example k of the budget is the same in any batch, with any number of workers.

    Classes are drawn alike however many boxes they have, and the boxes of a class in passes of an
    order of their own. A turned box of an even side begins a voxel beside where it would about
    voxel b // 2, which is no more than a shift.

    Args:
        boxes: real ones.
        config: the budget.
        seed: of order and turns.
    """

    def __init__(self, boxes: BoxSet, config: VolumeClassifierConfig, seed: int) -> None:
        self.boxes, self.config, self.seed = boxes, config, seed
        self._rows = [(boxes.labels == label).nonzero().flatten() for label in boxes.occurring]

    def __len__(self) -> int:
        return self.config.steps * self.config.batch_size

    def __getitem__(self, number: int) -> Example:
        passed, place = divmod(number, len(self._rows))
        rows = self._rows[place]
        again, nth = divmod(passed, len(rows))
        order = torch.Generator().manual_seed(item_seed(self.seed, "order", place, again))
        row = int(rows[torch.randperm(len(rows), generator=order)[nth]])
        draw = torch.Generator().manual_seed(item_seed(self.seed, "turn", number))
        x, y, z = TURNS[int(torch.randint(len(TURNS), (), generator=draw))].tolist()
        axes = [axis for axis, reversed_ in enumerate((z, y, x)) if reversed_]
        return self.boxes.volumes[row].flip(axes), self.boxes.labels[row]
