"""PatchGAN discriminator (Isola et al. 2017, arXiv:1611.07004, appendix 6.2).

Each output logit judges a patch of 70 x 70 pixels with three strided layers. CryoGEM's has 128
channels at the first layer, twice pix2pix's 64: 11,030,401 parameters. CUT's (Park et al. 2020)
convolves at stride 1 and halves by a blur, and begins with Xavier weights.
"""

from torch import Tensor, nn

from cryoccd.errors import CryoccdError
from cryoccd.nn.blur_down import BlurDown
from cryoccd.nn.initialise import Initialisation, initialise


class PatchDiscriminator(nn.Module):
    """Raw logits (b, 1, h', w') of images (b, 1, h, w); 126 x 126 of 1024 x 1024.

    Args:
        base_channels: channels of the first layer.
        n_strided: layers of stride 2; patches are 16, 34, 70, 142 pixels for 1, 2, 3, 4.
        antialias: halve by a blur instead; the patches grow a little.
        initialisation: of the weights.

    Raises:
        CryoccdError: no strided layer or no channel.
    """

    def __init__(
        self,
        base_channels: int = 128,
        n_strided: int = 3,
        antialias: bool = False,
        initialisation: Initialisation = "normal",
    ) -> None:
        super().__init__()
        if n_strided < 1 or base_channels < 1:
            raise CryoccdError(
                f"discriminator: base_channels = {base_channels}, n_strided = {n_strided}; "
                "expected both >= 1"
            )
        widths = [base_channels * min(2**i, 8) for i in range(n_strided + 1)]
        halve: list[nn.Module] = [BlurDown()] if antialias else []
        step = 1 if antialias else 2
        layers = [nn.Conv2d(1, widths[0], 4, step, 1), nn.LeakyReLU(0.2), *halve]
        for i in range(1, n_strided + 1):
            strided = i < n_strided
            layers += [
                nn.Conv2d(widths[i - 1], widths[i], 4, step if strided else 1, 1),
                nn.InstanceNorm2d(widths[i]),
                nn.LeakyReLU(0.2),
                *(halve if strided else []),
            ]
        layers.append(nn.Conv2d(widths[-1], 1, 4, 1, 1))
        self.layers = nn.Sequential(*layers)
        initialise(self, initialisation)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (b, 1, h', w'), one a patch; LSGAN wants 1 for real and 0 for generated."""
        logits: Tensor = self.layers(image)
        return logits
