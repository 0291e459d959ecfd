"""Particles of tomograms under every reading of their labels, and how far they lie from them."""

from itertools import product

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.verify.readings import TURNS, Reading
from cryoccd.verify.tomograms.particles import TomogramParticles
from cryoccd.verify.tomograms.readings import (
    HANDS,
    PLACINGS,
    TOMOGRAM_MIRRORED,
    Fits,
)
from cryoccd.verify.tomograms.shifts import common_shift, correlation_at, shifts_px

_DIMS = (1, 2, 3)

Seen = tuple[Tensor, Tensor, Tensor]
"""Cubes (n, m, m, m), their transforms, and (n,) whether they lie in the tomogram."""


def compare(particles: TomogramParticles) -> Fits:
    """Correlation of each particle under each reading, all particles moved alike."""
    seen = {name: _seen(particles, Reading(name)) for name in PLACINGS}
    upside_down = _seen(particles, Reading(hand=TOMOGRAM_MIRRORED))
    values: dict[Reading, NDArray[np.float64]] = {}
    for hand, turn in product(HANDS, TURNS):
        views = particles.views(Reading(turn=turn, hand=hand))
        if hand == TOMOGRAM_MIRRORED:  # a fault of its own, whatever the placing
            values[Reading(turn=turn, hand=hand)] = _fit(particles, upside_down, views)
            continue
        for name, cubes in seen.items():
            values[Reading(name, turn, hand)] = _fit(particles, cubes, views)
    elsewhere = _fit(particles, _seen(particles, None), particles.views(Reading()))
    return Fits(values, elsewhere)


def refit_shifts(particles: TomogramParticles, reading: Reading) -> NDArray[np.float64]:
    """(n, 3) x, y, z in voxels by which particles lie away from their labels, as they are read."""
    _, spectra, inside = _seen(particles, reading)
    views = torch.fft.rfftn(particles.views(reading), dim=_DIMS)
    about = common_shift(spectra, views, particles.frame)
    return shifts_px(spectra[inside], views[inside], about, particles.frame)


def _seen(particles: TomogramParticles, reading: Reading | None) -> Seen:
    cubes, inside = particles.cubes(reading)
    return cubes, torch.fft.rfftn(cubes, dim=_DIMS), inside


def _fit(particles: TomogramParticles, seen: Seen, views: Tensor) -> NDArray[np.float64]:
    cubes, spectra, inside = seen
    shift = common_shift(spectra, torch.fft.rfftn(views, dim=_DIMS), particles.frame)
    found = correlation_at(shift, cubes, views, particles.frame)
    return np.where(inside.numpy(), found, np.nan)
