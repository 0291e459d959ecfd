"""One scene, and variants that differ from it in a single factor.

Five particles stand apart in a square field of even ice, all of one species and conformation, at
the middle height. The first of them, or the lens, or the ice, is changed; all else is the same to
the last bit. The optics are those that the user of the real side knows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import numpy as np

from cryoccd.io.folder_optics import FolderOptics
from cryoccd.records import Optics, Particles, Scene

_FIELD, _MOVED_TO = 5.6, (2.8, 1.3)  # in diameters, as the places of the particles are
_PLACES = ((1.4, 1.4), (4.2, 1.4), (2.8, 2.9), (1.4, 4.2), (4.2, 4.2))
_EULERS_DEG = ((20, 80, 30), (70, 50, 110), (140, 80, 200), (250, 20, 310), (310, 65, 75))
_TURNED_DEG = 75.0
_DEFOCUS = 1.5
_ICE_A, _MORE_ICE_A = 400.0, 600.0


@dataclass(frozen=True)
class Setting:
    """What is exposed, and through which lens."""

    scene: Scene
    optics: Optics


@dataclass(frozen=True)
class Factor:
    """A setting that differs from the base in one thing.

    Args:
        name: the factor.
        change: what was changed.
        setting: what comes of it.
    """

    name: str
    change: str
    setting: Setting


def base_setting(names: tuple[str, str], diameter_A: float, known: FolderOptics) -> Setting:
    """The setting that the variants are compared with.

    Args:
        names: the species shown, and that which takes the place of one particle.
        diameter_A: of the former in angstrom, the unit of the layout.
        known: optics of the real side; the defocus is the least.
    """
    # a multiple of 32: of the ice map's pixels, and of what the networks take without a border
    side = 32 * ceil(_FIELD * diameter_A / known.pixel_size_A / 32)
    n = len(_PLACES)
    particles = Particles(
        positions_A=np.column_stack([np.array(_PLACES) * diameter_A, np.zeros(n)]),
        eulers_deg=np.array(_EULERS_DEG, dtype=np.float64),
        species=np.zeros(n, dtype=np.int64),
        conformation=np.ones(n, dtype=np.int64),
    )
    scene = Scene(
        particles=particles,
        species_names=names,
        ice_thickness_A=np.full((side // 8, side // 8), _ICE_A, dtype=np.float32),
        shape_px=(side, side),
        pixel_size_A=known.pixel_size_A,
    )
    defocus_A = known.defocus_A[0]
    optics = Optics(
        voltage_kV=known.voltage_kV,
        cs_mm=known.cs_mm,
        amplitude_contrast=known.amplitude_contrast,
        pixel_size_A=known.pixel_size_A,
        defocus_u_A=defocus_A,
        defocus_v_A=defocus_A,
    )
    return Setting(scene, optics)


def factors(base: Setting, diameter_A: float) -> tuple[Factor, ...]:
    """The variants of a base setting.

    Args:
        base: species 0 in conformation 1 everywhere.
        diameter_A: as of the base.
    """
    scene, optics = base.scene, base.optics
    position_A = np.array([*_MOVED_TO, 0.0]) * diameter_A
    turned_deg = scene.particles.eulers_deg[0] - [0.0, _TURNED_DEG, 0.0]
    defocus_A = _DEFOCUS * optics.defocus_u_A
    side = scene.ice_thickness_A.shape[1]
    rise = ((np.arange(side) + 0.5) / side * 2 - 1).clip(0)  # from the middle to the right
    ice_A = scene.ice_thickness_A + _MORE_ICE_A * (rise**2 * (3 - 2 * rise)).astype(np.float32)

    def edited(**first: Any) -> Setting:
        return replace(base, scene=replace(scene, particles=_with_first(scene.particles, first)))

    moved_A = float(np.linalg.norm(position_A - scene.particles.positions_A[0]))
    microns = optics.defocus_u_A / 1e4, defocus_A / 1e4
    to_species = f"one particle is {scene.species_names[1]}"
    lens = replace(optics, defocus_u_A=defocus_A, defocus_v_A=defocus_A)
    return (
        Factor("position", f"one particle moved {moved_A:.0f} Å", edited(positions_A=position_A)),
        Factor(
            "orientation",
            f"one particle tilted {_TURNED_DEG:.0f}°",
            edited(eulers_deg=turned_deg),
        ),
        Factor("conformation", "one particle in another shape", edited(conformation=2)),
        Factor("specimen", to_species, edited(species=1, conformation=0)),
        Factor("defocus", "{:.2f} to {:.2f} µm".format(*microns), replace(base, optics=lens)),
        Factor(
            "ice",
            f"right side {_ICE_A:.0f} to {_ICE_A + _MORE_ICE_A:.0f} Å",
            replace(base, scene=replace(scene, ice_thickness_A=ice_A)),
        ),
    )


def _with_first(particles: Particles, first: Mapping[str, Any]) -> Particles:
    """The particles with other values of the first one."""
    changed = {name: getattr(particles, name).copy() for name in first}
    for name, value in first.items():
        changed[name][0] = value
    return replace(particles, **changed)
