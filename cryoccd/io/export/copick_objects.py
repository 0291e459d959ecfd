"""Species as objects that copick knows: names it allows, colours, sizes."""

import re
from colorsys import hsv_to_rgb
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cryoccd.io.dataset import TomogramSet

_FORBIDDEN = r'[<>:"/\\|?*\x00-\x1f\x7f\s_]'  # copick takes names apart at underscores
_ENCLOSED = 0.99
_GOLDEN = 0.618034  # hues by the golden ratio stay apart, however many there are


@dataclass(frozen=True)
class PickedObject:
    """One species under the name that copick has for it.

    Args:
        name: copick's.
        species: ours, as in the tables.
        label: number from 1 in the order of the species' names.
        map_path: potential of the species, or of its first conformation that occurs.
    """

    name: str
    species: str
    label: int
    map_path: Path | None

    def entry(self, radius_A: float | None) -> dict[str, Any]:
        """What copick_config.json says of it."""
        rgb = hsv_to_rgb(self.label * _GOLDEN % 1, 0.65, 0.95)
        return {
            "name": self.name,
            "is_particle": True,
            "label": self.label,
            "color": [*(round(255 * part) for part in rgb), 255],
            "radius": radius_A,
            "metadata": {
                "species": self.species,
                "map": self.map_path.name if self.map_path else None,
                "synthetic": True,
            },
        }


def picked_objects(tomograms: TomogramSet) -> list[PickedObject]:
    """The species that occur in a set, by name.

    Characters that copick forbids become dashes; names that this makes equal are numbered. The
    species' own name stands in the object's metadata.
    """
    first = tomograms.particles.groupby("species")["conformation"].min()
    objects: list[PickedObject] = []
    for label, (species, conformation) in enumerate(sorted(first.items()), start=1):
        key = f"{species}-{conformation}" if conformation else str(species)
        name = _allowed(str(species), {known.name for known in objects})
        objects.append(PickedObject(name, str(species), label, tomograms.species_maps.get(key)))
    return objects


def radius_A(volume: NDArray[np.float32], voxel_size_A: float) -> float:
    """Radius of the sphere about voxel n // 2 with 99 % of the squared potential of a map."""
    axes = np.ix_(*((np.arange(side) - side // 2) ** 2 for side in volume.shape))
    radius2 = axes[0] + axes[1] + axes[2]
    power = np.bincount(radius2.ravel(), weights=volume.astype(np.float64).ravel() ** 2)
    return voxel_size_A * sqrt(int(np.searchsorted(power.cumsum(), _ENCLOSED * power.sum())))


def _allowed(species: str, taken: set[str]) -> str:
    name = re.sub(_FORBIDDEN, "-", species).strip("-") or "object"
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    return candidate
