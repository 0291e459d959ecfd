"""The fraction pi of positive pixels that a training by Topaz is told.

A network judges pixels; those within `radius_px` of a particle are positive. With N labelled
particles, d pixels in such a disc and A pixels in all, p = N d / A of them are labelled. Topaz
0.3.20 counts 2 r + 1 discs a particle, as if images were volumes, and takes (2 r + 1) p for p.

* All particles labelled, as in simulated micrographs: method PN, where pi only weighs positives
  against the rest: pi = w p, and Topaz itself would take w = 2 r + 1. (With w = 1, the share that
  positives have, scores are log-odds, but short trainings are less sure to succeed: on blobs, with
  240 steps of 64 windows, average precisions of 0.65, 0.81, 0.86 and 0.94, and with w = 7 of 0.93,
  0.94, 0.94 and 0.95.)
* Labels that lack particles, M expected a micrograph and n labelled: GE-binomial. Topaz expects
  pi - p of the rest to be positive, with its own p, and changes the method to PN where that is
  not above 0. So pi = (its p) + (M - n) / n p: the rest has what it ought to.

Bepler et al. 2019, Nat. Methods 16, 1153.
"""

import re

import numpy as np

from cryoccd.downstream.picking.topaz_config import TopazConfig
from cryoccd.errors import CryoccdError


def labelled_fraction(n_labelled: int, radius_px: int, n_pixels: int) -> float:
    """Share of pixels within a radius of labelled particles that do not overlap."""
    return n_labelled * _disc_pixels(radius_px) / n_pixels


def counted_fraction(n_labelled: int, radius_px: int, n_pixels: int) -> float:
    """The same as Topaz 0.3.20 counts it."""
    return (2 * radius_px + 1) * labelled_fraction(n_labelled, radius_px, n_pixels)


def method_options(
    config: TopazConfig, n_labelled: int, n_micrographs: int, radius_px: int, n_pixels: int
) -> list[str]:
    """Method and pi of a training.

    Args:
        config: its settings.
        n_labelled: particles labelled on all micrographs.
        n_micrographs: the number of these.
        radius_px: of the positive discs.
        n_pixels: of all down-sampled micrographs.

    Raises:
        CryoccdError: fewer particles are expected than labelled, or positives fill the images.
    """
    fraction = labelled_fraction(n_labelled, radius_px, n_pixels)
    counted = counted_fraction(n_labelled, radius_px, n_pixels)
    labelled = n_labelled / n_micrographs
    if config.expected_particles is None:
        weight = config.positive_weight
        method, pi = "PN", counted if weight is None else weight * fraction
    else:
        if config.expected_particles <= labelled:
            raise CryoccdError(
                f"topaz: expected_particles = {config.expected_particles:g}, but {labelled:g} a "
                "micrograph are labelled; expected more, or none where labels are whole"
            )
        missing = (config.expected_particles / labelled - 1) * fraction
        method, pi = "GE-binomial", counted + missing
    if not pi < 1:
        raise CryoccdError(
            f"topaz: pi = {pi:.2g} with radius_px = {radius_px}, expected under 1; lower radius_px "
            "or positive_weight"
        )
    return ["--method", method, "--pi", repr(pi)]


def require_counts(said: str, counted: float) -> None:
    """Refuse a training by a Topaz that counts otherwise, for which pi was wrong.

    Args:
        said: what `topaz train` printed.
        counted: `counted_fraction`.

    Raises:
        CryoccdError: it printed another fraction.
    """
    found = re.search(r"^# 0\ttrain\t(\S+)", said, re.MULTILINE)
    fraction = float(found[1]) if found else None
    if fraction is None or abs(fraction / counted - 1) > 1e-3:
        told = "no fraction" if fraction is None else f"a fraction of {fraction:.3g}"
        raise CryoccdError(
            f"topaz train: counts {told} of labelled pixels, expected {counted:.3g} of release "
            "0.3.20; pip install topaz-em==0.3.20"
        )


def _disc_pixels(radius_px: int) -> int:
    axis = np.arange(-radius_px, radius_px + 1) ** 2
    return int(np.count_nonzero(axis[:, None] + axis <= radius_px**2))
