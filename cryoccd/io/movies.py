"""The mean over the frames of a movie, read frame by frame; a single image is its own mean.

Frames are not aligned: the mean of a movie whose specimen moved is blurred.
"""

from collections.abc import Iterator
from pathlib import Path

import mrcfile
import numpy as np
import tifffile
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.image_header import read_image_header
from cryoccd.io.images import read_image


def read_averaged(
    path: Path, gain: NDArray[np.float32] | None = None
) -> tuple[NDArray[np.float32], float]:
    """Mean over the frames of an MRC or TIFF movie, times the gain reference.

    Args:
        path: movie, or an image.
        gain: (h, w) factors, row 0 of the movie's file first.

    Returns:
        (h, w) values and the pixel size in angstrom, 0 where the file has none.

    Raises:
        CryoccdError: as `read_image`, or a gain reference of another size.
    """
    header = read_image_header(path)
    if gain is not None and gain.shape != header.shape_px:
        sizes = (f"{shape[1]} x {shape[0]}" for shape in (gain.shape, header.shape_px))
        raise CryoccdError(
            f"{path}: gain reference of {' px for frames of '.join(sizes)} px; mend images.gain"
        )
    if header.sections == 1:
        values, pixel_size_A = read_image(path)
        return (values if gain is None else values * gain), pixel_size_A
    total = np.zeros(header.shape_px)
    for frame in _frames(path):
        if frame.shape != header.shape_px:
            raise CryoccdError(f"{path}: frames of different sizes; write it again")
        total += np.asarray(frame, np.float64)
    mean = (total / header.sections).astype(np.float32)
    if gain is not None:
        mean = mean * gain
    if not np.isfinite(mean).all():
        raise CryoccdError(f"{path}: holds NaN or infinity; remove or repair it")
    if mean.min() == mean.max():
        raise CryoccdError(f"{path}: constant, every pixel is {mean.flat[0]:g}; leave it out")
    return mean, header.pixel_size_A


def _frames(path: Path) -> Iterator[NDArray[np.generic]]:
    """The frames one by one; a movie as a whole need not fit into memory."""
    if path.suffix.lower().startswith(".mrc"):
        with mrcfile.mmap(path, permissive=False) as file:
            yield from file.data
        return
    try:
        with tifffile.TiffFile(path) as file:
            for page in file.pages:
                yield page.asarray()
    except Exception as error:  # a broken TIFF raises whatever its decoder meets first
        reason = " ".join(str(error).split()).replace(str(path), path.name)
        raise CryoccdError(
            f"{path}: not a readable TIFF file ({reason}); write it again"
        ) from error
