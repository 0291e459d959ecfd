"""Downsampling by 2 without aliasing (Zhang 2019, arXiv:1904.11486): blur, then take each second.

The blur is the binomial [1, 2, 1] / 4 along both axes with mirrored borders, CUT's choice. It is
[1, 1] / 2 applied twice, and has no response at the Nyquist frequency.
"""

from torch import Tensor, nn
from torch.nn import functional


class BlurDown(nn.Module):
    """(b, c, h, w) to (b, c, ceil(h / 2), ceil(w / 2)); pixel j is centred on pixel 2 j."""

    def forward(self, image: Tensor) -> Tensor:
        """Blurred and halved image; h and w of at least 2, as mirroring needs."""
        padded = functional.pad(image, (1, 1, 1, 1), mode="reflect")
        return functional.avg_pool2d(functional.avg_pool2d(padded, 2, stride=1), 2)
