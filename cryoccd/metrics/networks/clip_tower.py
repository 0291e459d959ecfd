"""The image side of CLIP (Radford et al. 2021, section 2.4) from a file in Hugging Face's format.

A transformer on patches: a class token before the patches, positions added, LayerNorm, pre-norm
blocks with the activation x sigmoid(1.702 x), LayerNorm of the class token, a projection. Every
size is that of the file, so ViT-L/14 at 336 px and the other CLIPs of the format are the same code;
heads are 64 wide in all of them. The blocks are torch's own, and no further package has a say in
the features of a given file.
"""

from math import isqrt

import torch
from torch import Tensor, nn

_HEAD = 64
_EMBEDDINGS = "vision_model.embeddings."
_LAYERS = "vision_model.encoder.layers."


class VisionTower(nn.Module):
    """The image side of a CLIP without its weights.

    Args:
        width: of the tokens, a multiple of 64.
        depth: blocks.
        inner: width inside the blocks' perceptrons.
        patch_px: side of a patch.
        patches: along a side of the image.
        projection: length of an embedding.
    """

    def __init__(
        self, width: int, depth: int, inner: int, patch_px: int, patches: int, projection: int
    ) -> None:
        super().__init__()
        if not width or width % _HEAD:
            raise ValueError(f"tokens {width} wide, expected a multiple of {_HEAD}")
        self.side_px = patch_px * patches
        self.patch = nn.Conv2d(3, width, patch_px, stride=patch_px, bias=False)
        self.token = nn.Parameter(torch.empty(width))
        self.positions = nn.Parameter(torch.empty(patches**2 + 1, width))
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        block = nn.TransformerEncoderLayer(
            width, width // _HEAD, inner, 0.0, _quick_gelu, batch_first=True, norm_first=True
        )
        self.blocks = nn.TransformerEncoder(block, depth, enable_nested_tensor=False)
        self.projection = nn.Linear(width, projection, bias=False)

    @classmethod
    def of(cls, state: dict[str, Tensor]) -> "VisionTower":
        """The tower of a file's state dict; the text side of it is not looked at.

        Raises:
            KeyError: a tensor is missing.
            RuntimeError, TypeError, ValueError: a tensor has another shape than the rest asks for.
        """
        width, _, patch_px, _ = state[f"{_EMBEDDINGS}patch_embedding.weight"].shape
        tokens = len(state[f"{_EMBEDDINGS}position_embedding.weight"])
        depth = sum(f"{_LAYERS}{i}.layer_norm1.weight" in state for i in range(len(state)))
        inner = len(state[f"{_LAYERS}0.mlp.fc1.weight"])
        with torch.device("meta"):
            projection = len(state["visual_projection.weight"])
            tower = cls(width, depth, inner, patch_px, isqrt(tokens - 1), projection)
        renamed = {new: state[old].float() for new, old in _names().items()}
        for i in range(depth):
            renamed |= _block(state, i)
        tower.load_state_dict(renamed, assign=True)
        return tower

    def forward(self, images: Tensor) -> Tensor:
        """(n, projection) of (n, 3, side_px, side_px) images, normalised by MEAN, DEVIATION."""
        patches = self.patch(images).flatten(2).transpose(1, 2)
        token = self.token.expand(len(images), 1, -1)
        tokens = self.before(torch.cat([token, patches], 1) + self.positions)
        embedding: Tensor = self.projection(self.after(self.blocks(tokens)[:, 0]))
        return embedding


def _quick_gelu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(1.702 * x)


def _names() -> dict[str, str]:
    """Our names of the tensors outside the blocks, to those of the file (with its spelling)."""
    norms = {"before": "pre_layrnorm", "after": "post_layernorm"}
    return {
        "patch.weight": f"{_EMBEDDINGS}patch_embedding.weight",
        "token": f"{_EMBEDDINGS}class_embedding",
        "positions": f"{_EMBEDDINGS}position_embedding.weight",
        "projection.weight": "visual_projection.weight",
    } | {
        f"{new}.{part}": f"vision_model.{old}.{part}"
        for new, old in norms.items()
        for part in ("weight", "bias")
    }


def _block(state: dict[str, Tensor], i: int) -> dict[str, Tensor]:
    """Tensors of one block; torch keeps queries, keys and values in one."""
    new, old = f"blocks.layers.{i}.", f"{_LAYERS}{i}."
    names = {"self_attn.out_proj": "self_attn.out_proj", "linear1": "mlp.fc1", "linear2": "mlp.fc2"}
    names |= {"norm1": "layer_norm1", "norm2": "layer_norm2"}
    block = {}
    for part in ("weight", "bias"):
        qkv = [state[f"{old}self_attn.{x}_proj.{part}"].float() for x in "qkv"]
        block[f"{new}self_attn.in_proj_{part}"] = torch.cat(qkv)
        block |= {f"{new}{x}.{part}": state[f"{old}{y}.{part}"].float() for x, y in names.items()}
    return block
