"""All readings of the labels against the images: the one that fits is the true one."""

from dataclasses import dataclass
from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray

from cryoccd.imaging.projection import Projector
from cryoccd.io.dataset import Dataset
from cryoccd.verify.micrographs.boxes import cut_boxes
from cryoccd.verify.micrographs.correlate import correlation, spectra
from cryoccd.verify.micrographs.sample import Sample
from cryoccd.verify.micrographs.views import Lens, eulers_deg, mirrored, through_lens
from cryoccd.verify.readings import HANDS, PLACINGS, SIGNS, TURNS, Reading


@dataclass(frozen=True)
class Scores:
    """Correlation of each particle under each reading.

    Args:
        readings: what was tried, the labels as stated first.
        values: (readings, n); NaN where the box lies outside the field.
        chance: (n,) correlation as stated with another particle's view.
    """

    readings: list[Reading]
    values: NDArray[np.float64]
    chance: NDArray[np.float64]

    def best(self) -> Reading:
        """The reading of the highest mean; the labels as stated where nothing is clearly better."""
        means = np.nanmean(self.values, axis=1)
        index = int(np.nanargmax(means))
        return self.readings[index] if not self.tied(self.readings[index]) else self.readings[0]

    def mean(self, reading: Reading) -> float:
        """Mean correlation under one reading."""
        return float(np.nanmean(self.values[self.readings.index(reading)]))

    def tied(self, other: Reading) -> bool:
        """Whether the images do not tell a reading from the labels as stated."""
        apart = self.values[self.readings.index(other)] - self.values[0]
        apart = apart[np.isfinite(apart)]
        if len(apart) == 0:
            return False
        error = apart.std(ddof=1) / np.sqrt(len(apart)) if len(apart) > 1 else np.inf
        return bool(abs(apart.mean()) < 3 * error + 1e-6)

    def above_chance(self, reading: Reading) -> bool:
        """Whether the images show anything of the particles under a reading."""
        values = self.values[self.readings.index(reading)]
        values = values[np.isfinite(values)]
        if len(values) < 2:
            return False
        error = np.hypot(values.std(), self.chance.std()) / np.sqrt(len(values))
        return bool(values.mean() - self.chance.mean() > 3 * error)


def compare_readings(
    dataset: Dataset, kind: str, samples: list[tuple[Sample, Projector]]
) -> Scores:
    """Try every combination of readings on a few particles of each map.

    Args:
        dataset: the set.
        kind: images to look at, clean or micrographs.
        samples: particles and their maps.
    """
    readings = [Reading(*keys) for keys in product(PLACINGS, TURNS, HANDS, SIGNS)]
    columns, chance = [], []
    for sample, projector in samples:
        scores = _scores(dataset, kind, sample, projector)
        columns.append(np.stack([scores[reading] for reading in readings]))
        chance.append(scores[None])
    return Scores(readings, np.concatenate(columns, axis=1), np.concatenate(chance))


def _scores(
    dataset: Dataset, kind: str, sample: Sample, projector: Projector
) -> dict[Reading | None, NDArray[np.float64]]:
    """(n,) correlations of each reading, and by chance under None."""
    rows, box = sample.rows, projector.box_px
    cuts = {}
    for name, placing in PLACINGS.items():
        boxes, rest, inside = cut_boxes(dataset, kind, rows, box, placing)
        cuts[name] = spectra(boxes), rest, inside
    lens = Lens(dataset, rows)
    transfers = {name: lens.transfer(2 * box, sign) for name, sign in SIGNS.items()}
    projectors = {
        name: mirrored(projector) if flipped else projector for name, flipped in HANDS.items()
    }
    scores: dict[Reading | None, NDArray[np.float64]] = {}
    for (hand, maker), (turn, turned), (place, cut) in product(
        projectors.items(), TURNS.items(), cuts.items()
    ):
        seen, rest, inside = cut
        projections = maker.project(turned(eulers_deg(rows)), rest)
        for sign, transfer in transfers.items():
            views = spectra(through_lens(projections, transfer))
            found = correlation(seen, views).double().numpy()
            reading = Reading(place, turn, hand, sign)
            scores[reading] = np.where(inside, found, np.nan)
            if reading == Reading():
                scores[None] = correlation(seen, torch.roll(views, 1, 0)).double().numpy()
    return scores
