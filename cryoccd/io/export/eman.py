"""EMAN: box files of the lower left corner, and the info files of EMAN2 with centres.

Rows count as they are stored; EMAN draws row 0 at the bottom, so that the corner is the lower left.
"""

import json
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from cryoccd.io.atomic import link_or_copy, write_text
from cryoccd.io.dataset import Dataset
from cryoccd.io.export.boxes import default_box_px
from cryoccd.io.export.labelled import Labelled, survey
from cryoccd.io.export.options import ExportOptions
from cryoccd.io.export.relion import mark

README = """\
# {mark}

    micrographs/NAME.mrc        the micrographs
    boxes/NAME.box              x y width height of each box: x, y are its lower left corner
    info/NAME_info.json         the same centres as EMAN2 keeps them; box size {box_px} px

Start EMAN2's e2projectmanager.py or e2boxer.py here; crYOLO and RELION read the box files.
"""


class EmanExport:
    """Writes boxes/, info/ and the micrographs; arguments as RelionExport."""

    def __init__(
        self, root: Path, dataset: Dataset, options: ExportOptions, stack: ExitStack
    ) -> None:
        survey(dataset, options.species)
        self._root = root
        self._box_px = default_box_px(dataset, options)
        write_text(root / "README.md", README.format(mark=mark(dataset), box_px=self._box_px))

    def write(self, item: Labelled) -> int:
        """One micrograph; one without particles has an empty box file."""
        link_or_copy(item.path, self._root / "micrographs" / item.path.name)
        centres = np.floor(item.centres_px + 0.5).astype(int)
        side = self._box_px
        lines = [f"{x - side // 2}\t{y - side // 2}\t{side}\t{side}\n" for x, y in centres]
        write_text(self._root / "boxes" / f"{item.name}.box", "".join(lines))
        boxes = [[float(x), float(y), "manual"] for x, y in item.centres_px.round(2)]
        info = json.dumps({"boxes": boxes}, indent=1)
        write_text(self._root / "info" / f"{item.name}_info.json", info)
        return 0

    def finish(self) -> None:
        """Nothing is left to write."""
