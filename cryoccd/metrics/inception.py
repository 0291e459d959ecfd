"""Inception-v3 features of the original FID (Heusel et al. 2017), where its weights are at hand.

The network is torch-fidelity's copy of the TensorFlow one, through torchmetrics. What else changes
a FID is pinned here: one 8-bit tone map for both sides with its ends at percentiles of the real
set, grey written to three channels, resizing by torchvision with antialias.
"""

import io
import pickle
import warnings
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import atomic_path, sha256_file

TONE_PERCENTILES = (0.5, 99.5)
INPUT_PX = 299
RESIZE = "torchvision.transforms.v2.functional.resize uint8 bilinear antialias=True"
_CHUNK = 32


def find_weights(given: str) -> Path:
    """The file of the weights: a path, or the published file for the word `download`.

    Raises:
        CryoccdError: there is no such file, or it cannot be downloaded.
    """
    if given != "download":
        if not Path(given).is_file():
            raise CryoccdError(f"{given}: no such file; expected Inception weights, or `download`")
        return Path(given)
    if find_spec("torch_fidelity") is None:
        raise CryoccdError("fid_inception needs torch-fidelity: pip install 'cryoccd[fid]'")
    from torch_fidelity.feature_extractor_inceptionv3 import URL_INCEPTION_V3

    target = Path(torch.hub.get_dir()) / "checkpoints" / Path(URL_INCEPTION_V3).name
    if not target.is_file():
        try:
            with atomic_path(target) as temporary:
                torch.hub.download_url_to_file(URL_INCEPTION_V3, str(temporary))
        except OSError as error:
            raise CryoccdError(
                f"Inception weights: download failed ({error}); give the path of {target.name}"
            ) from error
    return target


class InceptionFeatures:
    """The 2048 pooled features of 8-bit images.

    Args:
        weights: path of weights-inception-2015-12-05-6726825d.pth or another file of its format.

    Raises:
        CryoccdError: torch-fidelity is not installed, or the file is not such weights.
    """

    def __init__(self, weights: Path) -> None:
        if find_spec("torch_fidelity") is None:
            raise CryoccdError("fid_inception needs torch-fidelity: pip install 'cryoccd[fid]'")
        from torchmetrics.image.fid import FrechetInceptionDistance

        # torch-fidelity unpickles without limits; it is given what a restricted load has let pass
        safe = io.BytesIO()
        torch.save(_state_dict(weights), safe)
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
        self.network = metric.inception

    @torch.no_grad()
    def __call__(self, grey: Tensor) -> Tensor:
        """(n, 2048) float32 features of (n, h, w) uint8 images."""
        from torchvision.transforms.v2 import InterpolationMode
        from torchvision.transforms.v2.functional import resize

        features = []
        size = [INPUT_PX, INPUT_PX]
        for i in range(0, len(grey), _CHUNK):
            small = grey[i : i + _CHUNK, None]
            large = resize(small, size, interpolation=InterpolationMode.BILINEAR, antialias=True)
            features.append(self.network(large.expand(-1, 3, -1, -1)))
        return torch.cat(features)


def describe(weights: Path) -> dict[str, str]:
    """What a FID must be quoted with: extractor, resizing and tone map."""
    if not weights.is_file():
        raise CryoccdError(f"{weights}: no such file; expected Inception weights")
    return {
        "inception": f"inception-v3-2048 sha256 {sha256_file(weights)}",
        "inception_resize": RESIZE,
        "inception_tone_map": f"8 bit between percentiles {TONE_PERCENTILES} of the real set",
    }


def tone_limits(real: Sequence[Tensor]) -> tuple[float, float]:
    """Values of the real micrographs that become black and white; mean over the micrographs."""
    fractions = torch.tensor(TONE_PERCENTILES, dtype=torch.float64) / 100
    ends = []
    for image in real:
        values = image.flatten().to(torch.float64).sort().values
        ends.append(values[(fractions * (len(values) - 1)).round().long()])
    low, high = torch.stack(ends).mean(0).tolist()
    return low, high


def to_8_bit(image: Tensor, limits: tuple[float, float]) -> Tensor:
    """Uint8 image, linear between the limits and cut there."""
    low, high = limits
    return ((image - low) / (high - low) * 255).round().clamp(0, 255).to(torch.uint8)


def _state_dict(weights: Path) -> dict[str, Tensor]:
    if not weights.is_file():
        raise CryoccdError(f"{weights}: no such file; expected Inception weights")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whatever else is odd about the file, it fails below
            state = torch.load(weights, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise CryoccdError(
            f"{weights}: not a plain file of tensors; download it again, expected "
            "weights-inception-2015-12-05-6726825d.pth"
        ) from error
    if not isinstance(state, dict):
        raise CryoccdError(f"{weights}: holds a {type(state).__name__}, expected a state dict")
    return state
