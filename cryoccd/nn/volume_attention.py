"""Self-attention over all voxels of a small volume, such as the 8³ in the middle of a U-Net."""

from torch import Tensor, nn
from torch.nn import functional

from cryoccd.errors import CryoccdError
from cryoccd.nn.volume_level import groups_of


class VolumeAttention(nn.Module):
    """Residual self-attention over all voxels; a new one hands its input on.

    Args:
        width: channels, a multiple of the heads.
        heads: attention heads.

    Raises:
        CryoccdError: heads does not divide width.
    """

    def __init__(self, width: int, heads: int = 4) -> None:
        super().__init__()
        if width % heads:
            raise CryoccdError(
                f"volume attention: heads = {heads} does not divide {width} channels"
            )
        self.heads = heads
        self.norm = nn.GroupNorm(groups_of(width), width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, features: Tensor) -> Tensor:
        """(n, width, d, h, w), and what each voxel gathers from all."""
        tokens = self.norm(features).flatten(2).transpose(1, 2)
        query, key, value = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2)
            for part in self.queries_keys_values(tokens).chunk(3, dim=-1)
        )
        gathered = functional.scaled_dot_product_attention(query, key, value)
        tokens = self.out(gathered.transpose(1, 2).flatten(-2))
        attended: Tensor = features + tokens.transpose(1, 2).unflatten(2, features.shape[2:])
        return attended
