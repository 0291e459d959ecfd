"""What a user gets of finished cells: the table in five formats, galleries, one offline page."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from cryoccd.imaging.normalise import robust_normalise
from cryoccd.io.dataset import Dataset
from cryoccd.io.folder import open_folder
from cryoccd.launch.fid import FidTable
from cryoccd.launch.matrix import DatasetSpec
from cryoccd.report.gallery import write_gallery
from cryoccd.report.page import write_page
from cryoccd.report.reference import Published
from cryoccd.report.table import reduce_cells
from cryoccd.report.terminal import render
from cryoccd.report.writers import write_table

_CROPS = 3


def finish(run: FidTable, allow_missing: bool, published: Sequence[Published] = ()) -> None:
    """Reduce the cells, print the table, write table files, galleries and the page.

    Args:
        run: the table.
        allow_missing: whether cells may be missing.
        published: tables that are shown beside.
    """
    matrix = run.matrix
    table = reduce_cells(
        run.results,
        matrix.profile,
        matrix.table,
        matrix.methods,
        [spec.name for spec in matrix.datasets],
        matrix.metrics,
        run.seeds,
        allow_missing,
        published,
    )
    render(table, run.console)
    written = list(write_table(table, run.results))
    folder = run.results / matrix.profile / matrix.table
    galleries = {}
    for spec in matrix.datasets:
        path = folder / f"gallery_{spec.name}.png"
        if _write_gallery(run, spec, path):
            galleries[spec.name] = path
    page = folder / "table.page.html"
    write_page(page, [table], galleries)
    for path in [*written, *galleries.values(), page]:
        run.console.print(f"written {path}", style="dim")


def _write_gallery(run: FidTable, spec: DatasetSpec, path: Path) -> bool:
    """Clean, each method and real, at the same crops; False where no set was generated."""
    places, seed, side = run.fits.runs.data(spec.name), run.seeds[0], 2 * run.matrix.crop_px
    shown = [m for m in run.matrix.methods if m in (run.matrix.gallery or run.matrix.methods)]
    generated = {method: run.generated(method, spec, seed) for method in shown}
    generated = {m: f for m, f in generated.items() if (f / "manifest.json").is_file()}
    if not generated:
        return False
    simulated = Dataset(places.simulated_test)
    names = simulated.names[:_CROPS]
    clean = [torch.from_numpy(simulated.image(name, "clean")) for name in names]
    side = min(side, *clean[0].shape)
    corners = [_corner(simulated, name, side) for name in names]
    columns: dict[str, Sequence[Tensor]] = {
        "clean": [_cut(image, corner, side) for image, corner in zip(clean, corners, strict=True)]
    }
    for method, folder in generated.items():
        dataset = Dataset(folder)
        images = [robust_normalise(torch.from_numpy(dataset.image(name))) for name in names]
        columns[method] = [_cut(i, corner, side) for i, corner in zip(images, corners, strict=True)]
    real = open_folder(places.real)
    images = [
        robust_normalise(torch.from_numpy(real.image(name))) for name in real.names("test")[:_CROPS]
    ]
    columns["real"] = [_cut(image, (0, 0), side) for image in images]
    title = f"{spec.name} · real side: {spec.recipe.domain}"
    write_gallery(path, columns, simulated.pixel_size_A, title)
    return True


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
