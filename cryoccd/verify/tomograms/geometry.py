"""Positions, angles and hand of a set of tilt series, by what its tomograms show."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import torch

from cryoccd.errors import CryoccdError
from cryoccd.imaging.stamps import species_key
from cryoccd.io.dataset import TomogramSet
from cryoccd.io.mrc import read_mrc
from cryoccd.records import Volume
from cryoccd.verify.finding import Finding
from cryoccd.verify.tomograms.compare import compare, refit_shifts
from cryoccd.verify.tomograms.judge import (
    judge_clear,
    judge_part,
    judge_tomogram_shifts,
    judge_unseen,
)
from cryoccd.verify.tomograms.particles import TomogramParticles
from cryoccd.verify.tomograms.readings import Fits
from cryoccd.verify.tomograms.tables import ANGLES, POSITION

COMPARED = 120
"""Particles in all on which the readings are compared."""


def check_tomogram_geometry(
    tomograms: TomogramSet, tilts: pd.DataFrame, count: int, advance: Callable[[], None]
) -> list[Finding]:
    """Verdicts on all labels that the tomograms can tell.

    Args:
        tomograms: the set.
        tilts: its table of tilts.
        count: particles of each map.
        advance: called after each map.
    """
    samples = dict(_samples(tomograms, tilts, count))
    few = max(10, COMPARED // max(1, len(samples)))
    fits = {}
    for key, particles in samples.items():
        fits[key] = compare(particles.first(few))
        advance()
    if not fits:
        return [Finding(f, "undecided", "no particles") for f in ("positions", "angles", "hand")]
    together = Fits.joined(list(fits.values()))
    reading = together.simplest()
    if not together.seen(reading):
        return judge_unseen(together)
    findings = [judge_part(together, reading, "positions")]
    noise_free = not tilts["exposure_e_per_A2"].any()
    shifts = []
    for key, own in fits.items():
        right = own.simplest(reading.placing)
        if not own.seen(right):
            text = f"{key}: no particles to see it by"
            findings += [Finding(family, "undecided", text) for family in ("angles", "hand")]
            continue
        findings += [judge_part(own, right, family, key) for family in ("angles", "hand")]
        if noise_free:
            findings += judge_clear(own, right, key)
        shifts.append(refit_shifts(samples[key], right))
    return [*findings, judge_tomogram_shifts(np.concatenate(shifts))]


def _samples(
    tomograms: TomogramSet, tilts: pd.DataFrame, count: int
) -> Iterator[tuple[str, TomogramParticles]]:
    """Up to `count` particles of each map, at random."""
    table = tomograms.particles
    sound = np.isfinite(table[[*POSITION, *ANGLES]].to_numpy(np.float64)).all(axis=1)
    table = table[sound & table["tomogram"].isin(tomograms.names)]
    kinds = zip(table["species"], table["conformation"], strict=True)
    keys = pd.Series([species_key(*kind) for kind in kinds], index=table.index, dtype=object)
    pixel_size_A = float(tomograms.tomograms["pixel_size_A"].iloc[0])
    for key, path in sorted(tomograms.species_maps.items()):
        rows = table[keys == key]
        if len(rows):
            values = torch.from_numpy(read_mrc(path, ndim=3)[0])
            try:
                volume = Volume(values, pixel_size_A)
            except CryoccdError as error:
                raise CryoccdError(f"{path}: {error}") from error
            yield key, TomogramParticles(tomograms, tilts, rows, volume).first(count)
