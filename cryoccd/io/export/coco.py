"""COCO: an instance mask of every particle and artefact, run-length encoded, on 8-bit images."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import find_objects

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import atomic_path
from cryoccd.io.dataset import Dataset
from cryoccd.io.export.labelled import Labelled, survey
from cryoccd.io.export.options import ExportOptions
from cryoccd.io.export.relion import mark

_SHADES = 4.0  # images run from black at median - 4 to white at median + 4 times MAD * 1.4826


class CocoExport:
    """Writes annotations.json and images/; arguments as RelionExport.

    Categories are the species, then the kinds of artefacts. Pixels count as they are stored.

    Raises:
        CryoccdError: pycocotools is absent, or the set has no instance labels.
    """

    def __init__(
        self, root: Path, dataset: Dataset, options: ExportOptions, stack: ExitStack
    ) -> None:
        if not (dataset.root / "instances").is_dir():
            raise CryoccdError(f"{dataset.root}: has no instances/, so no masks to export")
        self._encode = _encoder()
        found = survey(dataset, options.species)
        kinds = {kind for _, rows in dataset.walk("artefacts") for kind in rows["kind"]}
        # by both words: a species may have the name of a kind of artefact
        names = [("particle", name) for name in options.species or found.species]
        names += [("artefact", kind) for kind in sorted(kinds)]
        self._category = {name: number for number, name in enumerate(names, 1)}
        self._root, self._dataset = root, dataset
        self._artefacts = dataset.walk("artefacts")
        self._images: list[dict[str, Any]] = []
        self._count = 0
        temporary = stack.enter_context(atomic_path(root / "annotations.json"))
        self._file = stack.enter_context(temporary.open("w", encoding="utf8"))
        categories = [
            {"id": number, "name": name, "supercategory": above}
            for (above, name), number in self._category.items()
        ]
        info = json.dumps({"description": mark(dataset), "version": "1.0"})
        self._file.write(f'{{"info": {info},\n"categories": {json.dumps(categories)},\n')
        self._file.write('"annotations": [')

    def write(self, item: Labelled) -> int:
        """One micrograph: its image in 8 bits, and a mask of all that shows a pixel."""
        name, artefacts = next(self._artefacts)
        assert name == item.name
        number = len(self._images) + 1
        height, width = item.shape_px
        file = f"images/{item.name}.png"
        self._images.append({"id": number, "file_name": file, "height": height, "width": width})
        _write_png(self._root / file, item.image())
        labels = self._dataset.image(item.name, "instances").astype(np.int32)
        # also those whose centre lies beyond the edge: their masks are on the field
        tables = (("particle", item.labels, "species"), ("artefact", artefacts, "kind"))
        categories = {
            index: self._category[above, name]
            for above, table, column in tables
            for index, name in zip(table["instance_id"], table[column], strict=True)
        }
        for index, place in enumerate(find_objects(labels), 1):
            if place is not None and index in categories:
                mask = labels[place] == index
                self._annotate(number, index, categories[index], mask, place, item.shape_px)
        return 0

    def _annotate(
        self,
        image: int,
        instance: int,
        category: int,
        mask: NDArray[np.bool_],
        place: tuple[slice, slice],
        shape_px: tuple[int, int],
    ) -> None:
        top, left = place[0].start, place[1].start
        self._count += 1
        annotation = {
            "id": self._count,
            "image_id": image,
            "category_id": category,
            "segmentation": self._encode(run_lengths(mask, top, left, shape_px), shape_px),
            "area": int(mask.sum()),
            "bbox": [left, top, mask.shape[1], mask.shape[0]],
            "iscrowd": 0,
            "instance_id": instance,
        }
        self._file.write("\n" if self._count == 1 else ",\n")
        self._file.write(json.dumps(annotation))

    def finish(self) -> None:
        """Write the list of images, which ends the file."""
        images = ",\n".join(json.dumps(image) for image in self._images)
        self._file.write(f'],\n"images": [{images}]}}\n')


def run_lengths(
    mask: NDArray[np.bool_], top: int, left: int, shape_px: tuple[int, int]
) -> list[int]:
    """Uncompressed COCO run lengths of a mask (h, w) that lies at row top, column left of a field.

    Pixels are counted down the columns; runs of 0 and 1 alternate and begin with 0.
    """
    columns, rows = np.nonzero(mask.T)
    pixels = (columns + left) * shape_px[0] + rows + top
    breaks = np.flatnonzero(np.diff(pixels) > 1)
    starts = pixels[np.concatenate([[0], breaks + 1])]
    ends = pixels[np.concatenate([breaks, [len(pixels) - 1]])] + 1
    edges = np.stack([starts, ends], axis=1).ravel()
    runs = np.diff(np.concatenate([[0], edges, [shape_px[0] * shape_px[1]]]))
    return [int(run) for run in runs]


def _encoder() -> Callable[[list[int], tuple[int, int]], dict[str, Any]]:
    try:
        from pycocotools import mask as masks
    except ImportError as error:
        raise CryoccdError(
            "export: coco needs pycocotools; pip install 'cryoccd[export]'"
        ) from error

    def encode(counts: list[int], shape_px: tuple[int, int]) -> dict[str, Any]:
        height, width = shape_px
        encoded = masks.frPyObjects({"counts": counts, "size": [height, width]}, height, width)
        return {"size": [height, width], "counts": encoded["counts"].decode("ascii")}

    return encode


def _write_png(path: Path, image: NDArray[np.float32]) -> None:
    if path.exists():
        return
    median = float(np.median(image))
    spread = 1.4826 * float(np.median(np.abs(image - median))) or 1.0
    shades = 127.5 + 127.5 / _SHADES * (image - median) / spread
    with atomic_path(path) as temporary:
        Image.fromarray(np.clip(np.rint(shades), 0, 255).astype(np.uint8)).save(temporary, "PNG")
