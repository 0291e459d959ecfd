"""Starting weights of the GAN networks."""

from torch import nn

WEIGHT_SD = 0.02
"""Standard deviation of the starting weights (Radford et al. 2016, section 3)."""


def initialise(network: nn.Module) -> None:
    """Draw all weights of convolutions and linear layers from N(0, 0.02²); biases become 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, WEIGHT_SD)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
