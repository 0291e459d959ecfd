"""Projection heads of PatchNCE (Park et al. 2020, arXiv:2007.15651, section 3): one MLP a level.

With the widths 64, 128, 256, 512, 512 of CryoGEM's first five levels: 707,072 parameters.
"""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional

from cryoccd.errors import CryoccdError
from cryoccd.nn.initialise import Initialisation, initialise


class FeatureHead(nn.Module):
    """Unit vectors of sampled features, Linear - ReLU - Linear for each level.

    The MLPs exist from the start, not from the first batch, so that the optimizer and a resumed
    checkpoint find them.

    Args:
        channels: channels of each level's features, the generator's widths at these levels.
        width: length of the vectors.
        initialisation: of the weights.

    Raises:
        CryoccdError: no level.
    """

    def __init__(
        self,
        channels: Sequence[int],
        width: int = 256,
        initialisation: Initialisation = "normal",
    ) -> None:
        super().__init__()
        if not channels:
            raise CryoccdError("feature head: channels = [], expected one number a level")
        self.channels = tuple(channels)
        self.mlps = nn.ModuleList(
            nn.Sequential(nn.Linear(entering, width), nn.ReLU(), nn.Linear(width, width))
            for entering in self.channels
        )
        initialise(self, initialisation)

    def forward(self, samples: Sequence[Tensor]) -> list[Tensor]:
        """Vectors (..., width) of norm 1 for samples (..., channels[i]) of each level i."""
        return [
            functional.normalize(mlp(sample), dim=-1, eps=1e-7)
            for mlp, sample in zip(self.mlps, samples, strict=True)
        ]
