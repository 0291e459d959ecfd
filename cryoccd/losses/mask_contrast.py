"""Mask-guided PatchNCE of whole feature pyramids: sample, project, contrast, average."""

from collections.abc import Sequence

import torch
from torch import Tensor

from cryoccd.losses.contrast import Contrast, Head
from cryoccd.losses.mask_patch_nce import mask_patch_nce
from cryoccd.losses.mask_points import features_at, sample_points


class MaskContrast(Contrast):
    """Mean over levels, and over the images that have both classes."""

    def __call__(
        self,
        head: Head,
        query: Sequence[Tensor],
        key: Sequence[Tensor],
        mask: Tensor,
        generators: Sequence[torch.Generator],
    ) -> Tensor:
        """Loss of `query` features, each to be told from the `key` features of the other class.

        0, with gradient 0, where no image of the batch has particles as well as background.

        Args:
            head: projects the samples of each level.
            query: (b, c, h', w') features of each level.
            key: features of the other image at the same levels.
            mask: (b, 1, h, w), 1 inside particles.
            generators: one for each image.
        """
        with torch.autocast(mask.device.type, enabled=False):  # τ magnifies the rounding of logits
            points = sample_points(mask, self.n_points, generators)
            vectors = []
            for features in ([level.float() for level in query], [level.float() for level in key]):
                for where, mode in ((points.particle, "bilinear"), (points.background, "nearest")):
                    vectors.append(head([features_at(level, where, mode) for level in features]))
            query_p, query_b, key_p, key_b = vectors
            levels = [
                mask_patch_nce(*level, temperature=self.temperature)
                for level in zip(query_p, key_p, query_b, key_b, strict=True)
            ]
        per_image = torch.stack(levels).mean(0)
        return (per_image * points.complete).sum() / points.complete.sum().clamp(min=1)
