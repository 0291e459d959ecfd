"""Faults planted in copies of a dataset folder."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import mrcfile
import pandas as pd

from cryoccd.io.atomic import sha256_file

Change = Callable[[pd.DataFrame], pd.DataFrame]


def copied(source: Path, target: Path) -> Path:
    """A copy that shares the images."""
    shutil.copytree(source, target, copy_function=os.link)
    return target


def change_table(root: Path, name: str, change: Change) -> None:
    """Rewrite a table in place of the link."""
    table = change(pd.read_parquet(root / f"{name}.parquet"))
    (root / f"{name}.parquet").unlink()
    table.to_parquet(root / f"{name}.parquet", index=False)


def change_image(path: Path, change: Callable) -> None:
    """Rewrite values or voxel size of an MRC file in place of the link."""
    content = path.read_bytes()
    path.unlink()
    path.write_bytes(content)
    with mrcfile.open(path, "r+") as file:
        change(file)


def sign(root: Path) -> Path:
    """Make the manifest agree with what is there now, as if it had been written so."""
    manifest = json.loads((root / "manifest.json").read_text())
    for name in manifest["files"]:
        path = root / name
        manifest["files"][name] = {"sha256": sha256_file(path), "bytes": path.stat().st_size}
    (root / "manifest.json").unlink()
    (root / "manifest.json").write_text(json.dumps(manifest))
    return root
