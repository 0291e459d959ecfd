"""Whether micrographs show the defocus and astigmatism of their labels, and such as real ones do.

The CTF of every micrograph is fitted anew to its Thon rings, as CTFFIND would (`ctf_fit_2d`). With
means m, astigmatisms s = (u - v) / 2 (cos 2a, sin 2a), scores c and hats for what is fitted:

    defocus error       median |m^ - m|     over generated micrographs with rings and true optics
    astigmatism error   median |s^ - s|     over the same
    defocus distance    W1(m^ real, m^ generated)     over those with rings
    score difference    mean c generated - mean c real     over all
    fitted difference   share with rings, generated - real

A fit of noise without rings has a score, but a low one, and its defocus is chance: it has rings
where the score reaches what one in 100 fields of noise exceeds (`AstigmaticFit.least_score`). Score
and threshold depend on the size of a micrograph, so the two differences want sides of one size.
The errors of a perfect model are those of the fit, which noise does not let be 0: of the order of
100 A in 256 px of 4 A.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, nan, radians, sin

import numpy as np
from scipy.stats import wasserstein_distance

from cryoccd.imaging.ctf_fit_2d import AstigmaticFit, fit_ctf
from cryoccd.imaging.lens import Lens
from cryoccd.imaging.ring_cells import LEAST_RINGS, rings_in_band
from cryoccd.metrics.measure import Field, Figure, Measure
from cryoccd.records import Optics


@dataclass(frozen=True)
class Refit:
    """The fit of one micrograph beside its true optics, None where unknown."""

    fit: AstigmaticFit
    truth: Optics | None


class CtfRefit(Measure[Refit]):
    """Defocus and astigmatism, fitted anew.

    Args:
        lens: the microscope, taken for both sides.
        range_A: mean defocus searched, lowest and highest.
    """

    figures = (
        Figure("ctf_defocus_error_A", 0, "median error of the mean defocus read off the rings"),
        Figure("ctf_astigmatism_error_A", 0, "median length of the error of the astigmatism"),
        Figure("ctf_defocus_w1_A", 0, "distance of the distributions of defocus (Wasserstein-1)"),
        Figure("ctf_score_difference", 0, "mean correlation with CTF², generated - real"),
        Figure("ctf_fitted_difference", 0, "share with visible Thon rings, generated - real"),
    )

    def __init__(self, lens: Lens, range_A: tuple[float, float] = (5000, 60000)) -> None:
        self.lens = lens
        self.range_A = range_A

    def lacks(self, field: Field) -> str:
        """True optics that contradict the lens would make every error the lens's."""
        if rings_in_band(field.image, field.pixel_size_A) < LEAST_RINGS:
            return f"{LEAST_RINGS} Fourier rings between 30 and 5 A (larger images, smaller pixels)"
        if field.optics is not None and not self.lens.fits(field.optics):
            return "the voltage, Cs, amplitude contrast and phase shift of the measure's lens"
        return ""

    def describe(self, field: Field) -> Refit:
        """Fit of one micrograph."""
        return Refit(
            fit_ctf(field.image, field.pixel_size_A, self.lens, self.range_A), field.optics
        )

    def compare(self, real: Sequence[Refit], made: Sequence[Refit]) -> dict[str, float]:
        """Every figure; the first two are NaN without true optics of generated micrographs."""
        known = [(r.fit, r.truth) for r in made if r.fit.has_rings and r.truth is not None]
        sides = [[r.fit.mean_A for r in side if r.fit.has_rings] for side in (real, made)]
        both = len(real) > 0 and len(made) > 0
        return {
            "ctf_defocus_error_A": _median([abs(fit.mean_A - _mean_A(o)) for fit, o in known]),
            "ctf_astigmatism_error_A": _median(
                [float(np.hypot(*np.subtract(fit.astigmatism_A, _vector_A(o)))) for fit, o in known]
            ),
            "ctf_defocus_w1_A": float(wasserstein_distance(*sides)) if all(sides) else nan,
            "ctf_score_difference": _mean_score(made) - _mean_score(real) if both else nan,
            "ctf_fitted_difference": len(sides[1]) / len(made) - len(sides[0]) / len(real)
            if both
            else nan,
        }

    def notes(self, real: Sequence[Refit], made: Sequence[Refit]) -> dict[str, str]:
        """How many micrographs show rings, where that is not all."""
        shown = [sum(r.fit.has_rings for r in side) for side in (real, made)]
        if shown == [len(real), len(made)]:
            return {}
        note = f"rings in {shown[0]} of {len(real)} real, {shown[1]} of {len(made)} generated"
        return {figure.name: note for figure in self.figures if figure.name.endswith("_A")}


def _mean_A(optics: Optics) -> float:
    return (optics.defocus_u_A + optics.defocus_v_A) / 2


def _vector_A(optics: Optics) -> tuple[float, float]:
    half_A = (optics.defocus_u_A - optics.defocus_v_A) / 2
    twice = radians(2 * optics.astigmatism_deg)
    return half_A * cos(twice), half_A * sin(twice)


def _median(values: Sequence[float]) -> float:
    return float(np.median(values)) if values else nan


def _mean_score(side: Sequence[Refit]) -> float:
    return float(np.mean([refit.fit.score for refit in side]))
