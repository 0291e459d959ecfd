r"""CycleGAN (Zhu et al. 2017, arXiv:1703.10593), with the settings of its authors' code.

    L_G = mean (D_B(G(a)) − 1)² + mean (D_A(F(b)) − 1)²
          + λ_A |F(G(a)) − a| + λ_B |G(F(b)) − b| + λ_id (λ_B |G(b) − b| + λ_A |F(a) − a|)
    L_D = ½ [mean D_B(pool of G(a))² + mean (D_B(b) − 1)²] + the same of D_A, F(b) and a

a is the noisy physical image of `methods.front_end`, b a real one: the generators are
deterministic, so that noise is all the randomness of the result. Each step trains G and F first,
then both discriminators on images from a history of 50. Of several processes each has a history
of its own, and a resumed run that of the first.
"""

from typing import Any

import torch
from torch import Tensor, nn

from cryoccd.losses.lsgan import discriminator_loss, generator_loss
from cryoccd.methods.trained import TrainedTranslator
from cryoccd.nn.image_pool import ImagePool
from cryoccd.nn.resnet_generator import ResnetGenerator
from cryoccd.nn.tiling import translate_tiled
from cryoccd.records import UnpairedBatch


class CycleGAN(TrainedTranslator):
    """Two generators that undo one another, and two adversaries.

    Args:
        forward_net: G, sources to images.
        backward_net: F, images to sources.
        discriminator_real: D_B, real images to logits.
        discriminator_source: D_A, sources to logits.
        lambda_source: λ_A, weight of the cycle a - b' - a.
        lambda_real: λ_B, weight of the cycle b - a' - b.
        lambda_identity: λ_id, weight of the identity terms over that of the cycles.
        pool_size: generated images remembered for each discriminator.
        trained: arguments of TrainedTranslator.

    Raises:
        CryoccdError: a number out of its range.
    """

    def __init__(
        self,
        forward_net: ResnetGenerator,
        backward_net: ResnetGenerator,
        discriminator_real: nn.Module,
        discriminator_source: nn.Module,
        lambda_source: float = 10.0,
        lambda_real: float = 10.0,
        lambda_identity: float = 0.5,
        pool_size: int = 50,
        **trained: Any,
    ) -> None:
        super().__init__(**trained)
        self.tiles(forward_net.stride)
        self.forward_net, self.backward_net = forward_net, backward_net
        self.discriminator_real = discriminator_real
        self.discriminator_source = discriminator_source
        self.lambda_source, self.lambda_real = lambda_source, lambda_real
        self.lambda_identity = lambda_identity
        self.pool_real, self.pool_source = ImagePool(pool_size), ImagePool(pool_size)

    def networks(self) -> dict[str, list[nn.Module]]:
        """Both generators together, both discriminators together."""
        return {
            "generator": [self.forward_net, self.backward_net],
            "discriminator": [self.discriminator_real, self.discriminator_source],
        }

    def losses(self, batch: UnpairedBatch, generators: list[torch.Generator]) -> dict[str, Tensor]:
        """One step of both generators, then one of both discriminators."""
        a = self.source(batch.clean, batch.ice, generators)
        b = self.real_input(batch.real)
        terms, b_of_a, a_of_b = self.generator_losses(a, b)
        weights = {
            "gan": 1.0,
            "cycle_source": self.lambda_source,
            "cycle_real": self.lambda_real,
            "identity_source": self.lambda_identity * self.lambda_source,
            "identity_real": self.lambda_identity * self.lambda_real,
        }
        self.descend("generator", torch.stack([weights[k] * v for k, v in terms.items()]).sum())

        of_real = self.pool_real(b_of_a, generators)
        of_source = self.pool_source(a_of_b, generators)
        loss_d = discriminator_loss(self.discriminator_real, of_real, b)
        loss_d = loss_d + discriminator_loss(self.discriminator_source, of_source, a)
        self.descend("discriminator", loss_d)
        return terms | {"discriminator": loss_d}

    def generator_losses(self, a: Tensor, b: Tensor) -> tuple[dict[str, Tensor], Tensor, Tensor]:
        """The terms of L_G, unweighted, G(a) and F(b), from a and b (b, 1, h, w)."""
        b_of_a, a_of_b = self.forward_net(a).float(), self.backward_net(b).float()
        terms = {
            "gan": generator_loss(self.discriminator_real, b_of_a)
            + generator_loss(self.discriminator_source, a_of_b),
            "cycle_source": _distance(self.backward_net(b_of_a), a),
            "cycle_real": _distance(self.forward_net(a_of_b), b),
        }
        if self.lambda_identity:
            terms["identity_source"] = _distance(self.backward_net(a), a)
            terms["identity_real"] = _distance(self.forward_net(b), b)
        return terms, b_of_a, a_of_b

    def render(
        self,
        source: Tensor,
        mask: Tensor,
        ice: Tensor,
        style: Tensor,
        generators: list[torch.Generator],
    ) -> Tensor:
        """See `TrainedTranslator.render`."""
        return translate_tiled(self.forward_net, source, *self.tiles(self.forward_net.stride))


def _distance(image: Tensor, other: Tensor) -> Tensor:
    return (image.float() - other).abs().mean()
