"""Slices of the boxes that a volume table's rows drew beside held-out ones, from what is on disk.

A box stands at mean 0 and deviation 1, as the figures see it. All slices share one grey scale.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from cryoccd.data.subtomograms.opened import Opened
from cryoccd.errors import CryoccdError
from cryoccd.io.checked import read_yaml
from cryoccd.io.dataset import BoxFolder
from cryoccd.launch.dashboard_sets import GeneratedSets
from cryoccd.launch.volume_data import configured
from cryoccd.metrics.volume import BoxSet, standardised
from cryoccd.metrics.volume.matched import check_alike
from cryoccd.report.cells import ResultCell
from cryoccd.report.gallery import REAL, noisy_scale
from cryoccd.report.volume_figure import PLANES, central_slices
from cryoccd.report.web.grey_png import grey_png
from cryoccd.report.web.viewer import Viewer

_BOXES = 2  # of each class and row
_GREYS = 64


def box_viewers(sets: GeneratedSets) -> tuple[tuple[Viewer, ...], tuple[str, ...]]:
    """A viewer of each class: the first boxes of every row and of those held out.

    Returns:
        The viewers; notes on rows whose boxes cannot be shown.

    Raises:
        CryoccdError: the tomograms cannot be read.
    """
    cell = sets.rows.table.cells[sets.nearest, sets.dataset][0]
    real, sides, notes = _held_out(sets, cell), {}, []
    for name, folder in sets.folders.items():
        try:
            sides[name] = _sampled(folder, real)
        except CryoccdError as error:
            notes.append(f"No slices of {name}: {error}")
    sides[REAL] = real
    limits = noisy_scale([plane for volume in real.volumes for plane in central_slices(volume)])
    left = sets.nearest if sets.nearest in sides else next(iter(sides))
    viewers = [_viewer(sides, label, limits, left) for label in real.occurring]
    side, matter = real.box_px, "dark" if cell.protocol.get("dark", True) else "bright"
    caption = (
        f"Slices of {side} voxels ({side * real.voxel_size_A / 10:.3g} nm) through the middle of "
        f"the first {_BOXES} boxes of each class, which have no clean side; of the real ones those "
        f"within their tomogram come first. All share one grey scale, {limits[0]:.3g} to "
        f"{limits[1]:.3g} in deviations of a box (0.5 to 99.5 % of real), in {_GREYS} greys; "
        f"matter is {matter}. Real boxes show other particles than the rest.{sets.rows.choice}"
    )
    viewers[-1] = replace(viewers[-1], caption=caption)
    return tuple(viewers), tuple(notes)


def _viewer(
    sides: Mapping[str, BoxSet], label: int, limits: tuple[float, float], left: str
) -> Viewer:
    """The boxes of one class, as many of each side."""
    places = {name: (side.labels == label).nonzero()[:, 0] for name, side in sides.items()}
    count = min(map(len, places.values()))
    columns = {
        name: tuple(
            grey_png(plane.numpy(), limits, _GREYS)
            for place in places[name][:count]
            for plane in central_slices(side.volumes[place])
        )
        for name, side in sides.items()
    }
    labels = tuple(f"{plane}, box {k + 1}" for k in range(count) for plane in PLANES)
    real = sides[REAL]
    return Viewer(columns, real.box_px, "", left, real.classes[label], labels, len(PLANES))


def _held_out(sets: GeneratedSets, cell: ResultCell) -> BoxSet:
    """The first held-out boxes of each class, cut as the table cuts them."""
    path = sets.runs.fit(*sets.rows.fit(cell)) / "data.yaml"
    data = read_yaml(path).get("data")
    if not isinstance(data, dict) or not isinstance(data.get("init_args"), dict):
        raise CryoccdError(f"{path}: no data with init_args; run the table again")
    settings = {**data["init_args"], "density": False}
    beside = sets.places.root / "tomograms"  # runs/ may have been moved since
    settings |= {"root": str(beside)} if beside.is_dir() else {}
    opened = Opened.by(configured({**data, "init_args": settings}, path).choices)
    if opened.split.name != cell.protocol.get("held_out", opened.split.name):
        raise CryoccdError(
            f"{path}: holds out {opened.split.name}, but the cells {cell.protocol['held_out']}; "
            "run the table again"
        )
    table, held, half = opened.table, opened.split.held, opened.cutter.side // 2
    centres, shapes = table.centres_px[held], table.shapes_px[table.tomogram[held]]
    cut_off = ((centres < half) | (centres > shapes - half)).any(1)
    held = held[np.argsort(cut_off, kind="stable")]  # those that reach beyond the tomogram last
    rows = held[_first(table.label[held])]
    volumes = torch.stack([opened.cutter.cut(int(row)).volume[0] for row in rows])
    labels = torch.from_numpy(table.label[rows])
    groups = np.array([table.tomograms[number] for number in table.tomogram[rows]])
    size_A = opened.source.voxel_size_A
    return BoxSet(standardised(volumes), labels, groups, size_A, table.classes)


def _sampled(root: Path, real: BoxSet) -> BoxSet:
    """The first boxes of each class that a row drew."""
    folder = BoxFolder(root)
    chosen = _first(folder.labels)
    volumes = torch.from_numpy(np.stack([folder.volume(folder.names[k]) for k in chosen]))
    labels, groups = torch.from_numpy(folder.labels[chosen]), np.array(chosen).astype(str)
    size_A, classes = folder.voxel_size_A, folder.classes
    found = BoxSet(standardised(volumes), labels, groups, size_A, classes)
    check_alike(real, found)
    if lost := set(real.occurring) - set(found.occurring):
        raise CryoccdError(f"{root}: no box of {classes[min(lost)]}; sample again")
    return found


def _first(labels: NDArray[np.int64]) -> Sequence[int]:
    """Places of the first boxes of each class."""
    return [int(k) for each in np.unique(labels) for k in np.flatnonzero(labels == each)[:_BOXES]]
