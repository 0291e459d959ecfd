"""Positions, angles, hand, pixel size and defocus of a set, by what its images show."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch

from cryoccd.imaging.projection import Projector
from cryoccd.io.dataset import Dataset
from cryoccd.verify.finding import Finding
from cryoccd.verify.micrographs.by_reconstruction import judge_by_reconstruction
from cryoccd.verify.micrographs.compare import compare_readings
from cryoccd.verify.micrographs.correlate import correlation, spectra
from cryoccd.verify.micrographs.images import Images
from cryoccd.verify.micrographs.judge import (
    judge_defocus,
    judge_magnification,
    judge_nothing_seen,
    judge_reading,
    judge_shifts,
    judge_signal,
)
from cryoccd.verify.micrographs.refits import (
    Particles,
    refit_defocus,
    refit_magnification,
    refit_shifts,
    robust_mean,
)
from cryoccd.verify.micrographs.sample import Sample, draw_samples
from cryoccd.verify.micrographs.views import mirrored
from cryoccd.verify.readings import HANDS, Reading

COMPARED = 60
"""Particles in all on which the readings are compared."""

REFITTED = 200
"""Particles in all whose shift and defocus are refitted."""


def check_geometry(
    dataset: Dataset,
    maps: dict[str, Projector],
    kind: str,
    count: int,
    advance: Callable[[], None],
) -> list[Finding]:
    """Verdicts on all labels that the images can tell.

    Args:
        dataset: the set.
        maps: the map of each species.
        kind: images to look at, clean or micrographs.
        count: particles of each map to reconstruct from.
        advance: called after each of 2 steps and one more a map.
    """
    samples = draw_samples(dataset, {key: p.box_px for key, p in maps.items()}, count)
    if not samples:
        text = "no particle with a whole box"
        return [Finding(f, "undecided", text) for f in Reading().families()]
    few = max(10, COMPARED // len(samples))
    scores = compare_readings(dataset, kind, [(s.first(few), maps[s.key]) for s in samples])
    advance()
    reading = scores.best()
    if not scores.above_chance(reading):
        return judge_nothing_seen(scores)
    findings = judge_reading(scores, reading)
    images = Images(dataset, kind, reading)
    shifts = np.concatenate([refit_shifts(part) for part in _refitted(images, maps, samples)])
    clear = kind == "clean" and all(sample.isolated for sample in samples)
    findings.append(judge_shifts(shifts, clear))
    # what is wrong so far is a fault of its own, and no reason to blame what is found below
    astray = findings[-1].verdict == "FAIL"
    if astray:
        images = replace(images, moved_px=(robust_mean(shifts[:, 0]), robust_mean(shifts[:, 1])))
    parts = _refitted(images, maps, samples)
    magnification, error = refit_magnification(parts)
    findings.append(judge_magnification(magnification, error, kind == "clean"))
    if findings[-1].verdict == "FAIL":
        images = replace(images, magnification=magnification)
        parts = _refitted(images, maps, samples)
    findings.append(_defocus(parts, clear))
    if kind == "clean" and not dataset.noise_free:
        findings.append(_signal(_refitted(replace(images, kind="micrographs"), maps, samples)))
    advance()
    for sample in samples:
        findings += judge_by_reconstruction(images, maps[sample.key], sample, astray)
        advance()
    return findings


def _refitted(images: Images, maps: dict[str, Projector], samples: list[Sample]) -> list[Particles]:
    """A part of the particles of each map."""
    each = max(10, REFITTED // len(samples))
    flipped = HANDS[images.reading.hand]
    return [
        images.particles(s.first(each), mirrored(maps[s.key]) if flipped else maps[s.key])
        for s in samples
    ]


def _signal(parts: list[Particles]) -> Finding:
    """Whether the noisy images show the particles where the clean ones have them."""
    found, chance = [], []
    for particles in parts:
        seen, views = spectra(particles.boxes), spectra(particles.views(particles.transfer()))
        found.append(correlation(seen, views).double().numpy())
        chance.append(correlation(seen, torch.roll(views, 1, 0)).double().numpy())
    shifts = np.concatenate([refit_shifts(particles) for particles in parts])
    return judge_signal(np.concatenate(found), np.concatenate(chance), shifts)


def _defocus(parts: list[Particles], clear: bool) -> Finding:
    excess = np.concatenate([refit_defocus(particles) for particles in parts])
    heights = [particles.lens.rows["z_A"].to_numpy(np.float64) for particles in parts]
    lens = parts[0].lens
    optics = lens.dataset.optics(str(lens.rows["micrograph"].iloc[0]))
    return judge_defocus(excess, np.concatenate(heights), optics, clear)
