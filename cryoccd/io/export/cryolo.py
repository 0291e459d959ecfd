"""crYOLO: CBOX files (STAR syntax, since 1.8) in train_annot/ beside the images in train_image/."""

from contextlib import ExitStack
from pathlib import Path

from cryoccd.io.atomic import link_or_copy, write_text
from cryoccd.io.dataset import Dataset
from cryoccd.io.export.diameter import particle_diameter_A
from cryoccd.io.export.labelled import Labelled, survey
from cryoccd.io.export.options import ExportOptions
from cryoccd.io.export.relion import mark

_COLUMNS = (
    "CoordinateX",
    "CoordinateY",
    "CoordinateZ",
    "Width",
    "Height",
    "Depth",
    "EstWidth",
    "EstHeight",
    "Confidence",
    "NumBoxes",
    "Angle",
)

COMMANDS = """\
#!/bin/sh
# {mark}
# Run it in this folder, where crYOLO is installed.
set -eu
cryolo_gui.py config config.json {box_px} --train_image_folder train_image \\
    --train_annot_folder train_annot
cryolo_train.py --conf config.json --warmup 5
"""


class CryoloExport:
    """Writes train_annot/, train_image/ and `cryolo.sh`; arguments as RelionExport.

    crYOLO's box is as tight as the particle: its side is the particle's diameter, or --box_px.
    """

    def __init__(
        self, root: Path, dataset: Dataset, options: ExportOptions, stack: ExitStack
    ) -> None:
        survey(dataset, options.species)
        self._root, self._mark = root, mark(dataset)
        tight_px = options.box_px
        if tight_px is None:
            tight_px = round(particle_diameter_A(dataset, options) / dataset.pixel_size_A)
        self._box_px = tight_px
        write_text(root / "cryolo.sh", COMMANDS.format(mark=self._mark, box_px=tight_px))

    def write(self, item: Labelled) -> int:
        """One micrograph; one without particles has a file without rows."""
        link_or_copy(item.path, self._root / "train_image" / item.path.name)
        side = self._box_px
        head = "".join(f"_{column} #{number}\n" for number, column in enumerate(_COLUMNS, 1))
        rows = "".join(
            f"{x - side / 2:.2f} {y - side / 2:.2f} <NA> {side} {side} <NA> {side} {side} "
            "1.0 <NA> <NA>\n"
            for x, y in item.centres_px
        )
        text = (
            f"# {self._mark}\n\ndata_global\n\n_cbox_format_version 1.0\n\n"
            f"data_cryolo\n\nloop_\n{head}{rows}\n"
            "data_cryolo_include\n\nloop_\n_slice_index #1\n\n"
        )
        write_text(self._root / "train_annot" / f"{item.name}.cbox", text)
        return 0

    def finish(self) -> None:
        """Nothing is left to write."""
