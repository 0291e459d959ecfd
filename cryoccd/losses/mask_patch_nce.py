r"""Mask-guided PatchNCE of CryoGEM (Zhang et al. 2023, arXiv:2312.02235), as its figure draws it.

    L_p = − mean_i log  exp(z^p_i·ẑ^p_i / τ) / (exp(z^p_i·ẑ^p_i / τ) + Σ_j exp(z^p_i·ẑ^b_j / τ))

z are vectors of the source and ẑ of the generated image, p at particle points and b at background
points: the query is a source particle, the positive the generated image at the same place, the
negatives are all generated background points. L_b swaps the classes; the loss is (L_p + L_b) / 2.

The public code fills a matrix of background i against particle j and reads it as the negatives of
query i: the transposed assignment where the counts agree, a scrambled one where they differ. CUT
(Park et al. 2020) detaches the source's vectors; CryoGEM does not.

CryoCCD's orientation is the same function with source and generated exchanged in all four places:
the query is a generated particle, the positive the source at the same place, the negatives are all
source background points, and the mirrored term likewise; it detaches nothing either.
"""

import torch
from torch import Tensor


def mask_patch_nce(
    source_particle: Tensor,
    generated_particle: Tensor,
    source_background: Tensor,
    generated_background: Tensor,
    temperature: float = 0.07,
) -> Tensor:
    """Loss (b,) of one level from unit vectors at p particle and q background points.

    Args:
        source_particle: (b, p, d) source at the particle points.
        generated_particle: (b, p, d) generated image at the same points.
        source_background: (b, q, d) source at the background points; q may differ from p.
        generated_background: (b, q, d) generated image at the same points.
        temperature: τ.
    """
    particle = _contrast(source_particle, generated_particle, generated_background, temperature)
    background = _contrast(source_background, generated_background, generated_particle, temperature)
    return 0.5 * (particle + background)


def _contrast(query: Tensor, positive: Tensor, negatives: Tensor, temperature: float) -> Tensor:
    """Cross-entropy (b,) of queries (b, n, d), each for its positive against all m negatives."""
    right = (query * positive).sum(-1, keepdim=True) / temperature
    wrong = query @ negatives.transpose(1, 2) / temperature
    return (torch.cat([right, wrong], dim=-1).logsumexp(-1) - right[..., 0]).mean(-1)
