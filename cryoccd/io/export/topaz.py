"""Topaz: one table of coordinates in the grid of the down-sampled micrographs, and the commands.

Fourier cropping, as `topaz preprocess` does it, keeps the centre of pixel [0, 0] and the whole
field: a side of n px becomes n // factor px and coordinates shrink by that ratio, which is not the
factor where there is a remainder. Names are those of the images without folder and suffix.
"""

from contextlib import ExitStack
from pathlib import Path

import numpy as np

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import atomic_path, link_or_copy, write_text
from cryoccd.io.dataset import Dataset
from cryoccd.io.export.diameter import particle_diameter_A
from cryoccd.io.export.labelled import Labelled, survey
from cryoccd.io.export.options import ExportOptions
from cryoccd.io.export.relion import mark

_DIAMETER_PX = 24
"""Down-sampled particles come near to this: well inside the 71 px that Topaz's resnet8 sees."""

_ALL = "Every particle has its label, so that all else is background: method PN."
_SOME = "Picks may miss particles: give as --num-particles how many a micrograph should have."

COMMANDS = """\
#!/bin/sh
# {mark}
# Run it in this folder. {count} particles on {micrographs} micrographs, of {diameter_A:.0f} A.
# {advice}
set -eu
topaz preprocess --scale {scale} --destdir downsampled/ micrographs/*.mrc
mkdir -p model
topaz train {method}--num-particles {expected:g} --radius {radius} \\
    --train-images downsampled/ --train-targets particles.txt \\
    --save-prefix model/picker --output model/training.txt
topaz extract --model model/picker_epoch10.sav --radius {reach} \\
    --output predicted.txt downsampled/*.mrc
topaz precision_recall_curve --predicted predicted.txt --targets particles.txt \\
    --assignment-radius {reach}
"""


class TopazExport:
    """Writes `particles.txt`, the micrographs and `topaz.sh`; arguments as RelionExport."""

    def __init__(
        self, root: Path, dataset: Dataset, options: ExportOptions, stack: ExitStack
    ) -> None:
        survey(dataset, options.species)
        self._root, self._mark, self._complete = root, mark(dataset), dataset.synthetic
        self._diameter_A = particle_diameter_A(dataset, options)
        diameter_px = self._diameter_A / dataset.pixel_size_A
        self._scale = options.downsample or max(1, round(diameter_px / _DIAMETER_PX))
        self._diameter_px = diameter_px / self._scale
        self._counts: list[int] = []
        temporary = stack.enter_context(atomic_path(root / "particles.txt"))
        self._table = stack.enter_context(temporary.open("w", encoding="utf8"))
        self._table.write("image_name\tx_coord\ty_coord\n")

    def write(self, item: Labelled) -> int:
        """One micrograph, all of its particles."""
        link_or_copy(item.path, self._root / "micrographs" / item.path.name)
        size = np.array(item.shape_px[::-1])
        small = np.maximum(size // self._scale, 1)
        points = np.floor(item.centres_px * small / size + 0.5).astype(int)
        # on the half pixel beyond the last centre, the last is the nearest that there is
        for x, y in np.minimum(points, small - 1):
            self._table.write(f"{item.name}\t{x}\t{y}\n")
        self._counts.append(len(points))
        return 0

    def finish(self) -> None:
        """Write the commands.

        Raises:
            CryoccdError: there was no particle.
        """
        if not sum(self._counts):
            raise CryoccdError(f"{self._root}: no particle to train on; export a set that has some")
        text = COMMANDS.format(
            mark=self._mark,
            count=sum(self._counts),
            micrographs=len(self._counts),
            diameter_A=self._diameter_A,
            scale=self._scale,
            advice=_ALL if self._complete else _SOME,
            method="--method PN " if self._complete else "",
            expected=float(np.mean(self._counts)),
            radius=max(2, round(self._diameter_px / 8)),
            reach=max(2, round(self._diameter_px / 2)),
        )
        write_text(self._root / "topaz.sh", text)
