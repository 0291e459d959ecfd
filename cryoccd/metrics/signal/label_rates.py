"""Particles without label and labels without particle, beyond what ideal noise brings.

Detections are the maxima of the matched filter's score (`detectability`), the largest within half a
diameter, above a threshold. With the labels,

    hallucination_rate = detections with no label within half a diameter / detections
    erasure_rate       = labels with no detection within half a diameter / labels ,

each less the same rate of the reference, the clean image at the contrast of the real data in noise
of the real background (`calibration`): what the reference misses or adds, the noise or the scene
does and not the model. One threshold serves both: that at which the reference misses as many labels
as its noise alone has detections, all micrographs together (the middle, where there are several).
A fixed z would leave nothing to erase where particles are faint.

Labels and detections nearer to the border than half a diameter do not count, but may be a partner.
"""

from collections.abc import Sequence
from math import nan

import torch
from scipy.ndimage import maximum_filter
from torch import Tensor

from cryoccd.metrics.measure import Field, Figure, Measure
from cryoccd.metrics.signal.calibration import Calibration, calibrated_signal
from cryoccd.metrics.signal.detectability import Detectability

_STEP, _BINS = 0.05, 1000  # of the histograms of scores, from 0


class LabelRates(Measure[Tensor]):
    """Rates of hallucinated and of erased particles.

    Args:
        detectability: fitted on the real training split.
        calibration: of the same split.
    """

    figures = (
        Figure("hallucination_rate", 0.0, "detections without label, beyond ideal noise"),
        Figure("erasure_rate", 0.0, "labels without detection, beyond ideal noise"),
    )
    sides = ("generated",)

    def __init__(self, detectability: Detectability, calibration: Calibration) -> None:
        self.detectability = detectability
        self.calibration = calibration

    def lacks(self, field: Field) -> str:
        """Clean images or picks."""
        if field.clean is None:
            return "clean images"
        return "picks" if field.centres_px is None else ""

    def describe(self, field: Field) -> Tensor:
        """(3, 3, bins) counts of scores, of the image, the reference and the noise of that.

        They are those of detections without label, of all detections, and of the best detection
        at each label; the first bin takes all below, and labels with none.
        """
        assert field.centres_px is not None  # else it lacks them
        labels = field.centres_px.reshape(-1, 2).to(torch.float64)
        noise = self.calibration.noise(field)
        signal = calibrated_signal(field, self.calibration.gain)
        images = (field.image, signal + noise, noise)
        return torch.stack([self._counts(image, labels) for image in images])

    def compare(self, real: Sequence[Tensor], made: Sequence[Tensor]) -> dict[str, float]:
        """Both rates; NaN without labels, that of hallucinations also without detections."""
        if not made:
            return dict.fromkeys((figure.name for figure in self.figures), nan)
        counts = torch.stack(list(made)).sum(0).to(torch.float64)
        n_labels = counts[:, 2].sum(-1)
        above = counts.flip(-1).cumsum(-1).flip(-1)[..., 1:]
        false, detections, found = above.unbind(1)
        missed = n_labels[:, None] - found
        balance = (missed[1] - detections[2]).abs()
        best = (balance == balance.min()).nonzero()[:, 0]
        at = int(best[len(best) // 2])
        hallucinated, erased = (
            (some[:, at] / total).tolist()
            for some, total in ((false, detections[:, at]), (missed, n_labels))
        )
        return {
            "hallucination_rate": hallucinated[0] - hallucinated[1],
            "erasure_rate": erased[0] - erased[1],
        }

    def _counts(self, image: Tensor, labels: Tensor) -> Tensor:
        """(3, bins) counts of one image."""
        half = self.detectability.diameter_px / 2
        shape = (int(image.shape[0]), int(image.shape[1]))
        scores, peaks = _maxima(self.detectability.score(image), round(half))
        near = _distances(peaks, labels) <= half
        lowest = torch.full((1, len(labels)), -1.0, dtype=torch.float64)
        at_labels = scores[:, None].where(near, torch.tensor(-1.0, dtype=torch.float64))
        best = torch.cat([at_labels, lowest]).amax(0)
        counted = _clear(peaks, shape, half)
        return torch.stack(
            [
                _histogram(scores[counted & ~near.any(1)]),
                _histogram(scores[counted]),
                _histogram(best[_clear(labels, shape, half)]),
            ]
        )


def _maxima(scores: Tensor, reach_px: int) -> tuple[Tensor, Tensor]:
    """(n,) values and (n, 2) places x, y of what is largest in the square about it."""
    largest = torch.from_numpy(maximum_filter(scores.numpy(), 2 * reach_px + 1, mode="nearest"))
    y, x = (scores == largest).nonzero(as_tuple=True)
    return scores[y, x].to(torch.float64), torch.stack([x, y], 1).to(torch.float64)


def _distances(one: Tensor, two: Tensor) -> Tensor:
    """(n, m) exact ones: whole pixels often lie just half a diameter apart."""
    return torch.cdist(one, two, compute_mode="donot_use_mm_for_euclid_dist")


def _clear(places: Tensor, shape_px: tuple[int, int], margin_px: float) -> Tensor:
    """Which (n, 2) places x, y keep a margin to the border."""
    far = torch.tensor([shape_px[1] - 1, shape_px[0] - 1], dtype=torch.float64) - margin_px
    return ((places >= margin_px) & (places <= far)).all(1)


def _histogram(scores: Tensor) -> Tensor:
    bins = (scores / _STEP).floor().long().clamp(0, _BINS - 1)
    return torch.bincount(bins, minlength=_BINS)
