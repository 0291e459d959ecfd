"""Freed memory is kept for the next transform instead of given back and asked for again.

Images of many megabytes come from fresh pages, whose first touch costs more than the transform
itself: with glibc's thresholds raised a micrograph of 4096 x 4096 px takes half the time.
"""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # malloc.h
_LARGEST = 1 << 30


def keep_freed_memory() -> None:
    """Raise the thresholds of this process; without glibc nothing happens.

    What was freed until now, in the preparations, is given back first.
    """
    try:
        library = ctypes.CDLL(None)
        library.malloc_trim(0)
        library.mallopt(_M_TRIM_THRESHOLD, _LARGEST)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGEST)
    except (AttributeError, OSError, TypeError):
        return
