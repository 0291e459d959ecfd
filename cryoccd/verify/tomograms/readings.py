"""All readings of the labels of tomograms, and which of them the tomograms bear out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as students_t

from cryoccd.verify.readings import PLACINGS as FLAT
from cryoccd.verify.readings import TURNS, Reading
from cryoccd.verify.tomograms.subtomograms import Points

MAP_MIRRORED = "the map is mirrored"
TOMOGRAM_MIRRORED = "the tomogram is mirrored"
_UPSIDE_DOWN = "z is flipped"

PLACINGS = (*FLAT, _UPSIDE_DOWN)
HANDS = ("as stated", MAP_MIRRORED, TOMOGRAM_MIRRORED)

Values = NDArray[np.float64]

_CHANCE = 1e-4  # that a reading beats another by accident; so many are tried
_KEYS = {"placing": PLACINGS, "turn": tuple(TURNS), "hand": HANDS}


def placed(points_px: Points, shape: tuple[int, ...], reading: Reading) -> Points:
    """(n, 3) x, y, z in voxels where a reading puts particles.

    Args:
        points_px: (n, 3) the labels as stated.
        shape: (d, h, w) of the tomogram.
        reading: of placing and hand.
    """
    points = points_px.copy()
    if reading.placing in FLAT:
        points[:, :2] = FLAT[reading.placing](points[:, :2], (shape[1], shape[2]))
    # a tomogram of the other hand is upside down; a turn may come on top of it
    if reading.placing == _UPSIDE_DOWN or reading.hand == TOMOGRAM_MIRRORED:
        points[:, 2] = 2 * (shape[0] // 2) - points[:, 2]
    return points


@dataclass(frozen=True)
class Fits:
    """Correlation of each particle under each reading.

    Args:
        values: (n,) of each reading; NaN where the particle lies outside the tomogram.
        chance: (n,) with the same views, where nothing is known to be.
    """

    values: dict[Reading, Values]
    chance: Values

    @classmethod
    def joined(cls, parts: Sequence["Fits"]) -> "Fits":
        """Those of all particles together."""
        values = {
            reading: np.concatenate([part.values[reading] for part in parts])
            for reading in parts[0].values
        }
        return cls(values, np.concatenate([part.chance for part in parts]))

    def number(self, reading: Reading) -> int:
        """Particles that lie in their tomogram."""
        return len(_finite(self.values[reading]))

    def mean(self, reading: Reading) -> float:
        """Mean correlation of these."""
        return float(_finite(self.values[reading]).mean())

    def simplest(self, placing: str | None = None) -> Reading:
        """The reading nearest to the labels as stated that none beats; of one placing, if given."""
        known = [
            reading
            for reading in self.values
            if placing in (None, reading.placing) and self.number(reading) > 1
        ]
        if not known:
            return Reading()
        best = max(known, key=self.mean)
        known.sort(key=lambda r: sum(key != "as stated" for key in vars(r).values()))
        return next(r for r in known if r == best or not self.beats(best, r))

    def beats(self, one: Reading, other: Reading) -> bool:
        """Whether a reading fits better than another by more than chance."""
        return self._ahead(one, self.values[other])

    def seen(self, reading: Reading) -> bool:
        """Whether the tomograms show anything of the particles under a reading."""
        return self._ahead(reading, self.chance)

    def alternatives(self, reading: Reading, part: str) -> list[Reading]:
        """What else one part of a reading could be, the best first."""
        others = [replace(reading, **{part: key}) for key in _KEYS[part]]
        known = [r for r in others if r != reading and r in self.values and self.number(r) > 1]
        return sorted(known, key=self.mean, reverse=True)

    def _ahead(self, one: Reading, other: Values) -> bool:
        """Whether a reading lies above other values by more than both may scatter."""
        apart = _finite(self.values[one] - other)
        right, wrong = _finite(self.values[one]), _finite(self.chance)
        if len(apart) == 0 or min(len(right), len(wrong)) < 2:
            return False
        error = np.hypot(right.std(ddof=1), wrong.std(ddof=1)) / np.sqrt(len(apart)) + 1e-6
        freedom = len(right) + len(wrong) - 2
        return bool(students_t.sf(apart.mean() / error, freedom) < _CHANCE)


def _finite(values: Values) -> Values:
    return values[np.isfinite(values)]
