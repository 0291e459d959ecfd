"""The files below a folder, Zarr volumes as one."""

from collections.abc import Iterator
from pathlib import Path


def walk(folder: Path) -> Iterator[Path]:
    """Files and Zarr folders below a folder by name, hidden ones left out.

    The inside of a Zarr folder, thousands of chunks, is not looked at.
    """
    for child in sorted(folder.iterdir()):
        if child.name.startswith("."):
            continue
        if child.is_dir() and child.suffix.lower() != ".zarr":
            yield from walk(child)
        else:
            yield child
