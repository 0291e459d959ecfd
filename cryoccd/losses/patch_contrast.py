"""PatchNCE of whole feature pyramids, as CUT (Park et al. 2020, arXiv:2007.15651) sums it."""

from collections.abc import Sequence

import torch
from torch import Tensor

from cryoccd.losses.contrast import Contrast, Head
from cryoccd.losses.mask_points import draw_points, features_at
from cryoccd.losses.patch_nce import patch_nce


class PatchContrast(Contrast):
    """Mean over levels and images; points are drawn anew at each level."""

    def __call__(
        self,
        head: Head,
        generated: Sequence[Tensor],
        source: Sequence[Tensor],
        generators: Sequence[torch.Generator],
    ) -> Tensor:
        """Loss of generated features, each to be found among those of its own source; scalar.

        Args:
            head: projects the samples of each level.
            generated: (b, c, h', w') features of each level.
            source: features of the source at the same levels.
            generators: one for each image.
        """
        device = generated[0].device.type
        with torch.autocast(device, enabled=False):  # τ magnifies the rounding of logits
            points = [draw_points(level, self.n_points, generators) for level in generated]
            vectors = [
                head(
                    [
                        features_at(level.float(), where, "nearest")
                        for level, where in zip(features, points, strict=True)
                    ]
                )
                for features in (generated, source)
            ]
            levels = [
                patch_nce(query, key, self.temperature) for query, key in zip(*vectors, strict=True)
            ]
        return torch.stack(levels).mean()
