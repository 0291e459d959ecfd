"""The micrographs of a folder as measures see them: read one at a time, as often as asked."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.folder import MicrographFolder, open_folder
from cryoccd.io.image_header import read_image_header
from cryoccd.metrics.images import normalised
from cryoccd.metrics.measure import Field


@dataclass(frozen=True)
class FieldFolder:
    """Some micrographs of a folder, as `Field`.

    Args:
        folder: where they are.
        names: which.
        diameter_A: particle diameter; None where unknown.
        truth: the simulated set they were made from, with a micrograph of each name; None for real
            ones.
    """

    folder: MicrographFolder
    names: tuple[str, ...]
    diameter_A: float | None = None
    truth: Dataset | None = None

    def __len__(self) -> int:
        return len(self.names)

    def __iter__(self) -> Iterator[Field]:
        """Each micrograph in turn.

        Raises:
            CryoccdError: one cannot be used.
        """
        for index in range(len(self)):
            yield self[index]

    def __getitem__(self, index: int) -> Field:
        """One of them.

        Raises:
            CryoccdError: it cannot be used.
        """
        name = self.names[index]
        values = torch.from_numpy(self.folder.image(name))
        picks = self.folder.picks_px(name)
        truth = self.truth
        return Field(
            image=normalised(values, f"{self.folder.root}: {name}"),
            pixel_size_A=self.folder.pixel_size_A,
            centres_px=None if picks is None else torch.from_numpy(picks),
            diameter_A=self.diameter_A,
            clean=None if truth is None else torch.from_numpy(truth.image(name, "clean")),
            optics=None if truth is None else truth.optics(name),
        )

    def shapes_px(self) -> list[tuple[int, int]]:
        """Height and width of each, by the headers."""
        return [read_image_header(self.folder.path(name)).shape_px for name in self.names]

    def first(self, n: int) -> "FieldFolder":
        """The first n micrographs."""
        return replace(self, names=self.names[:n])

    def clean(self) -> tuple[list[Tensor], list[Tensor]]:
        """Clean images and centres of those that have them, for a match of contrast."""
        known = [field for field in self if field.clean is not None]
        images = [field.clean for field in known if field.clean is not None]
        return images, [_centres(field) for field in known]


def read_fields(
    root: Path,
    split: str | None = None,
    limit: int | None = None,
    pixel_size_A: float | None = None,
    diameter_A: float | None = None,
    clean: Path | None = None,
) -> FieldFolder:
    """Open a dataset folder or a plain folder of micrographs.

    Args:
        root: whatever `open_folder` reads.
        split: train or test; None takes all.
        limit: how many micrographs at most, the first by name.
        pixel_size_A: pixel size where the files have none.
        diameter_A: particle diameter.
        clean: the simulated set that the micrographs were made from; by default the folder itself,
            where it is one.

    Raises:
        CryoccdError: no micrograph there, or none of its name in the clean set.
    """
    folder = open_folder(root, pixel_size_A)
    names = tuple(folder.names(split)[:limit])
    truth = Dataset(clean or root) if clean or (root / "manifest.json").is_file() else None
    if truth is not None and not (truth.synthetic and (truth.root / "clean").is_dir()):
        if clean:
            raise CryoccdError(f"{clean}: holds no clean images, expected a simulated set")
        truth = None
    if truth is not None and (absent := sorted(set(names) - set(truth.names))):
        raise CryoccdError(
            f"{truth.root}: no clean image of {absent[0]}, expected one for each micrograph of "
            f"{root}; give the set that they were made from"
        )
    return FieldFolder(folder, names, diameter_A, truth)


def _centres(field: Field) -> Tensor:
    if field.centres_px is None:
        return torch.zeros(0, 2, dtype=torch.float64)
    return field.centres_px
