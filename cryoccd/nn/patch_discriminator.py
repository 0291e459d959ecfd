"""PatchGAN discriminator (Isola et al. 2017, arXiv:1611.07004, appendix 6.2).

Each output logit judges a patch of 70 x 70 pixels with three strided layers. CryoGEM's has 128
channels at the first layer, twice pix2pix's 64: 11,030,401 parameters.
"""

from torch import Tensor, nn

from cryoccd.errors import CryoccdError
from cryoccd.nn.initialise import initialise


class PatchDiscriminator(nn.Module):
    """Raw logits (b, 1, h', w') of images (b, 1, h, w); 126 x 126 of 1024 x 1024.

    Args:
        base_channels: channels of the first layer.
        n_strided: layers of stride 2; patches are 16, 34, 70, 142 pixels for 1, 2, 3, 4.

    Raises:
        CryoccdError: no strided layer or no channel.
    """

    def __init__(self, base_channels: int = 128, n_strided: int = 3) -> None:
        super().__init__()
        if n_strided < 1 or base_channels < 1:
            raise CryoccdError(
                f"discriminator: base_channels = {base_channels}, n_strided = {n_strided}; "
                "expected both >= 1"
            )
        widths = [base_channels * min(2**i, 8) for i in range(n_strided + 1)]
        layers: list[nn.Module] = [nn.Conv2d(1, widths[0], 4, 2, 1), nn.LeakyReLU(0.2)]
        for i in range(1, n_strided + 1):
            stride = 2 if i < n_strided else 1
            layers += [
                nn.Conv2d(widths[i - 1], widths[i], 4, stride, 1),
                nn.InstanceNorm2d(widths[i]),
                nn.LeakyReLU(0.2),
            ]
        layers.append(nn.Conv2d(widths[-1], 1, 4, 1, 1))
        self.layers = nn.Sequential(*layers)
        initialise(self)

    def forward(self, image: Tensor) -> Tensor:
        """Logits (b, 1, h', w'), one a patch; LSGAN wants 1 for real and 0 for generated."""
        logits: Tensor = self.layers(image)
        return logits
