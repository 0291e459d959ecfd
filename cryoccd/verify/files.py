"""Checksums of all files, and headers of all images."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import mrcfile
import numpy as np

from cryoccd.io.atomic import sha256_file
from cryoccd.io.dataset import Dataset
from cryoccd.io.mrc import read_mrc_shape
from cryoccd.verify.finding import Finding

_SAME = 1e-4  # of a pixel size: headers have single precision
_MARK = b"SYNTHETIC cryoccd"


class Finished(Protocol):
    """A finished set of any kind."""

    root: Path
    manifest: dict[str, Any]


def check_checksums(dataset: Finished, advance: Callable[[], None]) -> Finding:
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
            faults += header_faults(dataset, path, shape, "u2" if kind == "instances" else "f4")
            sizes += size_faults(dataset, path, scale * float(pixel_size_A[name]))
    for path in sorted((dataset.root / "species").glob("*.mrc")):
        count += 1
        sizes += size_faults(dataset, path, float(pixel_size_A.iloc[0]))
    findings = [Finding("headers", "pass", f"{count} images: size, kind and mark are right")]
    if faults:
        findings = [Finding("headers", "FAIL", first_of(faults))]
    if sizes:
        findings.append(Finding("pixel size", "FAIL", first_of(sizes)))
    return findings


def header_faults(
    dataset: Finished, path: Path, shape: tuple[int, ...], kind: str
) -> Iterator[str]:
    """What is wrong in the header of an image, stack or volume.

    Args:
        dataset: its set.
        path: the file.
        shape: its last sides.
        kind: type of its values, f4 or u2.
    """
    name = path.relative_to(dataset.root).as_posix()
    synthetic = bool(dataset.manifest.get("synthetic", True))
    with mrcfile.open(path, header_only=True, permissive=True) as file:
        sides = (file.header.nz, file.header.ny, file.header.nx)
        dtype = mrcfile.utils.data_dtype_from_header(file.header)
        label = bytes(file.header.label[0])
    found = tuple(int(side) for side in sides)[-len(shape) :]
    if found != shape:
        yield f"{name} is {_times(found)}, expected {_times(shape)}"
    if dtype != np.dtype(kind):
        yield f"{name} holds {dtype}, expected {np.dtype(kind)}"
    if synthetic != label.startswith(_MARK):
        yield f"{name} is {'not ' if synthetic else ''}marked SYNTHETIC"


def size_faults(dataset: Finished, path: Path, expected_A: float) -> Iterator[str]:
    """Whether the header of a file has another pixel size than the tables."""
    with mrcfile.open(path, header_only=True, permissive=True) as file:
        axes = ("x", "y", "z") if file.header.ispg else ("x", "y")  # a stack has no z
        found_A = [float(file.voxel_size[axis]) for axis in axes]
    wrong_A = [size_A for size_A in found_A if abs(size_A / expected_A - 1) > _SAME]
    if wrong_A:
        name = path.relative_to(dataset.root).as_posix()
        yield f"header of {name} says {wrong_A[0]:g} A, the tables say {expected_A:g} A"


def first_of(faults: list[str]) -> str:
    """The first fault and the number of the others."""
    return faults[0] + (f" and {len(faults) - 1} more" if len(faults) > 1 else "")


def _times(sides: tuple[int, ...]) -> str:
    return " x ".join(map(str, sides))
