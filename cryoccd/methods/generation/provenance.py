"""Where generated data comes from, for its manifest."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cryoccd
from cryoccd.io.atomic import sha256_file
from cryoccd.io.checked import read_yaml
from cryoccd.io.tomograms import TomogramSource
from cryoccd.methods.volume_generator import VolumeGenerator


def made_by(
    command: str,
    model: VolumeGenerator,
    checkpoint: Path,
    settings: Mapping[str, Any] | None,
    **choices: Any,
) -> dict[str, Any]:
    """What decides whether items of an earlier run may be kept.

    Args:
        command: verb.
        model: as it samples.
        checkpoint: that it was loaded from, with its config.yaml beside it.
        settings: with which it was loaded in place of the fit's.
        choices: what else was chosen.
    """
    known = {
        "command": command,
        "version": cryoccd.__version__,
        "method": type(model).__name__,
        "checkpoint_sha256": sha256_file(checkpoint),
        "config": read_yaml(checkpoint.parent / "config.yaml")["model"],
        "classes": list(model.classes),
        "box_voxels": int(model.box_voxels),
        "voxel_size_A": float(model.voxel_size_A),
        "evaluations": model.evaluations,
        **choices,
    }
    return known | ({"set": dict(settings)} if settings else {})


def identity(source: TomogramSource) -> dict[str, Any]:
    """Names and shapes of tomograms, and the SHA-256 of the table of their particles."""
    table = source.particles.to_csv(index=False, float_format="%.6g").encode()
    return {
        "tomograms": {tomogram.name: list(tomogram.shape) for tomogram in source.tomograms},
        "particles_sha256": hashlib.sha256(table).hexdigest(),
    }
