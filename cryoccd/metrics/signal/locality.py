"""Whether a change of the signal stays where it belongs, and the noise elsewhere stays put.

Two images of one method and seed are compared, whose clean images differ in one thing. Inside is
where the clean images differ by more than SHARE of their greatest difference; outside is what lies
further from it than a margin. A method that adds its noise to the signal changes nothing outside; a
network does by its field of view and by layers that normalise over the whole image.
"""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from cryoccd.errors import CryoccdError

SHARE = 0.02
"""Of the greatest clean difference: what is less counts as unchanged; the fringes fall off."""


@dataclass(frozen=True)
class Regions:
    """Where a change belongs, and where it does not.

    Args:
        inside: (h, w) bool, the clean images differ.
        outside: (h, w) bool, further than a margin from inside.
    """

    inside: Tensor
    outside: Tensor

    @classmethod
    def of(cls, before: Tensor, after: Tensor, margin_px: float) -> "Regions":
        """Regions of two (h, w) clean images.

        Raises:
            CryoccdError: they are equal, or differ everywhere.
        """
        difference = (after - before).abs()
        inside = difference > SHARE * difference.max()
        outside = torch.from_numpy(distance_transform_edt(~inside.numpy()) > margin_px)
        for name, region in (("equal", inside), ("different everywhere", outside)):
            if not bool(region.any()):
                raise CryoccdError(f"control: the clean images are {name}; expected a local change")
        return cls(inside, outside)


@dataclass(frozen=True)
class Locality:
    """Figures of one pair.

    Args:
        rms_inside: of the difference, in the units of the images.
        rms_outside: the same elsewhere.
        leak: the second over the first; None where nothing changed inside.
        clean_leak: the same of the clean images: what fringes beyond the region bring.
        response: correlation of the difference inside with that of the clean images; None where
            nothing changed.
        noise_correlation: of both images outside and between the particles.
    """

    rms_inside: float
    rms_outside: float
    leak: float | None
    clean_leak: float
    response: float | None
    noise_correlation: float


def locality(
    clean: tuple[Tensor, Tensor], made: tuple[Tensor, Tensor], regions: Regions, particles: Tensor
) -> Locality:
    """Compare what a method makes of two clean images with one seed.

    Args:
        clean: two (h, w) images without noise.
        made: the method's images of them.
        regions: of the clean images.
        particles: (h, w) bool, inside the particles of either.
    """
    meant, found = clean[1] - clean[0], made[1] - made[0]
    rms_inside, rms_outside = _rms(found[regions.inside]), _rms(found[regions.outside])
    noise = regions.outside & ~particles
    return Locality(
        rms_inside=rms_inside,
        rms_outside=rms_outside,
        leak=rms_outside / rms_inside if rms_inside else None,
        clean_leak=_rms(meant[regions.outside]) / _rms(meant[regions.inside]),
        response=(
            _correlation(meant[regions.inside], found[regions.inside]) if rms_inside else None
        ),
        noise_correlation=_correlation(made[0][noise], made[1][noise]),
    )


def _rms(values: Tensor) -> float:
    return float(values.double().square().mean().sqrt())


def _correlation(a: Tensor, b: Tensor) -> float:
    return float(np.corrcoef(a.double().numpy(), b.double().numpy())[0, 1])
