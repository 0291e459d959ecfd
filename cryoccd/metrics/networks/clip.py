"""Image embeddings of CLIP (Radford et al. 2021), where its weights are at hand.

The vision tower sees crops as `eight_bit` makes them; the length of an embedding is set to 1, as
CMMD has it.
"""

from pathlib import Path

import torch
from torch import Tensor, nn

from cryoccd.errors import CryoccdError
from cryoccd.metrics.networks.clip_tower import VisionTower
from cryoccd.metrics.networks.eight_bit import TONE_MAP, full_precision, resizing, to_photographs
from cryoccd.metrics.networks.weights import load_tensors, weights_name, weights_sha256

MEAN = (0.48145466, 0.4578275, 0.40821073)
DEVIATION = (0.26862954, 0.26130258, 0.27577711)
_CHUNK = 8


class ClipFeatures:
    """Embeddings of length 1 of 8-bit images.

    Args:
        weights: path of openai/clip-vit-large-patch14-336's pytorch_model.bin or another file of
            its format.
        device: where the network runs; a crop takes 6 s on one core, with 2.4 GB of memory.

    Raises:
        CryoccdError: the file is not such weights.
    """

    def __init__(self, weights: Path, device: str = "cpu") -> None:
        try:
            tower = VisionTower.of(load_tensors("clip", weights))
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise CryoccdError(
                f"{weights}: not the weights of a CLIP vision tower ({' '.join(str(error).split())}"
                "); run `cryoccd fetch weights:clip`"
            ) from error
        self.network, self.device = tower.eval().requires_grad_(False).to(device), device
        self.name = weights_name("clip", weights_sha256("clip", weights))
        self.version = ", ".join(describe(weights).values())

    @torch.no_grad()
    @full_precision()
    def __call__(self, crops: Tensor) -> Tensor:
        """(n, d) float32 embeddings of (n, h, w) uint8 crops."""
        mean, deviation = (torch.tensor(x).reshape(3, 1, 1) for x in (MEAN, DEVIATION))
        embeddings = []
        for i in range(0, len(crops), _CHUNK):
            images = to_photographs(crops[i : i + _CHUNK], self.network.side_px, "bicubic")
            images = (images.to(torch.float32) / 255 - mean) / deviation
            embeddings.append(self.network(images.to(self.device)).cpu())
        return nn.functional.normalize(torch.cat(embeddings), dim=-1)


def describe(weights: Path) -> dict[str, str]:
    """What a CMMD must be quoted with: extractor, resizing, normalisation and tone map."""
    return {
        "clip": f"clip-vision sha256 {weights_sha256('clip', weights)}",
        "clip_resize": f"{resizing('bicubic')} to the network's side, 336 px if published",
        "clip_normalisation": f"(x / 255 - {MEAN}) / {DEVIATION}, embedding of length 1",
        "clip_tone_map": TONE_MAP,
    }
