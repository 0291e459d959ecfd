r"""Mask-guided PatchNCE of CryoGEM (Zhang et al. 2023, arXiv:2312.02235), as its figure draws it.

    L_p = − mean_i log  exp(q^p_i·k^p_i / τ) / (exp(q^p_i·k^p_i / τ) + Σ_j exp(q^p_i·k^b_j / τ))

q are vectors of one image and k of the other, p at particle points and b at background points: the
positive of a particle is the other image at the same place, its negatives are all background points
of the other image. L_b swaps the classes; the loss is (L_p + L_b) / 2. In CryoGEM the queries are
of the source and the keys of the generated image; in CryoCCD it is the other way round. Neither
detaches any, where CUT (Park et al. 2020) detaches the source's.

The public code fills a matrix of background i against particle j and reads it as the negatives of
query i: the transposed assignment where the counts agree, a scrambled one where they differ.
"""

import torch
from torch import Tensor


def mask_patch_nce(
    query_particle: Tensor,
    key_particle: Tensor,
    query_background: Tensor,
    key_background: Tensor,
    temperature: float = 0.07,
) -> Tensor:
    """Loss (b,) of one level from unit vectors at p particle and q background points.

    Args:
        query_particle: (b, p, d) one image at the particle points.
        key_particle: (b, p, d) the other image at the same points.
        query_background: (b, q, d) the one at the background points; q may differ from p.
        key_background: (b, q, d) the other at the same points.
        temperature: τ.
    """
    particle = _contrast(query_particle, key_particle, key_background, temperature)
    background = _contrast(query_background, key_background, key_particle, temperature)
    return 0.5 * (particle + background)


def _contrast(query: Tensor, positive: Tensor, negatives: Tensor, temperature: float) -> Tensor:
    """Cross-entropy (b,) of queries (b, n, d), each for its positive against all m negatives."""
    right = (query * positive).sum(-1, keepdim=True) / temperature
    wrong = query @ negatives.transpose(1, 2) / temperature
    return (torch.cat([right, wrong], dim=-1).logsumexp(-1) - right[..., 0]).mean(-1)
