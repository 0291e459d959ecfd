"""Starting weights of the GAN networks."""

from typing import Literal

from torch import nn

from cryoccd.errors import CryoccdError

WEIGHT_SD = 0.02
"""Standard deviation of the starting weights (Radford et al. 2016, section 3)."""

Initialisation = Literal["normal", "xavier"]
"""normal: N(0, 0.02²), as CycleGAN and CryoGEM. xavier: Glorot's normal with gain 0.02, as CUT."""


def initialise(network: nn.Module, initialisation: Initialisation = "normal") -> None:
    """Draw all weights of convolutions and linear layers anew; biases become 0.

    Raises:
        CryoccdError: no such initialisation.
    """
    if initialisation not in ("normal", "xavier"):
        raise CryoccdError(f"initialisation = {initialisation!r}, expected normal or xavier")
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            if initialisation == "xavier":
                nn.init.xavier_normal_(module.weight, gain=WEIGHT_SD)
            else:
                nn.init.normal_(module.weight, 0.0, WEIGHT_SD)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
