from math import log

import pytest
import torch
from torch.nn import functional

from cryoccd.losses.patch_nce import patch_nce


def vectors(seed: int, *shape: int) -> torch.Tensor:
    drawn = torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return functional.normalize(drawn, dim=-1)


def test_loss_is_the_cross_entropy_written_out():
    generated, source = vectors(0, 2, 5, 8), vectors(1, 2, 5, 8)
    for b, loss in enumerate(patch_nce(generated, source, temperature=0.3)):
        terms = []
        for i in range(5):
            right = torch.exp(generated[b, i] @ source[b, i] / 0.3)
            wrong = [torch.exp(generated[b, i] @ source[b, j] / 0.3) for j in range(5) if j != i]
            terms.append(-torch.log(right / (right + sum(wrong))))
        assert float(loss) == pytest.approx(float(sum(terms) / 5), rel=1e-12)


def test_keys_get_no_gradient_but_queries_do():
    generated = vectors(0, 1, 6, 4).requires_grad_()
    source = vectors(1, 1, 6, 4).requires_grad_()
    patch_nce(generated, source).sum().backward()
    assert source.grad is None
    assert bool((generated.grad != 0).any())


def test_limits():
    n = 64
    source = vectors(2, 1, n, 128)
    assert float(patch_nce(source, source)) < 0.01  # e^(1 / 0.07) against 63 near-orthogonal ones
    assert float(patch_nce(source, source.roll(1, 1))) > 10  # each is sure of a wrong one
    # unrelated vectors of many dimensions: no key is better than another
    assert float(patch_nce(vectors(3, 1, n, 20_000), vectors(4, 1, n, 20_000))) == pytest.approx(
        log(n), abs=0.05
    )
    same = vectors(5, 1, 1, 8).expand(1, n, 8)
    assert float(patch_nce(same, same)) == pytest.approx(log(n), rel=1e-12)


def test_negatives_come_from_the_same_image_alone():
    generated, source = vectors(6, 2, 7, 4), vectors(7, 2, 7, 4)
    alone = patch_nce(generated[:1], source[:1])
    torch.testing.assert_close(patch_nce(generated, source)[:1], alone)
