"""Positions, angles, hand, pixel size and defocus of a set, by what its images show."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from cryoccd.errors import CryoccdError
from cryoccd.imaging.projection import Projector
from cryoccd.io.dataset import Dataset
from cryoccd.io.mrc import read_mrc
from cryoccd.records import Volume
from cryoccd.verify.boxes import cut_boxes
from cryoccd.verify.compare import compare_readings
from cryoccd.verify.correlate import correlation, spectra
from cryoccd.verify.finding import Finding
from cryoccd.verify.judge import (
    LEAST_FSC,
    judge_angles,
    judge_defocus,
    judge_hand,
    judge_magnification,
    judge_nothing_seen,
    judge_reading,
    judge_shifts,
    judge_signal,
)
from cryoccd.verify.readings import HANDS, PLACINGS, Reading
from cryoccd.verify.reconstruct import Reconstruction
from cryoccd.verify.refits import (
    Particles,
    refit_defocus,
    refit_magnification,
    refit_shifts,
    robust_mean,
)
from cryoccd.verify.sample import Sample, draw_samples
from cryoccd.verify.shells import Curve, shell_correlation
from cryoccd.verify.views import Lens, mirrored

COMPARED = 60
"""Particles in all on which the readings are compared."""

REFITTED = 200
"""Particles in all whose shift and defocus are refitted."""

_AT_ONCE = 100


def read_maps(folder: Path) -> dict[str, Projector]:
    """The species maps of a set by name.

    Raises:
        CryoccdError: one is no cube.
    """
    maps = {}
    for path in sorted(folder.glob("*.mrc")):
        values, voxel_size_A = read_mrc(path, ndim=3)
        try:
            maps[path.stem] = Projector(Volume(torch.from_numpy(values), voxel_size_A))
        except CryoccdError as error:
            raise CryoccdError(f"{path}: {error}") from error
    return maps


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
        findings += _by_reconstruction(images, maps[sample.key], sample, astray)
        advance()
    return findings


@dataclass(frozen=True)
class Images:
    """The images of a set under the reading of its labels that fits them.

    Args:
        dataset: the set.
        kind: images to look at, clean or micrographs.
        reading: how the labels are read.
        moved_px: x, y by which all particles lie away from their labels.
        magnification: of the particles over that of their map by the pixel size stated.
    """

    dataset: Dataset
    kind: str
    reading: Reading
    moved_px: tuple[float, float] = (0.0, 0.0)
    magnification: float = 1.0

    def particles(self, sample: Sample, projector: Projector) -> Particles:
        """Those of a sample whose boxes lie inside the field."""
        placing = PLACINGS[self.reading.placing]
        box = projector.box_px
        boxes, rest, inside = cut_boxes(self.dataset, self.kind, sample.rows, box, placing)
        kept = torch.from_numpy(inside)
        rest = rest + torch.tensor(self.moved_px, dtype=torch.float64)
        lens = Lens(self.dataset, sample.rows[inside], self.magnification)
        noise_free = self.kind == "clean"
        return Particles(boxes[kept], rest[kept], lens, projector, self.reading, noise_free)


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


def _by_reconstruction(
    images: Images, projector: Projector, sample: Sample, astray: bool
) -> list[Finding]:
    """FSC of the map that images and labels give; under the reading that fits but for the hand."""
    truth, mirror = projector.volume(), mirrored(projector).volume()

    def curve(a: torch.Tensor, b: torch.Tensor) -> Curve:
        return Curve(shell_correlation(a, b), projector.voxel_size_A)

    found = reconstructed(images, projector, sample)
    right = curve(found, truth)
    hand = judge_hand(sample.key, right, curve(found, mirror), curve(truth, mirror))
    reading = images.reading
    if HANDS[reading.hand] or reading.turn != "as stated":
        return [hand]  # named already; its FSC would only say so again
    attainable = right
    if right.lowest() < LEAST_FSC:  # what would perfect images give with as many particles?
        attainable = curve(reconstructed(images, projector, sample, perfect=True), truth)
    clear = images.kind == "clean" and sample.isolated and not astray
    return [judge_angles(sample.key, right, attainable, clear), hand]


def reconstructed(
    images: Images, projector: Projector, sample: Sample, perfect: bool = False
) -> torch.Tensor:
    """The map that the images, or perfect ones in their place, give with the labels."""
    reconstruction = Reconstruction(projector.box_px)
    for start in range(0, len(sample.rows), _AT_ONCE):
        part = Sample(sample.key, sample.rows.iloc[start : start + _AT_ONCE], sample.isolated)
        particles = images.particles(part, projector)
        if len(particles.boxes):
            transfer = particles.transfer()
            seen = particles.views(transfer) if perfect else particles.boxes
            reconstruction.add(seen, particles.eulers_deg, particles.rest_px, transfer)
    return reconstruction.volume()
