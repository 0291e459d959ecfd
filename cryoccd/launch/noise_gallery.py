"""The picture of a noise table: clean, each method and real, at the same crops."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cryoccd.imaging.normalise import robust_normalise
from cryoccd.io.dataset import Dataset
from cryoccd.io.folder import open_folder
from cryoccd.launch.places import Places
from cryoccd.report.gallery import CLEAN, REAL, write_gallery

CROPS = 3
"""Of each column, at most."""


def draw_noise_gallery(
    path: Path, places: Places, generated: Mapping[str, Path], side: int, title: str
) -> None:
    """Draw crops of the clean test set, of each method's folder, and of the real test split.

    Args:
        path: the PNG.
        places: folders of the data set.
        generated: folder of each method, finished.
        side: of a crop in pixels.
        title: of the picture.
    """
    columns, pixel_size_A = crops(places.simulated_test, places.real, generated, side)
    write_gallery(path, columns, pixel_size_A, title)


def crops(
    simulated: Path, real: Path, generated: Mapping[str, Path], side: int
) -> tuple[dict[str, Sequence[Tensor]], float]:
    """The first crops of each set, about the particle nearest to the centre of a micrograph.

    Args:
        simulated: the clean set.
        real: folder of real micrographs; its test split is taken, from the corner.
        generated: folder of each method, finished.
        side: of a crop in pixels, cut to that of the clean micrographs.

    Returns:
        Columns clean, each method, real, noisy ones at median 0 and scaled MAD 1; and the pixel
        size in angstrom.
    """
    source, others = Dataset(simulated), open_folder(real)
    held_out = others.names("test")
    count = min(CROPS, len(held_out), len(source.names))  # columns are equally long
    names, chosen = source.names[:count], held_out[:count]
    clean = [torch.from_numpy(source.image(name, "clean")) for name in names]
    side = min(side, *clean[0].shape)
    corners = [_corner(source, name, side) for name in names]
    columns: dict[str, Sequence[Tensor]] = {
        CLEAN: [_cut(image, corner, side) for image, corner in zip(clean, corners, strict=True)]
    }
    for method, folder in generated.items():
        dataset = Dataset(folder)
        images = [robust_normalise(torch.from_numpy(dataset.image(name))) for name in names]
        columns[method] = [_cut(i, corner, side) for i, corner in zip(images, corners, strict=True)]
    images = [robust_normalise(torch.from_numpy(others.image(name))) for name in chosen]
    columns[REAL] = [_cut(image, (0, 0), side) for image in images]
    return columns, source.pixel_size_A


def _corner(dataset: Dataset, name: str, side: int) -> tuple[int, int]:
    """Top left corner of a crop about the particle nearest to the centre."""
    shape = np.array(dataset.image(name, "clean").shape)
    rows = dataset.particles_of(name)
    centre = shape / 2
    if len(rows):
        points = rows[["y_A", "x_A"]].to_numpy(float) / dataset.pixel_size_A
        centre = points[np.argmin(((points - centre) ** 2).sum(1))]
    top, left = np.clip(centre - side / 2, 0, shape - side).astype(int)
    return int(top), int(left)


def _cut(image: Tensor, corner: tuple[int, int], side: int) -> Tensor:
    top, left = corner
    return image[top : top + side, left : left + side]
