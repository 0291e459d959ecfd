"""Single images from untrusted files: MRC, TIFF and PNG of 8, 16 and 32 bit.

The pixel size is read from MRC headers alone: the resolution tags of TIFF and PNG describe print.
"""

import warnings
import zlib
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray
from PIL import Image

from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import read_mrc

IMAGE_SUFFIXES = (".mrc", ".mrcs", ".tif", ".tiff", ".png")
"""Suffixes in lower case of the files that read_image reads."""

_MIN_SIDE_PX = 16
_MAX_PIXELS = 2**28  # twice the area of the largest detectors in super-resolution
_GREY_PNG = ("L", "I", "I;16", "I;16B")  # 8 bit, then the names of 16 bit in old and new Pillow


def read_image(path: Path) -> tuple[NDArray[np.float32], float]:
    """One greyscale image, row 0 of the file first.

    Returns:
        (h, w) float32 values and the pixel size in angstrom, 0 where the file has none.

    Raises:
        CryoccdError: missing, empty, truncated, not 2-D, smaller than 16 px, in colour, constant,
            or holding NaN or infinity.
    """
    if not path.is_file():
        raise CryoccdError(f"{path}: no such file")
    suffix = path.suffix.lower()
    if suffix not in IMAGE_SUFFIXES:
        raise CryoccdError(f"{path}: unknown suffix, expected one of {', '.join(IMAGE_SUFFIXES)}")
    if path.stat().st_size == 0:
        raise CryoccdError(f"{path}: empty file; copy it again")
    pixel_size_A = 0.0
    if suffix.startswith(".mrc"):
        values, pixel_size_A = read_mrc(path, ndim=2)
    else:
        values = _read_tiff(path) if suffix.startswith(".tif") else _read_png(path)
    if min(values.shape) < _MIN_SIDE_PX:
        raise CryoccdError(
            f"{path}: {_size(values.shape)} pixels, expected at least {_MIN_SIDE_PX} a side"
        )
    if not np.isfinite(values).all():
        raise CryoccdError(f"{path}: holds NaN or infinity; remove or repair it")
    if values.min() == values.max():
        raise CryoccdError(f"{path}: constant, every pixel is {values.flat[0]:g}; leave it out")
    return values, pixel_size_A


def _read_tiff(path: Path) -> NDArray[np.float32]:
    try:
        with tifffile.TiffFile(path) as file:
            if len(file.pages) != 1:
                raise CryoccdError(f"{path}: {len(file.pages)} pages, expected one image")
            page = file.pages.first
            _check_tiff(path, page)
            values = page.asarray()
    except CryoccdError:
        raise
    except Exception as error:  # a broken TIFF raises whatever its decoder meets first
        raise _unreadable(path, "TIFF", error) from error
    with np.errstate(over="ignore"):  # too large for float32 becomes infinity, refused above
        return np.asarray(values).astype(np.float32)


def _check_tiff(path: Path, page: tifffile.TiffPage) -> None:
    """Judge shape, type and extent by the tags, before anything is allocated."""
    shape = tuple(page.shape)
    if len(shape) != 2:
        raise CryoccdError(f"{path}: {len(shape)} dimensions {shape}, expected a grey 2-D image")
    if page.dtype is None or page.dtype.kind not in "uif":
        raise CryoccdError(f"{path}: values of type {page.dtype}, expected integer or float")
    if shape[0] * shape[1] > _MAX_PIXELS:
        raise CryoccdError(f"{path}: claims {_size(shape)} pixels, expected fewer than 2^28")
    ends = (o + n for o, n in zip(page.dataoffsets, page.databytecounts, strict=True))
    stored = sum(page.databytecounts)
    needed = shape[0] * shape[1] * page.dtype.itemsize
    if max(ends, default=0) > path.stat().st_size or (page.compression == 1 and stored < needed):
        raise CryoccdError(f"{path}: truncated, the tags claim more data than there is; copy again")


def _read_png(path: Path) -> NDArray[np.float32]:
    try:
        with warnings.catch_warnings():
            # Pillow warns of images above 89 megapixels, an everyday size here; it refuses those
            # above twice that by itself.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=["PNG"]) as image:
                if image.mode not in _GREY_PNG:
                    raise CryoccdError(
                        f"{path}: PNG of mode {image.mode}, expected 8 or 16 bit grey; convert it"
                    )
                return np.asarray(image).astype(np.float32)
    except (OSError, SyntaxError, ValueError, zlib.error, Image.DecompressionBombError) as error:
        raise _unreadable(path, "PNG", error) from error


def _unreadable(path: Path, kind: str, error: Exception) -> CryoccdError:
    reason = " ".join(str(error).split()).replace(str(path), path.name)
    return CryoccdError(f"{path}: not a readable {kind} file ({reason}); write it again")


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(str(side) for side in shape)
