"""Least-squares GAN (Mao et al. 2017, arXiv:1611.04076, eq. 9 with a = 0, b = c = 1).

The discriminator's loss is halved and the generator's whole, as in CycleGAN, CUT and CryoGEM.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor, nn


def discriminator_loss(discriminator: nn.Module, generated: Tensor, real: Tensor) -> Tensor:
    """½ [mean D(generated)² + mean (D(real) − 1)²] of images; scalar, without gradient in them."""
    of_generated, of_real = (discriminator(each.detach()).float() for each in (generated, real))
    loss: Tensor = 0.5 * (of_generated.square().mean() + (of_real - 1).square().mean())
    return loss


def generator_loss(discriminator: nn.Module, generated: Tensor) -> Tensor:
    """Mean (D(generated) − 1)² of images (b, 1, h, w); scalar, without gradient in D."""
    with _frozen(discriminator):
        loss: Tensor = (discriminator(generated).float() - 1).square().mean()
    return loss


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """What is computed meanwhile gives the parameters no gradient."""
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    for parameter in trained:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in trained:
            parameter.requires_grad_(True)
