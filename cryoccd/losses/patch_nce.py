r"""PatchNCE of CUT (Park et al. 2020, arXiv:2007.15651, eq. 3 to 5) with internal negatives.

    L = − mean_i log  exp(ẑ_i·z_i / τ) / Σ_j exp(ẑ_i·z_j / τ)

ẑ are vectors of the generated image and z of the source at n points: the query is a generated
patch, the positive the source at the same point, the negatives the source at the other points of
the same image. The source's vectors are detached, as in CUT's code.
"""

from torch import Tensor


def patch_nce(generated: Tensor, source: Tensor, temperature: float = 0.07) -> Tensor:
    """Loss (b,) of one level.

    Args:
        generated: (b, n, d) unit vectors of the generated image, the queries.
        source: (b, n, d) unit vectors of the source at the same points; gets no gradient.
        temperature: τ.
    """
    logits = generated @ source.detach().transpose(1, 2) / temperature
    return (logits.logsumexp(-1) - logits.diagonal(dim1=1, dim2=2)).mean(-1)
