"""The export of a set of micrographs; each format is a file of its own."""

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Protocol

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.export.coco import CocoExport
from cryoccd.io.export.cryodrgn import CryodrgnExport
from cryoccd.io.export.cryolo import CryoloExport
from cryoccd.io.export.cryosparc import CryosparcExport
from cryoccd.io.export.eman import EmanExport
from cryoccd.io.export.labelled import Labelled, labelled_micrographs
from cryoccd.io.export.options import ExportOptions
from cryoccd.io.export.place import export_folder
from cryoccd.io.export.relion import RelionExport
from cryoccd.io.export.topaz import TopazExport
from cryoccd.io.progress import progress_bar


class Exporter(Protocol):
    """One format under way."""

    def write(self, item: Labelled) -> int:
        """Write one micrograph; how many of its particles had to be left out of something."""

    def finish(self) -> None:
        """Write what is known only at the end."""


FORMATS: dict[str, Callable[[Path, Dataset, ExportOptions, ExitStack], Exporter]] = {
    "relion": RelionExport,
    "topaz": TopazExport,
    "eman": EmanExport,
    "cryolo": CryoloExport,
    "cryosparc": CryosparcExport,
    "cryodrgn": CryodrgnExport,
    "coco": CocoExport,
}


def export_micrographs(
    dataset: Dataset,
    format: str,
    output: Path,
    options: ExportOptions,
    resume: bool = False,
) -> str:
    """Write a set of micrographs in the words of another program.

    Args:
        dataset: the set; clean, translated or imported.
        format: a key of FORMATS.
        output: folder to write; absent or empty unless `resume`.
        options: choices.
        resume: keep the stacks and images of an interrupted export of the same set and choices.

    Returns:
        One line that says what was written and what was left out.

    Raises:
        CryoccdError: an unknown format, a folder that is not empty, or a set that lacks what the
            format needs.
    """
    with export_folder(output, dataset.root, format, options, resume) as finished:
        if finished:
            return f"{output} is finished already"
        counts = [0, 0, 0]
        with ExitStack() as stack, progress_bar() as progress:
            exporter = FORMATS[format](output, dataset, options, stack)
            bar = progress.add_task(f"export {format}", total=len(dataset.names))
            for item in labelled_micrographs(dataset, options.species):
                _check_box(item, options)
                cut = exporter.write(item)
                beyond = len(item.labels) - len(item.particles)
                if format == "coco":  # whose masks need no centre
                    beyond = 0
                found = (len(item.labels) - beyond, cut, beyond)
                counts = [sum(pair) for pair in zip(counts, found, strict=True)]
                progress.advance(bar)
            exporter.finish()
    particles, cut, beyond = counts
    left = f", {cut} of them too close to the edge for a box" if cut else ""
    left += f"; {beyond} centres beyond the edge left out" if beyond else ""
    return f"{output}: {len(dataset.names)} micrographs, {particles} particles{left}"


def _check_box(item: Labelled, options: ExportOptions) -> None:
    """Refuse a box that no micrograph of this size can hold."""
    if options.box_px is not None and options.box_px > min(item.shape_px):
        height, width = item.shape_px
        raise CryoccdError(
            f"export: box_px = {options.box_px}, but {item.name} has {width} x {height} px; give a "
            "smaller --box_px"
        )
