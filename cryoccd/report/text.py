"""Numbers, durations and marks as text."""

import math

UNDEFINED = "–"
UNDEFINED_CELL = "undefined"
MISSING = "missing"
DAGGER = "†"


def number_text(value: float, scale: float) -> str:
    """A number with three digits of `scale`."""
    if scale and not 1e-4 <= scale < 1e6:
        return f"{value:.2e}"
    decimals = 2 - math.floor(math.log10(scale)) if scale else 2
    return f"{value:.{max(0, decimals)}f}"


def duration(seconds: float) -> str:
    """Seconds as text, in the two largest units."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
