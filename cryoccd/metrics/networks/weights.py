"""Files of network weights: named or fetched, known by their SHA-256, loaded as tensors alone.

Figures by other weights than the published ones cannot be compared with anybody's, so such a file
is taken only where its checksum is named, and the figures are then called `custom`.
"""

import pickle
import warnings
from collections.abc import Iterable
from pathlib import Path
from zipfile import is_zipfile

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import sha256_file
from cryoccd.io.fetch import fetch
from cryoccd.io.published_weights import PUBLISHED


def find_weights(kind: str, given: str | Path, named_sha256: Iterable[str] = ()) -> Path:
    """The file of the weights, its checksum verified.

    Args:
        kind: inception or clip.
        given: a path, or `download` for the published file, from the cache of `cryoccd fetch`
            where that holds it.
        named_sha256: checksums that are taken beside the published one.

    Raises:
        CryoccdError: no such file, another checksum, or a download that failed.
    """
    if str(given) == "download":
        return fetch(f"weights:{kind}")
    path, published = Path(given), PUBLISHED[kind].sha256
    found = weights_sha256(kind, path)
    if found not in (published, *(word.lower() for word in named_sha256)):
        raise CryoccdError(
            f"{path}: SHA-256 {found}, expected that of the published weights, {published}; "
            f"`download` takes those, --weights-sha256 {found} takes this file as custom weights"
        )
    return path


def weights_sha256(kind: str, path: Path) -> str:
    """Checksum of a file of weights.

    Raises:
        CryoccdError: there is no such file.
    """
    if not path.is_file():
        raise CryoccdError(
            f"{path}: no such file; expected the {kind} weights, run `cryoccd fetch weights:{kind}`"
        )
    return sha256_file(path)


def weights_name(kind: str, sha256: str) -> str:
    """Name of the extractor: its kind, or custom with other weights than the published ones."""
    return kind if sha256 == PUBLISHED[kind].sha256 else "custom"


def load_tensors(kind: str, path: Path) -> dict[str, Tensor]:
    """The state dict of a file; nothing in it is run.

    Raises:
        CryoccdError: no such file, or one with anything but tensors in it.
    """
    if not path.is_file():
        weights_sha256(kind, path)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # whatever else is odd about the file, it fails below
            # mapped where the format has it, so that what is not asked for is not read
            state = torch.load(path, map_location="cpu", weights_only=True, mmap=is_zipfile(path))
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError, ValueError) as error:
        raise CryoccdError(
            f"{path}: not a plain file of tensors; expected {PUBLISHED[kind].file}, run "
            f"`cryoccd fetch weights:{kind}`"
        ) from error
    if not isinstance(state, dict) or not all(isinstance(x, Tensor) for x in state.values()):
        raise CryoccdError(f"{path}: holds other things than named tensors, expected a state dict")
    return state
