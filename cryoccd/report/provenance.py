"""Where a figure comes from: commit, versions, device, time, and hashes of config and data."""

import dataclasses
import hashlib
import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

import cryoccd
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import sha256_file
from cryoccd.io.commit import source_commit


def provenance(
    config_hash: str, data_hash: str, seconds: float, device: torch.device | str = "cpu"
) -> dict[str, Any]:
    """The provenance of a result cell.

    Args:
        config_hash: `hash_config` of the resolved configuration.
        data_hash: `hash_folder` of the data, several joined by the caller.
        seconds: wall time that the cell took.
        device: the device that the method ran on.
    """
    return {
        "commit": source_commit(Path(cryoccd.__file__).resolve().parents[1]),
        "config_hash": config_hash,
        "data_hash": data_hash,
        "versions": {
            "cryoccd": cryoccd.__version__,
            "torch": version("torch"),
            "lightning": version("lightning"),
            "python": platform.python_version(),
        },
        "device": _device_name(torch.device(device)),
        "seconds": round(float(seconds), 3),
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def hash_config(config: object) -> str:
    """SHA-256 of the canonical JSON of a configuration; the order of its keys does not count.

    Raises:
        CryoccdError: it holds something that is neither plain data, a path nor a dataclass.
    """
    try:
        text = json.dumps(config, sort_keys=True, separators=(",", ":"), default=_plain)
    except TypeError as error:
        raise CryoccdError(f"configuration: {error}; give plain values") from error
    return hashlib.sha256(text.encode()).hexdigest()


def hash_folder(root: Path) -> str:
    """Content hash of a data folder; hidden files do not count.

    A finished dataset folder is known by its manifest, which names the hash of every file; any
    other folder by the names, sizes and contents of its files.
    """
    if not root.is_dir():
        raise CryoccdError(f"{root}: no such folder")
    manifest = root / "manifest.json"
    if manifest.is_file():
        return sha256_file(manifest)
    files = {
        path.relative_to(root).as_posix(): [path.stat().st_size, sha256_file(path)]
        for path in root.rglob("*")
        if path.is_file() and not any(p.startswith(".") for p in path.relative_to(root).parts)
    }
    return hash_config(files)


def _device_name(device: torch.device) -> str:
    if device.type == "cuda":
        return str(torch.cuda.get_device_name(device))
    return f"{device.type} ({platform.machine()}, {torch.get_num_threads()} threads)"


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"{value!r} of type {type(value).__name__} has no canonical form")
