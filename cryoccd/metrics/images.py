"""Sets of micrographs as the metrics see them, and the crops taken from them.

Every micrograph stands at median 0 and MAD * 1.4826 = 1, so no metric depends on gain or offset.
Values are cut at +-10 of these units: a hot pixel then weighs no more than any other outlier, and
nothing that ice, protein or shot noise does comes near.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.geometry import item_seed
from cryoccd.imaging.normalise import robust_normalise
from cryoccd.io.folder import open_folder

VALUE_LIMIT = 10.0


def normalised(image: Tensor, name: str = "image") -> Tensor:
    """(h, w) float32 image with median 0, scaled MAD 1, cut at +-VALUE_LIMIT."""
    return robust_normalise(image.to(torch.float32), name).clamp(-VALUE_LIMIT, VALUE_LIMIT)


@dataclass(frozen=True, eq=False)
class MicrographSet:
    """Micrographs of one side of a comparison.

    Args:
        images: (h, w) micrographs on any scale; held robustly normalised.
        centres_px: (n, 2) particle centres x, y of each micrograph, or None where none are known.
        pixel_size_A: angstrom a pixel.
    """

    images: tuple[Tensor, ...]
    centres_px: tuple[Tensor, ...] | None
    pixel_size_A: float

    def __post_init__(self) -> None:
        if not self.images:
            raise CryoccdError("micrographs: none, expected at least one")
        if self.centres_px is not None and len(self.centres_px) != len(self.images):
            raise CryoccdError(
                f"picks: {len(self.centres_px)} lists for {len(self.images)} micrographs, "
                "expected one each"
            )
        images = tuple(normalised(x, f"micrograph {i}") for i, x in enumerate(self.images))
        object.__setattr__(self, "images", images)

    def __len__(self) -> int:
        return len(self.images)

    def first(self, n: int) -> "MicrographSet":
        """The first n micrographs; the same object where there are no more."""
        if n >= len(self):
            return self
        centres = None if self.centres_px is None else self.centres_px[:n]
        return MicrographSet(self.images[:n], centres, self.pixel_size_A)


def read_set(
    folder: Path,
    split: str | None = None,
    limit: int | None = None,
    pixel_size_A: float | None = None,
) -> MicrographSet:
    """Read a dataset folder or a plain folder of micrographs.

    Args:
        folder: whatever `open_folder` reads.
        split: train or test; None takes all.
        limit: how many micrographs at most, the first by name.
        pixel_size_A: pixel size where the files have none.

    Raises:
        CryoccdError: no micrograph there, or one that cannot be used.
    """
    source = open_folder(folder, pixel_size_A)
    names = source.names(split)[:limit]
    images = tuple(
        normalised(torch.from_numpy(source.image(name)), f"{folder}: {name}") for name in names
    )
    picks = [source.picks_px(name) for name in names]
    centres = tuple(torch.from_numpy(p) for p in picks if p is not None)
    return MicrographSet(images, centres if source.has_picks else None, source.pixel_size_A)


def take_crops(image: Tensor, crop_px: int, count: int, seed: int) -> Tensor:
    """(count, crop_px, crop_px) crops that do not overlap, from a seeded choice of grid cells.

    The choice depends on the seed and the shape alone, so no order of micrographs changes it.

    Raises:
        CryoccdError: the image has fewer cells than `count`.
    """
    height, width = (int(side) for side in image.shape)
    rows, columns = height // crop_px, width // crop_px
    if rows * columns < count:
        raise CryoccdError(
            f"crops: {height} x {width} px holds {rows * columns} of {crop_px} px, expected "
            f"{count}; lower the crop size or the crops per micrograph"
        )
    generator = torch.Generator().manual_seed(item_seed(seed, height, width))
    top = int(torch.randint(height - rows * crop_px + 1, (), generator=generator))
    left = int(torch.randint(width - columns * crop_px + 1, (), generator=generator))
    cells = torch.randperm(rows * columns, generator=generator)[:count].tolist()
    corners = [(top + cell // columns * crop_px, left + cell % columns * crop_px) for cell in cells]
    return torch.stack([image[y : y + crop_px, x : x + crop_px] for y, x in corners])
