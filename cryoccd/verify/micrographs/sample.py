"""Which particles are looked at: whole ones, and of these such as have no other in their box."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from cryoccd.imaging.stamps import species_key
from cryoccd.io.dataset import Dataset
from cryoccd.io.mrc import read_mrc_shape

_FEW = 50  # isolated particles that are better than all of them


@dataclass(frozen=True)
class Sample:
    """Particles of one map.

    Args:
        key: name of the map.
        rows: their truth, with the micrograph and x_px, y_px, in the order of the micrographs.
        isolated: whether no other particle reaches into their boxes.
    """

    key: str
    rows: pd.DataFrame
    isolated: bool

    def first(self, count: int, seed: int = 0) -> "Sample":
        """A random part of so many."""
        if len(self.rows) <= count:
            return self
        chosen = np.random.default_rng(seed).choice(len(self.rows), count, replace=False)
        return Sample(self.key, self.rows.iloc[np.sort(chosen)], self.isolated)


def draw_samples(
    dataset: Dataset, boxes_px: dict[str, int], count: int, seed: int = 0
) -> list[Sample]:
    """Up to `count` particles of each map, at random.

    Args:
        dataset: the set.
        boxes_px: side of the box of each map.
        count: of each map.
        seed: of the choice.
    """
    largest = max(boxes_px.values())
    kept: dict[str, list[pd.DataFrame]] = {key: [] for key in boxes_px}
    pixel_size_A = dataset.micrographs.set_index("micrograph")["pixel_size_A"]
    for name, rows in dataset.walk():
        shape = read_mrc_shape(dataset.root / "micrographs" / f"{name}.mrc")[-2:]
        points = rows[["x_A", "y_A"]].to_numpy(np.float64) / float(pixel_size_A[name])
        near = np.full(len(points), np.inf)
        if len(points) > 1:
            near = cKDTree(points).query(points, 2)[0][:, 1]
        rows = rows.assign(x_px=points[:, 0], y_px=points[:, 1], near_px=near)
        keys = [
            species_key(*kind) for kind in zip(rows["species"], rows["conformation"], strict=True)
        ]
        for key, part in rows.groupby(pd.Series(keys, index=rows.index)):
            if key in boxes_px:
                half = boxes_px[str(key)] // 2 + 1
                low = part[["x_px", "y_px"]].min(axis=1) >= half
                high = (part["x_px"] < shape[1] - half) & (part["y_px"] < shape[0] - half)
                kept[str(key)].append(part[low & high])
    samples = []
    for key, parts in kept.items():
        if not parts:
            continue
        whole = pd.concat(parts, ignore_index=True)
        free = whole[whole["near_px"] >= (boxes_px[key] + largest / 2) / 2]
        isolated = len(free) >= _FEW
        chosen = free if isolated else whole
        if len(chosen):
            samples.append(Sample(key, chosen, isolated).first(count, seed))
    return samples
