"""How far micrographs are down-sampled for Topaz.

A particle becomes about 24 px wide, well inside the 71 px that a resnet8 sees; a factor is whole.
"""

from cryoccd.errors import CryoccdError

_DIAMETER_PX = 24  # down-sampled
_LEAST_DIAMETER_PX = 6.0
_SAME_SCALE = 0.05


def choose_factor(particle_diameter_A: float, pixel_size_A: float) -> int:
    """Factor that makes a particle about 24 px wide."""
    return max(1, round(particle_diameter_A / pixel_size_A / _DIAMETER_PX))


def matching_factor(downsampled_A: float, pixel_size_A: float) -> int:
    """Factor that brings micrographs to a pixel size.

    Raises:
        CryoccdError: no whole factor comes within 5 % of it.
    """
    factor = max(1, round(downsampled_A / pixel_size_A))
    if abs(factor * pixel_size_A / downsampled_A - 1) > _SAME_SCALE:
        raise CryoccdError(
            f"topaz: micrographs of {pixel_size_A:g} A, which no whole factor brings to the "
            f"{downsampled_A:g} A that the network was trained at; resample them"
        )
    return factor


def seen_diameter_px(particle_diameter_A: float, pixel_size_A: float, factor: int) -> float:
    """Diameter of a particle after down-sampling.

    Raises:
        CryoccdError: too few pixels.
    """
    seen_px = particle_diameter_A / pixel_size_A / factor
    if not _LEAST_DIAMETER_PX <= seen_px < float("inf"):
        raise CryoccdError(
            f"topaz: particle_diameter_A = {particle_diameter_A:g} is {seen_px:.1f} px, "
            f"down-sampled by {factor}, expected {_LEAST_DIAMETER_PX:g} px or more; "
            "check the diameter and the pixel size, or lower downsample"
        )
    return seen_px
