"""A finished dataset folder of generated boxes, read."""

from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.io.checked import read_parquet
from cryoccd.io.dataset.box_item import BOX_COLUMNS
from cryoccd.io.dataset.finished import read_manifest
from cryoccd.io.mrc import read_mrc

_ROUNDING = 1e-3


class BoxFolder:
    """Generated boxes with the class of the particle in the middle of each.

    Args:
        root: the folder; `table` has a row a box, in the order of `names`, with BOX_COLUMNS.

    Raises:
        CryoccdError: an unfinished or damaged folder (see `read_manifest`), another kind of set,
            or a table that is unreadable, has no rows or names what is not there.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.manifest = read_manifest(root)
        made_by = self.manifest.get("made_by") or {}
        path = root / "boxes.parquet"
        if not path.is_file():
            raise CryoccdError(
                f"{root}: holds no boxes of tomograms, expected what `cryoccd sample` writes"
            )
        self.table = read_parquet(path, BOX_COLUMNS)
        try:
            self.classes = tuple(map(str, made_by["classes"]))
            self.voxel_size_A, self.box_voxels = (
                float(made_by["voxel_size_A"]),
                int(made_by["box_voxels"]),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise CryoccdError(
                f"{root / 'manifest.json'}: made_by tells no classes, voxel_size_A and box_voxels; "
                "sample again"
            ) from error
        strange = sorted({*self.table["class"]} - {*self.classes})
        if strange or len(self.table) == 0:
            raise CryoccdError(
                f"{path}: {f'boxes of {strange[0]}' if strange else 'no boxes'}, expected boxes of "
                f"{', '.join(self.classes)}; sample again"
            )
        for name in self.names:
            plain = PurePosixPath(name).name == name
            if not plain or f"boxes/{name}.mrc" not in self.manifest["files"]:
                raise CryoccdError(f"{path}: box {name!r} is no file that manifest.json lists")

    def __len__(self) -> int:
        return len(self.table)

    @property
    def names(self) -> list[str]:
        """Names of the boxes in table order."""
        return [str(name) for name in self.table["box"]]

    @property
    def labels(self) -> NDArray[np.int64]:
        """(n,) place of each one's class in `classes`."""
        return np.array([self.classes.index(name) for name in self.table["class"]], np.int64)

    @property
    def volumes(self) -> NDArray[np.float32]:
        """(n, b, b, b) all boxes, axes z, y, x, as the model gave them."""
        return np.stack([self.volume(name) for name in self.names])

    @property
    def densities(self) -> NDArray[np.float32] | None:
        """(n, b, b, b) the density that the model was told of each; None where it was told none."""
        if any(f"densities/{name}.mrc" not in self.manifest["files"] for name in self.names):
            return None
        return np.stack([self.volume(name, "densities") for name in self.names])

    def volume(self, name: str, kind: str = "boxes") -> NDArray[np.float32]:
        """(b, b, b) one box, or its density.

        Raises:
            CryoccdError: a file that is unreadable, or of another side or voxel size.
        """
        path = self.root / kind / f"{name}.mrc"
        values, voxel_size_A = read_mrc(path, ndim=3)
        side = self.box_voxels
        same = abs(voxel_size_A - self.voxel_size_A) <= _ROUNDING * self.voxel_size_A
        if values.shape != (side,) * 3 or not same:
            raise CryoccdError(
                f"{path}: {values.shape} voxels of {voxel_size_A:g} A, expected {(side,) * 3} of "
                f"{self.voxel_size_A:g} A; sample again"
            )
        return values
