"""Inception-v3 features of the original FID (Heusel et al. 2017), where its weights are at hand.

The network is torch-fidelity's copy of the TensorFlow one, through torchmetrics; it sees crops as
`eight_bit` makes them.
"""

import io
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.metrics.networks import weights as files
from cryoccd.metrics.networks.eight_bit import TONE_MAP, full_precision, resizing, to_photographs

INPUT_PX = 299
RESIZE = resizing("bilinear")
_CHUNK = 32


class InceptionFeatures:
    """The 2048 pooled features of 8-bit images.

    Args:
        weights: path of weights-inception-2015-12-05-6726825d.pth or another file of its format.
        device: where the network runs.

    Raises:
        CryoccdError: torch-fidelity is not installed, or the file is not such weights.
    """

    def __init__(self, weights: Path, device: str = "cpu") -> None:
        if find_spec("torch_fidelity") is None:
            raise CryoccdError("fid_inception needs torch-fidelity: pip install 'cryoccd[fid]'")
        from torchmetrics.image.fid import FrechetInceptionDistance

        # torch-fidelity unpickles without limits; it is given what a restricted load has let pass
        safe = io.BytesIO()
        torch.save(files.load_tensors("inception", weights), safe)
        safe.seek(0)
        try:
            metric = FrechetInceptionDistance(
                feature=2048,
                feature_extractor_weights_path=cast("Any", safe),  # torch.load reads it as well
            )
        except RuntimeError as error:
            raise CryoccdError(
                f"{weights}: not the weights of the FID Inception-v3; give theirs, or `download`"
            ) from error
        self.network, self.device = metric.inception.to(device), device
        self.name = files.weights_name("inception", files.weights_sha256("inception", weights))
        self.version = ", ".join(describe(weights).values())

    @torch.no_grad()
    @full_precision()
    def __call__(self, crops: Tensor) -> Tensor:
        """(n, 2048) float32 features of (n, h, w) uint8 crops."""
        features = []
        for i in range(0, len(crops), _CHUNK):
            images = to_photographs(crops[i : i + _CHUNK], INPUT_PX, "bilinear")
            features.append(self.network(images.to(self.device)).cpu())
        return torch.cat(features)


def describe(weights: Path) -> dict[str, str]:
    """What a FID must be quoted with: extractor, resizing and tone map."""
    return {
        "inception": f"inception-v3-2048 sha256 {files.weights_sha256('inception', weights)}",
        "inception_resize": f"{RESIZE} to {INPUT_PX} px",
        "inception_tone_map": TONE_MAP,
    }
