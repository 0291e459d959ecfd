"""EMAN: box files of the lower left corner, and the info files of EMAN2 with centres.

Rows count as they are stored; EMAN draws row 0 at the bottom, so that the corner is the lower left.
EMAN2 holds what follows a double underscore in a name for the mark of a version of one micrograph.
"""

import json
import re
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from cryoccd.errors import CryoccdError
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

crYOLO and RELION read the box files. EMAN2 is started here:

    e2boxer.py --allmicrographs --gui --invert --no_ctf --apix {pixel_size_A:g} --boxsize {box_px}
"""


class EmanExport:
    """Writes boxes/, info/ and the micrographs; arguments as RelionExport.

    Raises:
        CryoccdError: no box is known, or EMAN2 would take two micrographs for one.
    """

    def __init__(
        self, root: Path, dataset: Dataset, options: ExportOptions, stack: ExitStack
    ) -> None:
        survey(dataset, options.species)
        self._root = root
        self._box_px = default_box_px(dataset, options)
        known: dict[str, str] = {}
        for name in dataset.names:
            other = known.setdefault(info_stem(name), name)
            if other != name:
                raise CryoccdError(
                    f"{dataset.root}: {other} and {name} are one micrograph to EMAN2, which cuts "
                    "names at a double underscore; rename them"
                )
        text = README.format(
            mark=mark(dataset), box_px=self._box_px, pixel_size_A=dataset.pixel_size_A
        )
        write_text(root / "README.md", text)

    def write(self, item: Labelled) -> int:
        """One micrograph; one without particles has an empty box file."""
        link_or_copy(item.path, self._root / "micrographs" / item.path.name)
        centres = np.floor(item.centres_px + 0.5).astype(int)
        side = self._box_px
        lines = [f"{x - side // 2}\t{y - side // 2}\t{side}\t{side}\n" for x, y in centres]
        write_text(self._root / "boxes" / f"{item.name}.box", "".join(lines))
        boxes = [[float(x), float(y), "manual"] for x, y in item.centres_px.round(2)]
        info = json.dumps({"boxes": boxes}, indent=1)
        write_text(self._root / "info" / f"{info_stem(item.name)}_info.json", info)
        return 0

    def finish(self) -> None:
        """Nothing is left to write."""


def info_stem(name: str) -> str:
    """What EMAN2 calls a micrograph: its name without the marks that it knows."""
    return re.sub("__.*|_ptcls|_info", "", name)
