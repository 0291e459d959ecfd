"""From figures to verdicts: the limits of each family of labels stand here."""

import numpy as np
from numpy.typing import NDArray

from cryoccd.records import Optics
from cryoccd.verify.finding import Finding, Verdict
from cryoccd.verify.micrographs.compare import Scores
from cryoccd.verify.micrographs.correlate import BAND
from cryoccd.verify.micrographs.refits import robust_mean, spread, standard_error
from cryoccd.verify.readings import Reading
from cryoccd.verify.shells import Curve

LARGEST_SHIFT_PX = 0.05
LARGEST_SPREAD_PX = 0.15
LARGEST_MOVE_PX = 0.25
LARGEST_MAGNIFICATION = 0.005
LARGEST_DEFOCUS_A = 50.0
LEAST_PHASE_RAD = 0.1
COARSE = 5.0
"""The limit of the magnification is so much wider where the images have noise."""
LARGEST_SLOPE = 0.3
LEAST_FSC = 0.9
LEAST_GAP = 0.1
BLURRED = 10.0
"""The limit of the defocus is so much wider where noise or neighbours stand in the boxes."""


def judge_reading(scores: Scores, reading: Reading) -> list[Finding]:
    """Name what is read wrong: the families in which the best reading is not as stated."""
    best, stated = scores.mean(reading), scores.mean(Reading())
    figures = f"correlation {best:.2f}, as stated {stated:.2f}"
    return [
        Finding(family, "FAIL", f"{key} ({figures})")
        for family, key in reading.families().items()
        if key != "as stated"
    ]


def judge_nothing_seen(scores: Scores) -> list[Finding]:
    """The images show no particles where the labels, read in any way, put them."""
    stated = scores.mean(Reading())
    text = f"no particles where the labels say (correlation {stated:.2f} is that of chance)"
    others = ("angles", "hand", "pixel size", "defocus")
    unseen = [Finding(family, "undecided", "no particles to see it by") for family in others]
    return [Finding("positions", "FAIL", text), *unseen]


def judge_shifts(shifts_px: NDArray[np.float64], clear: bool) -> Finding:
    """Mean and spread of the shift of each particle from its label."""
    x, y = (robust_mean(shifts_px[:, axis]) for axis in (0, 1))
    spread_px = max(spread(shifts_px[:, axis]) for axis in (0, 1))
    error = max(standard_error(shifts_px[:, axis]) for axis in (0, 1))
    text = f"mean shift ({x:+.3f}, {y:+.3f}) px, spread {spread_px:.3f} px, n {len(shifts_px)}"
    furthest = max(abs(x), abs(y))
    if furthest > LARGEST_SHIFT_PX and furthest > 3 * error:
        return Finding("positions", "FAIL", f"centres are off: {text}")
    if clear and spread_px > LARGEST_SPREAD_PX:
        return Finding("positions", "FAIL", f"centres scatter: {text}")
    if 2 * error > LARGEST_SHIFT_PX:
        return Finding("positions", "undecided", f"too few or too noisy: {text}")
    return Finding("positions", "pass", text)


def judge_magnification(magnification: float, error: float, noise_free: bool) -> Finding:
    """Size of the particles over that of their map, with its standard error.

    In noise only the coarse shape is seen, and solvent and damage make it look larger or smaller.
    """
    text = (
        f"particles are {magnification:.4f} +- {error:.4f} of the map's size by the pixel size "
        "stated"
    )
    apart = abs(magnification - 1)
    least = LARGEST_MAGNIFICATION * (1 if noise_free else COARSE)
    if apart > least and apart > 4 * error:
        return Finding("pixel size", "FAIL", text)
    if max(apart, 2 * error) > LARGEST_MAGNIFICATION:
        return Finding("pixel size", "undecided", f"noise, neighbours or too few: {text}")
    return Finding("pixel size", "pass", text)


