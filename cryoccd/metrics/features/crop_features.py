"""Features of image crops: what an extractor is, and what measures of crop features share.

An extractor turns crops into vectors. Several measures ask for the features of the same crops of
the same micrograph; they are worked out once and live as long as the micrograph does.
"""

from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.metrics.features.extractor import Extractor
from cryoccd.metrics.features.scattering import WaveletScattering
from cryoccd.metrics.images import take_crops
from cryoccd.metrics.measure import Field, Measure

_CONSTANT = 1e-6  # of the largest value: what float32 makes of a constant


class ScatteringExtractor(WaveletScattering):
    """Wavelet scattering as an extractor; it needs no weights."""

    name = "scattering"


class CropMeasure(Measure[Tensor]):
    """A measure whose statistic comes from the features of a few crops of each micrograph.

    Args:
        extractor: crops to features.
        crop_px: side of the crops.
        crops_per_micrograph: how many; they do not overlap.
        seed: of their choice.
    """

    def __init__(
        self,
        extractor: Extractor,
        crop_px: int = 64,
        crops_per_micrograph: int = 16,
        seed: int = 0,
    ) -> None:
        if crops_per_micrograph < 1:
            raise CryoccdError(
                f"crops_per_micrograph = {crops_per_micrograph}, expected 1 or more; raise it"
            )
        self.extractor, self.seed = extractor, seed
        self.crop_px, self.crops_per_micrograph = crop_px, crops_per_micrograph

    def lacks(self, field: Field) -> str:
        """Room for the crops."""
        enough = room(field, self.crop_px) >= self.crops_per_micrograph
        return "" if enough else f"room for {self.crops_per_micrograph} crops of {self.crop_px} px"

    def describe(self, field: Field) -> Tensor:
        """(crops_per_micrograph, d) float32 features."""
        return crop_features(
            self.extractor, field, self.crop_px, self.crops_per_micrograph, self.seed
        )


def room(field: Field, crop_px: int) -> int:
    """How many crops that do not overlap a micrograph holds."""
    return (int(field.image.shape[0]) // crop_px) * (int(field.image.shape[1]) // crop_px)


def crop_features(
    extractor: Extractor, field: Field, crop_px: int, count: int, seed: int
) -> Tensor:
    """(count, d) float32 features of `images.take_crops`, on the CPU.

    Raises:
        CryoccdError: the micrograph has no room for so many.
    """
    known = _FEATURES.setdefault(field, {})
    key = (extractor, crop_px, count, seed)
    if key not in known:
        with torch.no_grad():
            features = extractor(take_crops(field.image, crop_px, count, seed))
        known[key] = features.to("cpu", torch.float32)
    return known[key]


def spread(features: Tensor) -> Tensor:
    """(d,) standard deviations of (n, d) features, 1 for those that are constant."""
    deviation = features.std(0, correction=0)
    return torch.where(deviation > _CONSTANT * features.abs().amax(0), deviation, 1.0)


_FEATURES: WeakKeyDictionary[Field, dict[tuple[Extractor, int, int, int], Tensor]] = (
    WeakKeyDictionary()
)
