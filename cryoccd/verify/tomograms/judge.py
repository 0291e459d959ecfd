"""From correlations and shifts of subtomograms to verdicts: the limits stand here."""

import numpy as np
from numpy.typing import NDArray

from cryoccd.verify.finding import Finding
from cryoccd.verify.micrographs.refits import robust_mean, spread, standard_error
from cryoccd.verify.readings import Reading
from cryoccd.verify.tomograms.readings import Fits

LARGEST_SHIFT = 0.2
"""Voxels; half a pixel of the images is 0.25 where they are binned by two."""

LEAST_CORRELATION = 0.8
"""Of images without noise; right labels give 0.97 and more, beside membranes 0.85."""

_PARTS = {"positions": "placing", "angles": "turn", "hand": "hand"}


def judge_part(fits: Fits, reading: Reading, family: str, key: str = "") -> Finding:
    """One family of labels, by the reading that the tomograms bear out.

    Args:
        fits: of the particles of one map, or of all.
        reading: of these the right one.
        family: positions, angles or hand.
        key: name of the map.
    """
    about = f"{key}: " if key else ""
    part = _PARTS[family]
    read, best = getattr(reading, part), fits.mean(reading)
    figures = f"correlation {best:.3f}, n {fits.number(reading)}"
    if read != "as stated":
        stated = fits.mean(Reading())
        return Finding(family, "FAIL", f"{about}{read} ({figures}, as stated {stated:.3f})")
    others = fits.alternatives(reading, part)
    rivals = [getattr(other, part) for other in others if not fits.beats(reading, other)]
    if rivals:
        text = f"{about}whether {rivals[0]} cannot be told ({figures})"
        return Finding(family, "undecided", text)
    nearest = f"; {getattr(others[0], part)}: {fits.mean(others[0]):.3f}" if others else ""
    return Finding(family, "pass", f"{about}{figures}{nearest}")


def judge_unseen(fits: Fits) -> list[Finding]:
    """Where the labels, read in any way, put particles the tomograms show none."""
    number = fits.number(Reading())
    others = [
        Finding(family, "undecided", "no particles to see it by") for family in ("angles", "hand")
    ]
    if number < 2:
        text = f"{number} particles lie whole in their tomogram, too few"
        return [Finding("positions", "undecided", text), *others]
    text = f"no particles where the labels say (correlation {fits.mean(Reading()):.3f} is chance)"
    return [Finding("positions", "FAIL", f"{text}, n {number}"), *others]


def judge_tomogram_shifts(shifts_px: NDArray[np.float64]) -> Finding:
    """Mean of the (n, 3) shifts x, y, z of particles from their labels, in voxels."""
    mean = [robust_mean(axis) for axis in shifts_px.T]
    error = max(standard_error(axis) for axis in shifts_px.T)
    wide = max(spread(axis) for axis in shifts_px.T)
    places = ", ".join(f"{value:+.3f}" for value in mean)
    text = f"mean shift ({places}) voxels, spread {wide:.3f}, n {len(shifts_px)}"
    furthest = max(abs(value) for value in mean)
    if furthest > LARGEST_SHIFT and furthest > 3 * error:
        return Finding("positions", "FAIL", f"centres are off: {text}")
    if 2 * error > LARGEST_SHIFT:
        return Finding("positions", "undecided", f"too few or too noisy: {text}")
    return Finding("positions", "pass", text)


def judge_clear(fits: Fits, reading: Reading, key: str) -> list[Finding]:
    """What without noise should correlate and does not; nothing where it does."""
    middle = float(np.nanmedian(fits.values[reading]))
    if middle >= LEAST_CORRELATION:
        return []
    text = f"{key}: median correlation {middle:.3f} without noise: angles or centres scatter, the "
    return [
        Finding("angles", "undecided", f"{text}map is another, or membranes hide the particles")
    ]
