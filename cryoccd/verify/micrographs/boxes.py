"""Boxes cut out around particles, at the labels or where another reading of them would be."""

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.io.dataset import Dataset
from cryoccd.verify.readings import Placing, as_stated


def cut_boxes(
    dataset: Dataset, kind: str, rows: pd.DataFrame, box_px: int, placing: Placing = as_stated
) -> tuple[Tensor, Tensor, NDArray[np.bool_]]:
    """Boxes, bright on dark, around the pixels nearest to the particles.

    Args:
        dataset: the set.
        kind: clean or micrographs.
        rows: particles with micrograph, x_px and y_px, those of a micrograph next to one another.
        box_px: side.
        placing: where the particles are by their labels.

    Returns:
        (n, box, box) images of mean 0, (n, 2) sub-pixel rest x, y of the particle from pixel
        [box // 2, box // 2], and (n,) whether the box lies inside the field; outside it is 0.
    """
    boxes = torch.zeros(len(rows), box_px, box_px)
    rest = np.zeros((len(rows), 2))
    inside = np.zeros(len(rows), dtype=bool)
    start = 0
    for name, part in rows.groupby("micrograph", sort=False):
        image = dataset.image(str(name), kind)
        height, width = image.shape
        points = placing(part[["x_px", "y_px"]].to_numpy(np.float64), (height, width))
        nearest = np.floor(points + 0.5).astype(int)
        rest[start : start + len(part)] = points - nearest
        for index, (x, y) in enumerate(nearest - box_px // 2, start):
            inside[index] = 0 <= x <= width - box_px and 0 <= y <= height - box_px
            if inside[index]:
                cut = -image[y : y + box_px, x : x + box_px]
                boxes[index] = torch.from_numpy(cut - cut.mean())
        start += len(part)
    return boxes, torch.from_numpy(rest), inside
