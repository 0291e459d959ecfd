"""Where a micrograph is background: away from the particles."""

from torch import Tensor

from cryoccd.imaging.discs import disc_mask

MARGIN = 1.2
"""Discs are this much wider than the particle: picks are not exact, and the CTF spreads edges."""


def background_mask(image: Tensor, centres_px: Tensor, diameter_px: float) -> Tensor:
    """Boolean (h, w), true outside discs of MARGIN diameters.

    Args:
        image: (h, w) micrograph, for its shape.
        centres_px: (n, 2) particle centres x, y.
        diameter_px: particle diameter in pixels.
    """
    shape = (int(image.shape[0]), int(image.shape[1]))
    return ~disc_mask(shape, centres_px, MARGIN * diameter_px / 2)
