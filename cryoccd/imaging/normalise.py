"""Robust normalisation: median 0, MAD * 1.4826 = 1."""

from torch import Tensor

from cryoccd.errors import CryoccdError


def robust_normalise(image: Tensor, name: str = "image") -> Tensor:
    """(h, w) image with median 0 and scaled MAD 1; one hot pixel does not change the rest.

    Raises:
        CryoccdError: the image is constant over half of its pixels or more.
    """
    centred = image - image.median()
    scale = 1.4826 * centred.abs().median()
    if not float(scale) > 0:
        raise CryoccdError(f"{name}: constant over half of its pixels; leave it out")
    return centred / scale
