"""What an image file says of itself before its values are read."""

import warnings
from dataclasses import dataclass
from pathlib import Path

import mrcfile
import tifffile
from PIL import Image

from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import read_mrc_shape

_FLOAT32 = 2  # mode
_IMAGE = 0  # space group of images, 1 is that of volumes


@dataclass(frozen=True)
class ImageHeader:
    """Header of one image or stack.

    Args:
        shape_px: height and width.
        sections: how many images.
        pixel_size_A: 0 where the file has none.
        plain: whether it is an MRC image of float32 as this project writes them.
        synthetic: whether a label says so.
    """

    shape_px: tuple[int, int]
    sections: int = 1
    pixel_size_A: float = 0.0
    plain: bool = False
    synthetic: bool = False


def read_image_header(path: Path) -> ImageHeader:
    """Header of an MRC, TIFF or PNG file.

    Raises:
        CryoccdError: missing, another kind of file, or of a size that the header does not tell.
    """
    if not path.is_file():
        raise CryoccdError(f"{path}: no such file")
    suffix = path.suffix.lower()
    if suffix.startswith(".mrc"):
        return _read_mrc(path)
    try:
        if suffix == ".png":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # as in read_image
                with Image.open(path, formats=["PNG"]) as image:
                    return ImageHeader((image.height, image.width))
        with tifffile.TiffFile(path) as file:
            height, width = file.pages.first.shape[:2]
            return ImageHeader((int(height), int(width)), len(file.pages))
    except Exception as error:  # a broken file raises whatever its decoder meets first
        reason = " ".join(str(error).split()).replace(str(path), path.name)
        raise CryoccdError(f"{path}: not a readable image ({reason}); write it again") from error


def _read_mrc(path: Path) -> ImageHeader:
    sections, height, width = read_mrc_shape(path)
    try:
        with mrcfile.open(path, permissive=False, header_only=True) as file:
            header = file.header
            return ImageHeader(
                (height, width),
                sections,
                float(file.voxel_size.x),
                int(header.mode) == _FLOAT32 and sections == 1 and int(header.ispg) == _IMAGE,
                any("SYNTHETIC" in label for label in file.get_labels()),
            )
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise CryoccdError(f"{path}: not a valid MRC file ({reason}); write it again") from error
