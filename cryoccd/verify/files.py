"""Checksums of all files, and headers of all images."""

from collections.abc import Callable, Iterator
from pathlib import Path

import mrcfile
import numpy as np

from cryoccd.io.atomic import sha256_file
from cryoccd.io.dataset import Dataset
from cryoccd.io.mrc import read_mrc_shape
from cryoccd.verify.finding import Finding

_SAME = 1e-4  # of a pixel size: headers have single precision
_MARK = b"SYNTHETIC cryoccd"


def check_checksums(dataset: Dataset, advance: Callable[[], None]) -> Finding:
    """Every file that the manifest lists, against its SHA-256."""
    files = dataset.manifest["files"]
    changed = []
    for name, entry in files.items():
        if sha256_file(dataset.root / name) != entry["sha256"]:
            changed.append(name)
        advance()
    if changed:
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        return Finding("checksums", "FAIL", f"{changed[0]}{more} changed since it was written")
    return Finding("checksums", "pass", f"{len(files)} files as they were written")


def check_headers(dataset: Dataset) -> list[Finding]:
    """Shape, kind, mark and pixel size of every image; the pixel size is a family of its own."""
    faults: list[str] = []
    sizes: list[str] = []
    count = 0
    pixel_size_A = dataset.micrographs.set_index("micrograph")["pixel_size_A"]
    for name in dataset.names:
        expected = read_mrc_shape(dataset.root / "micrographs" / f"{name}.mrc")[-2:]
        for kind in ("micrographs", "clean", "instances", "ice"):
            path = dataset.root / kind / f"{name}.mrc"
            if not path.is_file():
                continue
            count += 1
            scale = 8 if kind == "ice" else 1
            shape = tuple(-(-side // scale) for side in expected)
            faults += _faults(dataset, path, shape, "u2" if kind == "instances" else "f4")
            sizes += _sizes(dataset, path, scale * float(pixel_size_A[name]))
    for path in sorted((dataset.root / "species").glob("*.mrc")):
        count += 1
        sizes += _sizes(dataset, path, float(pixel_size_A.iloc[0]))
    findings = [Finding("headers", "pass", f"{count} images: size, kind and mark are right")]
    if faults:
        findings = [Finding("headers", "FAIL", _first(faults))]
    if sizes:
        findings.append(Finding("pixel size", "FAIL", _first(sizes)))
    return findings


def _faults(dataset: Dataset, path: Path, shape: tuple[int, ...], kind: str) -> Iterator[str]:
    name = path.relative_to(dataset.root).as_posix()
    with mrcfile.open(path, header_only=True, permissive=True) as file:
        found = tuple(int(side) for side in (file.header.ny, file.header.nx))
        dtype = mrcfile.utils.data_dtype_from_header(file.header)
        label = bytes(file.header.label[0])
    if found != shape:
        yield f"{name} is {found[0]} x {found[1]}, expected {shape[0]} x {shape[1]}"
    if dtype != np.dtype(kind):
        yield f"{name} holds {dtype}, expected {np.dtype(kind)}"
    if dataset.synthetic != label.startswith(_MARK):
        yield f"{name} is {'not ' if dataset.synthetic else ''}marked SYNTHETIC"


def _sizes(dataset: Dataset, path: Path, expected_A: float) -> Iterator[str]:
    with mrcfile.open(path, header_only=True, permissive=True) as file:
        found_A = float(file.voxel_size.x)
    if abs(found_A / expected_A - 1) > _SAME:
        name = path.relative_to(dataset.root).as_posix()
        yield f"header of {name} says {found_A:g} A, the tables say {expected_A:g} A"


def _first(faults: list[str]) -> str:
    return faults[0] + (f" and {len(faults) - 1} more" if len(faults) > 1 else "")
