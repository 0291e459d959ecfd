"""Are generated crops nearer to the training data than fresh real ones are?

    memorisation_ratio = median over generated crops of their distance to the nearest training crop
                       / median over held-out real crops of the same

1 says as near as fresh data, clearly below 1 copied (the comparison of nearest neighbours of
Meehan, Chaudhuri & Dasgupta 2020, arXiv:2004.05675, as a ratio). Distances are Euclidean, each
feature in units of its standard deviation over the training crops. The ratio can also fall because
generated crops are all alike, and rise because they are far from everything real: it is to be read
beside the feature distance.
"""

from collections.abc import Iterable, Sequence
from math import nan

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.metrics.features.crop_features import CropMeasure, crop_features, room, spread
from cryoccd.metrics.features.extractor import Extractor
from cryoccd.metrics.measure import Field, Figure

_CHUNK = 8192  # training crops at a time


def training_features(
    extractor: Extractor,
    fields: Iterable[Field],
    crop_px: int = 64,
    crops_per_micrograph: int = 64,
    seed: int = 0,
) -> Tensor:
    """(m, d) float32 features of the crops of the real training micrographs.

    With the same seed, crops of other micrographs of the same shape lie at the same places, as far
    as there are as many: a whole micrograph that was copied is at distance 0.

    Args:
        extractor: crops to features.
        fields: real micrographs of the training split; they may stream.
        crop_px: side of the crops.
        crops_per_micrograph: how many, or as many as there is room for.
        seed: of their choice; that of the measure.

    Raises:
        CryoccdError: no micrograph has room for a crop.
    """
    parts = [
        crop_features(extractor, field, crop_px, min(crops_per_micrograph, cells), seed)
        for field in fields
        if (cells := room(field, crop_px)) > 0
    ]
    if not parts:
        raise CryoccdError(
            f"training crops: no micrograph holds one of {crop_px} px, expected at least one; "
            "lower the crop size"
        )
    return torch.cat(parts)


class Memorisation(CropMeasure):
    """Distance to the training crops, generated against held-out real.

    Args:
        extractor: crops to features.
        training: (m, d) features of real training crops, of `training_features`.
        crop_px: side of the crops.
        crops_per_micrograph: how many; they do not overlap.
        seed: of their choice.
    """

    figures = (
        Figure(
            "memorisation_ratio",
            1.0,
            "distance to the nearest training crop, generated / held-out real; below 1: copied",
        ),
    )

    def __init__(
        self,
        extractor: Extractor,
        training: Tensor,
        crop_px: int = 64,
        crops_per_micrograph: int = 16,
        seed: int = 0,
    ) -> None:
        super().__init__(extractor, crop_px, crops_per_micrograph, seed)
        if len(training) < 2:
            raise CryoccdError(
                f"training crops: {len(training)}, expected two or more; give more training data"
            )
        self.scale = spread(training.to(torch.float64))
        self.training = training

    def describe(self, field: Field) -> Tensor:
        """(crops_per_micrograph,) float64 distances to the nearest training crop."""
        own = super().describe(field).to(torch.float64) / self.scale
        # not through inner products, which would leave a copy at 1e-7
        nearest = [
            torch.cdist(
                own,
                self.training[k : k + _CHUNK] / self.scale,
                compute_mode="donot_use_mm_for_euclid_dist",
            ).amin(1)
            for k in range(0, len(self.training), _CHUNK)
        ]
        return torch.stack(nearest).amin(0)

    def compare(self, real: Sequence[Tensor], made: Sequence[Tensor]) -> dict[str, float]:
        """Ratio of the medians; NaN where held-out crops are copies themselves."""
        ratio = nan
        if real and made:
            fresh, generated = (float(torch.cat(list(side)).median()) for side in (real, made))
            ratio = generated / fresh if fresh > 0 else nan
        return {"memorisation_ratio": ratio}
