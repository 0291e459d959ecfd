"""cryoDRGN: one stack, poses.pkl and ctf.pkl in its own layout.

Poses are rotation matrices (n, 3, 3) whose rows are the axes of the image in the frame of the map,
our matrices as they are, and RELION's origins (n, 2) as parts of the box. Each row of the CTF is
box, pixel size, defocus U, V, angle, voltage, aberration, amplitude contrast, phase shift.
"""

import pickle
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import mrcfile
import numpy as np
import torch
from numpy.typing import NDArray

from cryoccd.errors import CryoccdError
from cryoccd.geometry import euler_to_matrix
from cryoccd.io.atomic import atomic_path, write_text
from cryoccd.io.dataset import Dataset
from cryoccd.io.export.boxes import box_cutter
from cryoccd.io.export.labelled import Labelled, labelled_micrographs, survey
from cryoccd.io.export.options import ExportOptions
from cryoccd.io.export.relion import mark

COMMANDS = """\
#!/bin/sh
# {mark}
# Run it in this folder. {count} particles of {box_px} px, bright on dark; without
# --uninvert-data the map is positive.
set -eu
cryodrgn backproject_voxel particles.mrcs --poses poses.pkl --ctf ctf.pkl \\
    --outdir backprojected
cryodrgn train_vae particles.mrcs --poses poses.pkl --ctf ctf.pkl \\
    --zdim 8 --num-epochs 25 --outdir vae
"""


class CryodrgnExport:
    """Writes particles.mrcs, poses.pkl, ctf.pkl and cryodrgn.sh; arguments as RelionExport.

    Raises:
        CryoccdError: no stack is wanted, or angles or defocus are unknown.
    """

    def __init__(
        self, root: Path, dataset: Dataset, options: ExportOptions, stack: ExitStack
    ) -> None:
        found = survey(dataset, options.species)
        if not (found.oriented and found.focused):
            lacking = "defocus" if found.oriented else "angles"
            raise CryoccdError(
                f"{dataset.root}: no {lacking} of its particles; cryoDRGN needs them"
            )
        if not options.stacks:
            raise CryoccdError("export: stacks = false, but cryoDRGN reads nothing but stacks")
        self._root, self._mark = root, mark(dataset)
        self._cutter = box_cutter(dataset, options)
        items = labelled_micrographs(dataset, options.species)
        self._count = sum(len(self._cutter.whole(item)) for item in items)
        if self._count == 0:
            raise CryoccdError(
                f"{dataset.root}: no particle with a whole box of {self._cutter.box_px} px; "
                "give a smaller --box_px"
            )
        self._done = 0
        self._matrices: list[NDArray[np.float32]] = []
        self._shifts: list[NDArray[np.float32]] = []
        self._ctf: list[NDArray[np.float32]] = []
        temporary = stack.enter_context(atomic_path(root / "particles.mrcs"))
        shape = (self._count, self._cutter.box_px, self._cutter.box_px)
        mode = 12 if options.float16 else 2
        self._file = stack.enter_context(
            mrcfile.new_mmap(temporary, shape, mrc_mode=mode, overwrite=True)
        )
        self._file.set_image_stack()
        self._file.voxel_size = dataset.pixel_size_A
        self._file.header.label[:] = b""
        self._file.header.nlabl = 1
        self._file.header.label[0] = self._mark[:80].encode("ascii", "replace")

    def write(self, item: Labelled) -> int:
        """One micrograph; how many of its particles lie too close to the edge for a box."""
        cutter, rows = self._cutter, item.particles
        kept = cutter.whole(item)
        if len(kept):
            self._file.data[self._done : self._done + len(kept)] = cutter.cut(item, kept)
            self._done += len(kept)
            angles = torch.tensor(rows[["rot_deg", "tilt_deg", "psi_deg"]].to_numpy()[kept])
            self._matrices.append(euler_to_matrix(angles).float().numpy())
            origin_px = (cutter.centres_px(item) - item.centres_px)[kept]
            self._shifts.append((origin_px / cutter.box_px).astype(np.float32))
            self._ctf.append(self._ctf_rows(item, kept))
        return len(rows) - len(kept)

    def _ctf_rows(self, item: Labelled, kept: NDArray[np.intp]) -> NDArray[np.float32]:
        columns = ["defocus_u_A", "defocus_v_A", "astigmatism_deg"]
        focus = item.particles[columns].to_numpy(np.float64)[kept]
        shared = ["voltage_kV", "cs_mm", "amplitude_contrast", "phase_shift_deg"]
        before = [float(self._cutter.box_px), item.pixel_size_A]
        after = [float(item.settings[name]) for name in shared]
        whole = [np.tile(before, (len(kept), 1)), focus, np.tile(after, (len(kept), 1))]
        ctf = np.hstack(whole).astype(np.float32)
        known = np.isfinite(ctf[:, len(before) :]).all(axis=0)
        if not known.all():
            raise CryoccdError(
                f"{item.name}: {[*columns, *shared][known.argmin()]} is unknown, but cryoDRGN "
                "needs it; import the micrographs with an optics.yaml"
            )
        return ctf

    def finish(self) -> None:
        """Write poses, CTF and commands."""
        matrices, shifts = np.concatenate(self._matrices), np.concatenate(self._shifts)
        self._pickle("poses.pkl", (matrices, shifts))
        self._pickle("ctf.pkl", np.concatenate(self._ctf))
        text = COMMANDS.format(mark=self._mark, count=self._count, box_px=self._cutter.box_px)
        write_text(self._root / "cryodrgn.sh", text)

    def _pickle(self, name: str, values: Any) -> None:
        with atomic_path(self._root / name) as temporary:
            temporary.write_bytes(pickle.dumps(values))