def judge_defocus(
    excess_A: NDArray[np.float64], z_A: NDArray[np.float64], optics: Optics, clear: bool
) -> Finding:
    """Refitted minus stated defocus, and its slope against the height of the particles.

    Args:
        excess_A: (n,) refit minus label.
        z_A: (n,) heights; NaN where unknown.
        optics: of one of the micrographs.
        clear: whether the images are noise-free and the particles alone in their boxes.
    """
    mean_A, spread_A, error_A = robust_mean(excess_A), spread(excess_A), standard_error(excess_A)
    # what turns the phase by less at the highest frequency that counts shows in no image
    k2 = (BAND / optics.pixel_size_A) ** 2
    limit_A = max(LARGEST_DEFOCUS_A, LEAST_PHASE_RAD / (np.pi * optics.wavelength_A * k2))
    text = f"refit minus label {mean_A:+.0f} A, spread {spread_A:.0f} A, n {len(excess_A)}"
    if abs(mean_A) > limit_A * (1 if clear else BLURRED) and abs(mean_A) > 3 * error_A:
        return Finding("defocus", "FAIL", f"defocus is off: {text}")
    slope, slope_error = _slope(excess_A, z_A)
    if clear and abs(slope) > LARGEST_SLOPE and abs(slope) > 5 * slope_error:
        return Finding("defocus", "FAIL", f"heights are read wrong, slope {slope:+.2f}: {text}")
    if max(abs(mean_A), 2 * error_A) > limit_A:
        return Finding("defocus", "undecided", f"noise, neighbours or too few: {text}")
    return Finding("defocus", "pass", text)


def _slope(values: NDArray[np.float64], z_A: NDArray[np.float64]) -> tuple[float, float]:
    """Slope against height of what is no outlier, and its standard error."""
    near = np.isfinite(z_A) & (np.abs(values - np.median(values)) <= 4 * spread(values) + 1e-9)
    values, z_A = values[near], z_A[near]
    if len(values) < 10 or z_A.std() < 1:
        return 0.0, np.inf
    (slope, offset), *_ = np.polyfit(z_A, values, 1), None
    rest = values - slope * z_A - offset
    return float(slope), float(rest.std() / z_A.std() / np.sqrt(len(values)))


def judge_signal(
    found: NDArray[np.float64], chance: NDArray[np.float64], shifts_px: NDArray[np.float64]
) -> Finding:
    """Whether noise was added to the signal, and neither moved it nor turned it over.

    Args:
        found: (n,) correlations of noisy particles with what they should look like.
        chance: (n,) with another particle's view.
        shifts_px: (n, 2) from their labels.
    """
    x, y = (robust_mean(shifts_px[:, axis]) for axis in (0, 1))
    error_px = max(standard_error(shifts_px[:, axis]) for axis in (0, 1))
    error = float(np.hypot(found.std(), chance.std())) / np.sqrt(len(found))
    text = (
        f"noisy images: correlation {found.mean():.2f} (chance {chance.mean():.2f}), mean shift "
        f"({x:+.2f}, {y:+.2f}) px, n {len(found)}"
    )
    if found.mean() < -3 * error:
        return Finding("signal", "FAIL", f"particles are bright on dark: {text}")
    if found.mean() - chance.mean() < 3 * error:
        return Finding("signal", "undecided", f"hidden in the noise: {text}")
    furthest = max(abs(x), abs(y))
    if furthest > LARGEST_MOVE_PX and furthest > 4 * error_px:
        return Finding("signal", "FAIL", f"moved: {text}")
    return Finding("signal", "pass", text)


def judge_angles(key: str, curve: Curve, attainable: Curve, clear: bool) -> Finding:
    """FSC with the map, beside what the same labels give from perfect images.

    Args:
        key: name of the map.
        curve: reconstruction from the images.
        attainable: reconstruction from what the labels say the images should be.
        clear: whether the images are noise-free and the particles alone in their boxes.
    """
    lowest, possible = curve.lowest(), attainable.lowest()
    text = f"{key}: FSC {lowest:.3f} or more to 0.8 Nyquist, 0.5 at {curve.resolution_A():.1f} A"
    if lowest >= LEAST_FSC:
        return Finding("angles", "pass", text)
    if possible < LEAST_FSC and lowest > possible - LEAST_GAP:
        return Finding("angles", "undecided", f"{text}; too few particles for more")
    verdict: Verdict = "FAIL" if clear else "undecided"
    why = f"perfect labels give {possible:.3f}" if clear else "noise, neighbours or places astray"
    return Finding("angles", verdict, f"{text}; {why}")


def judge_hand(key: str, curve: Curve, mirror: Curve, own_mirror: Curve) -> Finding:
    """FSC with the map and with its mirror image.

    Args:
        key: name of the map.
        curve: reconstruction and map.
        mirror: reconstruction and mirrored map.
        own_mirror: map and mirrored map.
    """
    right, wrong = curve.mean(), mirror.mean()
    text = f"{key}: mean FSC {right:.3f}, of the mirror image {wrong:.3f}"
    if own_mirror.mean() > 1 - LEAST_GAP:
        return Finding("hand", "undecided", f"{text}; the map is its own mirror image")
    if right - wrong > LEAST_GAP:
        return Finding("hand", "pass", text)
    verdict: Verdict = "FAIL" if wrong - right > LEAST_GAP else "undecided"
    return Finding("hand", verdict, text)
