"""The sets of a noise report card, opened and checked before any work begins."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cryoccd.errors import CryoccdError
from cryoccd.io.folder import open_folder
from cryoccd.metrics.card import check_pixel_sizes
from cryoccd.metrics.fields import FieldFolder, read_fields
from cryoccd.metrics.measure import Field

Split = Literal["train", "test", "all"]


@dataclass(frozen=True)
class Sets:
    """What is compared.

    Args:
        real: held-out real micrographs.
        generated: the set that is judged.
        training: real micrographs that the card learns from, and the floor; None for none.
        other: another method's translations of the same clean micrographs; None for none.
    """

    real: FieldFolder
    generated: FieldFolder
    training: FieldFolder | None = None
    other: FieldFolder | None = None

    def all(self) -> list[FieldFolder]:
        """Those that are there."""
        sets = (self.real, self.generated, self.training, self.other)
        return [each for each in sets if each is not None]


@dataclass(frozen=True)
class Sources:
    """Where the sets are, as a user names them.

    Args:
        real: folder of real micrographs.
        generated: folder of generated ones.
        clean: simulated set that these were made from; None for their own folder.
        against: another method's translations of the same clean set; None for none.
        real_split: None for test, where the folder has splits.
        generated_split: None for all.
        reference: real set that filter, contrast and floor come from; None for the real one.
        reference_split: None for train, where the folder has splits.
        limit: micrographs a side at most.
        pixel_size_A: pixel size where the files have none.
    """

    real: Path
    generated: Path
    clean: Path | None = None
    against: Path | None = None
    real_split: Split | None = None
    generated_split: Split | None = None
    reference: Path | None = None
    reference_split: Split | None = None
    limit: int | None = None
    pixel_size_A: float | None = None

    def diameter_A(self) -> tuple[float | None, str]:
        """The particle diameter of the real set's optics; without one, why there is none."""
        try:
            return open_folder(self.real, self.pixel_size_A).optics().particle_diameter_A, ""
        except CryoccdError as error:
            return None, f"no particle diameter: {error}; or give --particle-diameter-A"

    def open(self, diameter_A: float | None, allow_same: bool) -> tuple[Sets, dict[str, Any]]:
        """The sets, both sides cut to the smaller number, and what a record says of them.

        Raises:
            CryoccdError: a folder is no set of micrographs, two have micrographs in common, or
                their pixel sizes differ.
        """
        split = open_folder(self.real, self.pixel_size_A).has_split
        real_split = self.real_split or ("test" if split else "all")
        real = self._read(self.real, real_split, diameter_A)
        made = self._read(self.generated, self.generated_split, diameter_A, self.clean)
        other = None
        if self.against:
            other = self._read(self.against, self.generated_split, diameter_A, self.clean)
        if not allow_same:
            refuse_shared(real, made)
        count = min(len(each) for each in (real, made, other) if each is not None)
        real, made = real.first(count), made.first(count)
        if other is not None:
            other = other.first(count)
            if other.names != made.names:
                raise CryoccdError(
                    f"{self.against}: {other.names[0]}, ... are no translations of the clean "
                    f"micrographs of {self.generated}; expected the same names"
                )
        training, part = self._training(diameter_A)
        sets = Sets(real, made, training, other)
        check_pixel_sizes({str(each.folder.root): each.folder.pixel_size_A for each in sets.all()})
        return sets, {
            "real": str(self.real),
            "generated": str(self.generated),
            "against": str(self.against) if self.against else None,
            "micrographs": count,
            "real_split": real_split,
            "generated_split": self.generated_split or "all",
            "reference": str(training.folder.root) if training else None,
            "reference_split": part,
        }

    def _training(self, diameter_A: float | None) -> tuple[FieldFolder | None, Split | None]:
        """What is learnt from: without splits nothing is left, unless another folder is named."""
        source = open_folder(self.reference or self.real, self.pixel_size_A)
        default: Split | None = "train" if source.has_split else "all" if self.reference else None
        part = self.reference_split or default
        if part is None:
            return None, None
        split = None if part == "all" else part
        return read_fields(source.root, split, None, self.pixel_size_A, diameter_A), part

    def _read(
        self, folder: Path, split: str | None, diameter_A: float | None, truth: Path | None = None
    ) -> FieldFolder:
        part = None if split in (None, "all") else split
        return read_fields(folder, part, self.limit, self.pixel_size_A, diameter_A, truth)


def refuse_shared(one: FieldFolder, two: FieldFolder) -> None:
    """Refuse two sets that have micrographs in common.

    Raises:
        CryoccdError: they do.
    """
    shared = len(_digests(one) & _digests(two))
    if shared:
        raise CryoccdError(
            f"{two.folder.root}: {shared} of its micrographs are those of {one.folder.root}; "
            "choose different sets or splits, or add --allow-same"
        )


def _digests(fields: Iterable[Field]) -> set[bytes]:
    return {hashlib.sha256(field.image.numpy().tobytes()).digest() for field in fields}
