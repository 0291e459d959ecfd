"""The stacks that rlnImageName names: allowed paths, indices from 1, and images enough."""

from pathlib import Path

import pandas as pd

from cryoccd.errors import CryoccdError
from cryoccd.io.image_header import read_image_header
from cryoccd.io.picks.coordinate_files import candidates

_COLUMN = "rlnImageName"


def check_stacks(rows: pd.DataFrame, root: Path | None) -> None:
    """Refuse image names that cannot be right; stacks that are not there are left alone.

    Args:
        rows: source, row and, from particles.star, image.
        root: folder below which the stacks must lie; None allows relative paths alone.

    Raises:
        CryoccdError: a path that is absolute or has `..` and does not lie below `root`, an index
            that is not a whole number from 1, or a stack with fewer images than the index.
    """
    if "image" not in rows:
        return
    last: dict[tuple[str, str], tuple[int, int]] = {}
    named = rows.dropna(subset=["image"])
    for source, row, image in zip(named["source"], named["row"], named["image"], strict=True):
        index, path = _parsed(str(source), int(row), str(image))
        if index > last.get((source, path), (0, 0))[0]:
            last[source, path] = index, int(row)
    for (source, path), (index, row) in last.items():
        places = candidates(Path(source), path, _COLUMN, root)
        stack = next((place for place in places if place.is_file()), None)
        if stack is None:
            continue
        sections = read_image_header(stack).sections
        if index > sections:
            raise CryoccdError(
                f"{source}: {_COLUMN} of row {row} is image {index} of {stack}, a stack shorter "
                f"than its STAR: it has {sections}; write one of them again"
            )


def _parsed(source: str, row: int, image: str) -> tuple[int, str]:
    """Index from 1 and path of 000001@path; a path alone is an image of its own."""
    index, at, path = image.partition("@")
    if not at:
        return 1, image
    if not (index.isascii() and index.isdigit() and int(index) >= 1 and path):
        raise CryoccdError(
            f"{source}: {_COLUMN} of row {row} is {image[:80]}, expected NUMBER@STACK with a "
            "number from 1"
        )
    return int(index), path
