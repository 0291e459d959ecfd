"""Round values along an axis."""

import math


def linear_ticks(low: float, high: float, wanted: int = 5) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten within [low, high], about as many as wanted."""
    span = high - low
    if not span > 0:
        return [low]
    power = 10.0 ** math.floor(math.log10(span / wanted))
    step = next(s * power for s in (1, 2, 5, 10) if span / (s * power) <= wanted)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(k * step, 12) for k in range(first, last + 1)]


def decade_ticks(low: float, high: float, most: int = 6) -> list[float]:
    """Powers of ten within [low, high], evenly thinned out to `most`."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    step = max(1, -(-(last - first + 1) // most))
    return [10.0**k for k in range(first, last + 1, step)]


def tick_text(value: float) -> str:
    """A tick in few letters: 5k, 0.25, 1e-4."""
    size = abs(value)
    if size >= 1e6:
        return f"{value / 1e6:g}M"
    if size >= 1e4:
        return f"{value / 1e3:g}k"
    text = f"{value:g}"
    return text.replace("e-0", "e-").replace("-", "−")
