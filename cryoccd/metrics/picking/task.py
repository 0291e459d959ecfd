"""Picking as it is judged: some real micrographs, their particles, and what counts.

A pick is a hit within a quarter of the particle diameter, half a particle radius, of a particle.
`auprc_wide` takes three quarters of a radius, as published comparisons on crowded fields do; there
a random field has 0.2. Margins of half a diameter and ruined areas count for nothing (`scored`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import max_pool2d

from cryoccd.errors import CryoccdError, check_within
from cryoccd.io.folder import MicrographFolder
from cryoccd.io.mrc import read_mrc
from cryoccd.metrics.card import Metric
from cryoccd.metrics.measure import Figure
from cryoccd.metrics.picking.average_precision import average_precision, precision_recall
from cryoccd.metrics.picking.intervals import interval
from cryoccd.metrics.picking.picks import Picks
from cryoccd.metrics.picking.scored import Scored, counted_area, score_picks

FIGURES = (
    Figure("auprc", 1.0, "average precision of picks within half a particle radius"),
    Figure("auprc_wide", 1.0, "the same within three quarters of a particle radius"),
    Figure("best_f1", 1.0, "harmonic mean of precision and recall at the best threshold"),
)
"""What is said of a picker; for all of them larger is better."""

_FLAT_PX = 5  # side of a square without any variation, which no camera makes


@dataclass(frozen=True)
class PickingProtocol:
    """What two figures of picking must have in common to be compared.

    Args:
        particle_diameter_A: of the particles.
        radius: of a hit, in diameters.
        wide_radius: of a hit of `auprc_wide`, in diameters.
        margin: width of the margin that counts for nothing, in diameters.
        draws: of the bootstrap over micrographs.
    """

    particle_diameter_A: float
    radius: float = 0.25
    wide_radius: float = 0.375
    margin: float = 0.5
    draws: int = 2000

    def __post_init__(self) -> None:
        check_within("picking: particle_diameter_A", self.particle_diameter_A, 1, 1e5, "A")
        check_within("picking: radius", self.radius, 0.01, 1, "diameters")
        check_within("picking: wide_radius", self.wide_radius, 0.01, 1, "diameters")
        check_within("picking: margin", self.margin, 0, 10, "diameters")
        check_within("picking: draws", self.draws, 100, 1e6, "draws")

    def as_dict(self) -> dict[str, Any]:
        """For the record."""
        return asdict(self)


@dataclass(frozen=True)
class PickingTask:
    """Micrographs with particles that pickers are judged on.

    Args:
        folder: real micrographs with picks.
        names: those that are judged.
        protocol: what counts.
        ruined: folder of masks NAME.mrc, not 0 where a micrograph is ruined; None for none.

    Raises:
        CryoccdError: the folder has no picks, or none in these micrographs.
    """

    folder: MicrographFolder
    names: tuple[str, ...]
    protocol: PickingProtocol
    ruined: Path | None = None

    def __post_init__(self) -> None:
        if not self.folder.has_picks:
            raise CryoccdError(f"{self.folder.root}: no picks/ to judge by; give picks")
        if not any(len(targets) for targets in self.targets_px.values()):
            raise CryoccdError(f"{self.folder.root}: no pick in {len(self.names)} micrographs")

    @cached_property
    def targets_px(self) -> dict[str, NDArray[np.float64]]:
        """(n, 2) x, y of the particles of each micrograph."""
        found = {name: self.folder.picks_px(name) for name in self.names}
        return {name: np.empty((0, 2)) if t is None else t for name, t in found.items()}

    @cached_property
    def counted(self) -> dict[str, NDArray[np.bool_]]:
        """(h, w) area of each micrograph that counts."""
        margin_px = self.protocol.margin * self._diameter_px
        areas = {}
        for name in self.names:
            image = self.folder.image(name)
            ruined = flat_area(image) | self._masked(name, image.shape)
            areas[name] = counted_area((image.shape[0], image.shape[1]), margin_px, ruined)
        return areas

    def parts(self, picks: Mapping[str, Picks], radius: float | None = None) -> list[Scored]:
        """Hits and misses of each micrograph.

        Args:
            picks: of every micrograph of the task.
            radius: of a hit, in diameters; by default the protocol's.

        Raises:
            CryoccdError: a micrograph without an entry.
        """
        if lacking := [name for name in self.names if name not in picks]:
            raise CryoccdError(f"picking: no picks of {lacking[0]}; pick every micrograph")
        radius_px = (radius or self.protocol.radius) * self._diameter_px
        return [
            score_picks(picks[name], self.targets_px[name], radius_px, self.counted[name])
            for name in self.names
        ]

    def figures(self, picks: Mapping[str, Picks]) -> dict[str, Metric]:
        """Every figure with its interval over micrographs."""
        strict, wide = self.parts(picks), self.parts(picks, self.protocol.wide_radius)
        how = partial(_metric, draws=self.protocol.draws)
        return {
            "auprc": how(strict, average_precision),
            "auprc_wide": how(wide, average_precision),
            "best_f1": how(strict, _best_f1),
        }

    @property
    def _diameter_px(self) -> float:
        return self.protocol.particle_diameter_A / self.folder.pixel_size_A

    def _masked(self, name: str, shape: tuple[int, ...]) -> NDArray[np.bool_]:
        if self.ruined is None:
            return np.zeros(shape, dtype=np.bool_)
        path = self.ruined / f"{name}.mrc"
        if not path.is_file():
            raise CryoccdError(f"{path}: no such mask; give one of each micrograph")
        mask: NDArray[np.bool_] = read_mrc(path)[0] != 0
        if mask.shape != shape:
            raise CryoccdError(f"{path}: {mask.shape} pixels, expected {shape} of the micrograph")
        return mask


def flat_area(image: NDArray[np.float32]) -> NDArray[np.bool_]:
    """(h, w) whether a pixel lies in a square without variation: a border that was filled in."""
    reach = _FLAT_PX // 2
    values = torch.from_numpy(image)[None, None]
    high = max_pool2d(values, _FLAT_PX, 1, reach)
    low = -max_pool2d(-values, _FLAT_PX, 1, reach)
    flat = (high == low).to(torch.float32)  # centres of such squares
    grown: NDArray[np.bool_] = max_pool2d(flat, _FLAT_PX, 1, reach)[0, 0].numpy() > 0
    return grown


def _metric(parts: Sequence[Scored], statistic: Any, draws: int) -> Metric:
    value = statistic(parts)
    found = interval(parts, statistic, draws)
    return Metric(value, found.low, found.high, len(parts), found.kind, "")


def _best_f1(parts: Sequence[Scored]) -> float:
    best = precision_recall(parts).best
    return 0.0 if best is None else best.f1
