"""Can a classifier tell generated crops from real ones?

The classifier is ridge regression of labels -1 (real) and +1 (generated) on the features z, each
at mean 0 and variance 1 over all crops of both sides, whatever their label:

    f(z) = b + w.z,   (w, b) minimises sum (y - f(z))^2 + RIDGE N |w|^2 .

Its direction is that of the linear discriminant with a covariance shrunk towards its diagonal
(Hastie, Tibshirani & Friedman 2009, sections 4.3 and 4.4). For every pair of one real and one
generated micrograph it is fitted to all others and scores the crops of the pair; classifier_auc is
the share of all pairs of crops in which the generated one has the higher score, ties as halves:
leave-pair-out cross-validation (Airola et al. 2011, Comput. Stat. Data Anal. 55, 1828). It never
has crops of one micrograph on both sides, needs no folds and so does not depend on the order, and
the training sets are all equally balanced and compare only scores of the same fit, so that for
equal distributions its mean is 0.5 exactly, which leave-one-out schemes miss downwards.

No fit is repeated. With the hat matrix H of all N crops, the residuals of a held-out block B are

    y_B - f_B = (I - H_BB)^-1 (y - H y)_B .
"""

from collections.abc import Sequence
from functools import lru_cache
from math import nan

import torch
from torch import Tensor

from cryoccd.metrics.features.crop_features import CropMeasure, spread
from cryoccd.metrics.measure import Estimator, Figure

RIDGE = 1.0  # the mean eigenvalue of the correlations: half-way to their diagonal
_TIE = 1e-9  # scores are of order one: the same crop on both sides is a tie in any summation


class TwoSampleClassifier(CropMeasure):
    """AUC of a linear classifier of crop features; arguments as of `CropMeasure`."""

    figures = (
        Figure("classifier_auc", 0.5, "AUC of a classifier that tells generated from real crops"),
    )
    fewest = 2

    def compare(self, real: Sequence[Tensor], made: Sequence[Tensor]) -> dict[str, float]:
        """AUC over crops; NaN with fewer than two micrographs on a side."""
        return self.estimator(real, made)(range(len(real)), range(len(made)))

    def estimator(self, real: Sequence[Tensor], made: Sequence[Tensor]) -> Estimator:
        """As `compare`; the hat matrix is kept while only the labels of micrographs change."""
        pool = list(real) if real is made else [*real, *made]
        first_made = 0 if real is made else len(real)

        @lru_cache(maxsize=1)
        def hat(members: tuple[int, ...]) -> Tensor:
            return _hat_blocks(torch.stack([pool[k] for k in members]).to(torch.float64))

        def estimate(i: Sequence[int], j: Sequence[int]) -> dict[str, float]:
            if min(len(i), len(j)) < self.fewest:
                return {"classifier_auc": nan}
            generated = {first_made + k for k in j}
            members = tuple(sorted({*i, *generated}))
            labels = torch.tensor([k in generated for k in members])
            return {"classifier_auc": _leave_pair_out_auc(hat(members), labels)}

        return estimate


def _hat_blocks(features: Tensor) -> Tensor:
    """(n, n, c, c) hat matrix of ridge regression on (n, c, d) features, by micrographs."""
    n, c, d = features.shape
    z = features.flatten(0, 1)
    z = (z - z.mean(0)) / spread(z)
    weight = RIDGE * n * c
    if n * c < d:
        kernel = z @ z.T
        hat = torch.linalg.solve(kernel + weight * torch.eye(n * c, dtype=z.dtype), kernel)
    else:
        hat = z @ torch.linalg.solve(z.T @ z + weight * torch.eye(d, dtype=z.dtype), z.T)
    blocks: Tensor = (hat + 1 / (n * c)).view(n, c, n, c).transpose(1, 2)
    return blocks


def _leave_pair_out_auc(hat: Tensor, generated: Tensor) -> float:
    """AUC from (n, n, c, c) blocks and (n,) labels, true for generated micrographs."""
    c = int(hat.shape[-1])
    y = 2 * generated.to(hat.dtype) - 1
    residuals = y[:, None] - torch.einsum("ijkl,j->ik", hat, y)
    real, made = (mask.nonzero()[:, 0] for mask in (~generated, generated))
    shares = []
    for i in real:
        own = hat[i, i].expand(len(made), c, c)
        upper = torch.cat([own, hat[i, made]], -1)
        lower = torch.cat([hat[made, i], hat[made, made]], -1)
        keep = torch.eye(2 * c, dtype=hat.dtype) - torch.cat([upper, lower], -2)
        pair = torch.cat([residuals[i].expand(len(made), c), residuals[made]], -1)
        left_out = torch.linalg.solve(keep, pair)
        scores_real, scores_made = -1 - left_out[:, :c], 1 - left_out[:, c:]
        gap = scores_made[:, :, None] - scores_real[:, None, :]
        shares.append(((gap > _TIE).to(hat.dtype) + (gap >= -_TIE).to(hat.dtype)).mean() / 2)
    return float(torch.stack(shares).mean())
