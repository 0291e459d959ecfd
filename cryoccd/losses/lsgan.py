"""Least-squares GAN (Mao et al. 2017, arXiv:1611.04076, eq. 9 with a = 0, b = c = 1).

CryoGEM halves the discriminator's loss and leaves the generator's whole.
"""

from torch import Tensor


def discriminator_loss(generated: Tensor, real: Tensor) -> Tensor:
    """½ [mean D(generated)² + mean (D(real) − 1)²] of logits of any shape; scalar."""
    return 0.5 * (generated.square().mean() + (real - 1).square().mean())


def generator_loss(generated: Tensor) -> Tensor:
    """Mean (D(generated) − 1)² of logits of any shape; scalar."""
    return (generated - 1).square().mean()
