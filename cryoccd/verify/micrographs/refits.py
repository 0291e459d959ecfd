"""Shift, magnification and defocus as the images themselves tell them, beside the labels."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cryoccd.imaging.projection import Projector
from cryoccd.verify.micrographs.correlate import correlation, damping, shift_px, spectra
from cryoccd.verify.micrographs.views import Lens, eulers_deg, through_lens
from cryoccd.verify.readings import SIGNS, TURNS, Reading

_LARGEST_OFFSET_A = 1000.0
_OFFSET_STEP_A = 50.0
_WIDEST = 0.1  # of the magnification, either way
_TRIED = 7  # magnifications at a time
_ZOOMS = 3
_QUARTERS = 4


@dataclass(frozen=True)
class Particles:
    """Particles under the reading that fits them.

    Args:
        boxes: (n, b, b) their images.
        rest_px: (n, 2) where in the box each should be, from [b // 2, b // 2].
        lens: their transfer functions.
        projector: of the map, mirrored where the reading says so.
        reading: how the labels are read.
        noise_free: whether the images are.
    """

    boxes: Tensor
    rest_px: Tensor
    lens: Lens
    projector: Projector
    reading: Reading
    noise_free: bool = True

    @property
    def eulers_deg(self) -> Tensor:
        """(n, 3) angles as they are read."""
        return TURNS[self.reading.turn](eulers_deg(self.lens.rows))

    def transfer(self, offset_A: float = 0.0) -> Tensor:
        """(n, 2 b, b + 1) at the defocus as it is read."""
        return self.lens.transfer(2 * self.projector.box_px, SIGNS[self.reading.sign], offset_A)

    def damping(self) -> Tensor:
        """(m,) by which the images are damped."""
        views = spectra(self.views(self.transfer()))
        return damping(spectra(self.boxes), views, int(self.boxes.shape[-1]), self.noise_free)

    def views(self, transfer: Tensor, magnification: float = 1.0) -> Tensor:
        """(n, b, b) what they should look like."""
        projections = self.projector.project(self.eulers_deg, self.rest_px, magnification)
        return through_lens(projections, transfer)


def refit_shifts(particles: Particles) -> NDArray[np.float64]:
    """(n, 2) shift x, y in pixels of each particle from where its label puts it."""
    views = particles.views(particles.transfer())
    side = int(views.shape[-1])
    return shift_px(spectra(particles.boxes), spectra(views), side).numpy()


def refit_magnification(parts: Sequence[Particles]) -> tuple[float, float]:
    """Size of the particles over that of their maps by the pixel size stated, and its error.

    Where the correlation of a quarter of the particles peaks; mean and standard error of four.
    """
    seen = [spectra(particles.boxes) for particles in parts]
    transfers = [particles.transfer() for particles in parts]
    damped = [particles.damping() for particles in parts]
    quarter = torch.arange(sum(len(boxes) for boxes in seen)) % _QUARTERS

    def scores(magnification: float) -> Tensor:
        """(n,) correlations."""
        found = []
        for particles, boxes, transfer, weight in zip(parts, seen, transfers, damped, strict=True):
            scale = particles.projector.voxel_size_A / _pixel_size_A(particles)
            views = particles.views(transfer, scale * magnification)
            found.append(correlation(boxes, spectra(views) * weight))
        return torch.cat(found)

    tried = np.linspace(1 - _WIDEST, 1 + _WIDEST, _TRIED)
    for _ in range(_ZOOMS):
        table = torch.stack([scores(float(m)) for m in tried])
        means = torch.stack([table[:, quarter == q].mean(1) for q in range(_QUARTERS)]).double()
        peaks = np.array([_peak(tried, row.numpy()) for row in means])
        half = max(float(tried[1] - tried[0]), 3 * float(peaks.std()))
        tried = np.linspace(peaks.mean() - half, peaks.mean() + half, _TRIED)
    return float(peaks.mean()), float(peaks.std(ddof=1) / np.sqrt(_QUARTERS))


def _peak(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Where a parabola through the largest of evenly spaced values and its neighbours peaks."""
    at = int(y.argmax().clip(1, len(y) - 2))
    low, top, high = y[at - 1 : at + 2]
    bend = low - 2 * top + high
    part = 0.5 * (low - high) / bend if bend < 0 else 0.0
    return float(x[at] + np.clip(part, -1, 1) * (x[1] - x[0]))


def refit_defocus(particles: Particles) -> NDArray[np.float64]:
    """(n,) angstrom by which the defocus of each particle exceeds its label."""
    offsets = np.arange(-_LARGEST_OFFSET_A, _LARGEST_OFFSET_A + 1, _OFFSET_STEP_A)
    seen, damped = spectra(particles.boxes), particles.damping()
    projections = particles.projector.project(particles.eulers_deg, particles.rest_px)
    scores = []
    for offset_A in offsets:
        views = through_lens(projections, particles.transfer(float(offset_A)))
        scores.append(correlation(seen, spectra(views) * damped).double().numpy())
    table = np.stack(scores)
    peak = table.argmax(0).clip(1, len(offsets) - 2)
    low, top, high = (np.take_along_axis(table, peak[None] + d, 0)[0] for d in (-1, 0, 1))
    bend = low - 2 * top + high
    part = np.divide(low - high, 2 * bend, out=np.zeros_like(bend), where=bend != 0)
    return np.asarray(offsets[peak] + part.clip(-1, 1) * _OFFSET_STEP_A)


def _pixel_size_A(particles: Particles) -> float:
    rows = particles.lens.rows
    return particles.lens.dataset.optics(str(rows["micrograph"].iloc[0])).pixel_size_A


def spread(values: NDArray[np.float64]) -> float:
    """Standard deviation of normal values, by their median absolute deviation."""
    return 1.4826 * float(np.median(np.abs(values - np.median(values))))


def standard_error(values: NDArray[np.float64]) -> float:
    """Of the mean of values without their outliers."""
    return spread(values) / float(np.sqrt(max(len(values), 1)))


def robust_mean(values: NDArray[np.float64]) -> float:
    """Mean of what lies within three spreads of the median."""
    near = np.abs(values - np.median(values)) <= 3 * spread(values) + 1e-12
    return float(values[near].mean())
