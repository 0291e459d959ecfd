"""RELION 3.1 and later: micrographs, coordinates, and particles with their stacks.

A particle that lies between pixels keeps its place: it is cut out around the nearest pixel and
rlnOriginXAngst, the shift that would centre it, tells the rest (position = rlnCoordinateX -
rlnOriginXAngst / pixel size). Euler angles, defocus, astigmatism and beam tilt are RELION's own.
"""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import cryoccd
from cryoccd.io.atomic import link_or_copy
from cryoccd.io.dataset import Dataset
from cryoccd.io.export.boxes import BoxCutter, box_cutter
from cryoccd.io.export.labelled import Labelled, survey
from cryoccd.io.export.optics_groups import OpticsGroups
from cryoccd.io.export.options import ExportOptions
from cryoccd.io.mrc import write_stack
from cryoccd.io.star_write import Cell, write_star

_ANGLES = {"rlnAngleRot": "rot_deg", "rlnAngleTilt": "tilt_deg", "rlnAnglePsi": "psi_deg"}
_DEFOCUS = {
    "rlnDefocusU": "defocus_u_A",
    "rlnDefocusV": "defocus_v_A",
    "rlnDefocusAngle": "astigmatism_deg",
}

README = """\
# {mark}

RELION 3.1 or later reads this folder; start it here, names are relative to this place.

    micrographs.star    the micrographs with their CTF
    coords.star         where the particles are; one file a micrograph in coordinates/
    particles.star      the particles with angles, CTF and, unless left out, images in particles/

RELION 4 and later import `micrographs.star`, `coords.star` and `particles.star` as they are. The
extraction of RELION 3.1 without the interface:

    relion_preprocess --i micrographs.star --coord_dir coordinates/ --coord_suffix .star \\
        --part_star extracted.star --part_dir extracted/ --extract --extract_size {box_px} \\
        --norm --bg_radius {bg_px} --invert_contrast

and the map that the labels give:

    relion_reconstruct --i particles.star --o map.mrc --ctf

Class numbers are species: {classes}.
"""


class RelionExport:
    """Writes a set for RELION.

    Args:
        root: folder to write to.
        dataset: the set.
        options: stacks, box_px, float16, normalise and species are heeded.
        stack: closes what is open, and gives it its names, when the export has gone well.

    Raises:
        CryoccdError: optics or the size of a box are unknown.
    """

    def __init__(
        self, root: Path, dataset: Dataset, options: ExportOptions, stack: ExitStack
    ) -> None:
        self._root, self._float16 = root, options.float16
        self._survey = survey(dataset, options.species)
        self._groups = OpticsGroups(dataset.micrographs)
        self._cutter = box_cutter(dataset, options) if options.stacks else None
        self._classes = {name: number for number, name in enumerate(self._survey.species, 1)}
        self._mark = mark(dataset)
        self._focused_micrographs = bool(dataset.micrographs["defocus_u_A"].notna().all())
        self._micrographs, self._coords, self._particles = (
            stack.enter_context(write_star(root / f"{name}.star", self._mark))
            for name in ("micrographs", "coords", "particles")
        )
        self._begin()

    def _begin(self) -> None:
        self._groups.write(self._micrographs)
        focus = [*_DEFOCUS, "rlnPhaseShift"] if self._focused_micrographs else []
        self._micrographs.loop("micrographs", ["rlnMicrographName", "rlnOpticsGroup", *focus])
        self._coords.loop("coordinate_files", ["rlnMicrographName", "rlnMicrographCoordinates"])
        self._groups.write(self._particles, self._cutter.box_px if self._cutter else None)
        self._particles.loop("particles", self._particle_columns())
        box_px = self._cutter.box_px if self._cutter else 256
        classes = ", ".join(f"{number} {name}" for name, number in self._classes.items())
        text = README.format(
            mark=self._mark, box_px=box_px, bg_px=round(0.375 * box_px), classes=classes or "none"
        )
        (self._root / "README.md").write_text(text, encoding="utf8")

    def _particle_columns(self) -> list[str]:
        columns = ["rlnMicrographName", "rlnCoordinateX", "rlnCoordinateY", "rlnClassNumber"]
        columns += ["rlnOpticsGroup", "rlnOriginXAngst", "rlnOriginYAngst"]
        if self._cutter:
            columns.append("rlnImageName")
        if self._survey.oriented:
            columns += _ANGLES
        if self._survey.focused:
            columns += [*_DEFOCUS, "rlnPhaseShift", "rlnCtfBfactor"]
        return columns

    def write(self, item: Labelled) -> int:
        """One micrograph; how many of its particles lie too close to the edge for a box."""
        image = f"micrographs/{item.name}.mrc"
        link_or_copy(item.path, self._root / image)
        row: list[Cell] = [image, self._groups.number(item.settings)]
        if self._focused_micrographs:
            row += [item.settings[name] for name in _DEFOCUS.values()]
            row.append(item.settings["phase_shift_deg"])
        self._micrographs.rows([row])
        coordinates = f"coordinates/micrographs/{item.name}.star"
        self._coords.rows([[image, coordinates]])
        self._write_coordinates(item, self._root / coordinates)
        if self._cutter is None:
            self._particles.rows(self._rows(item, np.arange(len(item.particles)), item.centres_px))
            return 0
        kept = self._cutter.whole(item)
        self._particles.rows(self._rows(item, kept, self._cutter.centres_px(item)))
        if len(kept):
            self._write_stack(item, self._cutter, kept)
        return len(item.particles) - len(kept)

    def finish(self) -> None:
        """Nothing is left to write."""

    def _write_coordinates(self, item: Labelled, path: Path) -> None:
        """Every particle on the field, those on the edge among them; may be none."""
        angles = list(_ANGLES.values()) if self._survey.oriented else []
        rows = zip(
            *item.centres_px.T.tolist(),
            self._class_of(item.particles),
            *(item.particles[name].tolist() for name in angles),
            strict=True,
        )
        with write_star(path, self._mark) as star:
            columns = ["rlnCoordinateX", "rlnCoordinateY", "rlnClassNumber"]
            star.loop("", [*columns, *(_ANGLES if angles else ())])
            star.rows(rows)

    def _rows(
        self, item: Labelled, kept: NDArray[np.intp], at_px: NDArray[np.float64] | NDArray[np.int64]
    ) -> list[list[Cell]]:
        """Lines of particles.star; the origin tells what the coordinates `at_px` (n, 2) do not."""
        group, table = self._groups.number(item.settings), item.particles
        origin_A = (at_px - item.centres_px) * item.pixel_size_A
        parts: list[list[Cell]] = [
            [f"micrographs/{item.name}.mrc"] * len(table),
            *at_px.astype(float).T.tolist(),
            self._class_of(table),
            [group] * len(table),
            *origin_A.T.tolist(),
        ]
        if self._survey.oriented:
            parts += [table[name].tolist() for name in _ANGLES.values()]
        if self._survey.focused:
            parts += [table[name].tolist() for name in _DEFOCUS.values()]
            shared = (item.settings["phase_shift_deg"], item.settings["b_factor_A2"])
            parts += [[float(value)] * len(table) for value in shared]
        lines = list(map(list, zip(*parts, strict=True)))
        rows = [lines[index] for index in kept]
        if self._cutter:
            for number, row in enumerate(rows, 1):
                row.insert(7, f"{number:06d}@particles/{item.name}.mrcs")
        return rows

    def _write_stack(self, item: Labelled, cutter: BoxCutter, kept: NDArray[np.intp]) -> None:
        path = self._root / "particles" / f"{item.name}.mrcs"
        if path.exists():  # whole, as it was written by an interrupted run of the same choices
            return
        boxes = cutter.cut(item, kept)
        values = boxes.astype(np.float16) if self._float16 else boxes
        write_stack(path, values, item.pixel_size_A, self._mark)

    def _class_of(self, table: pd.DataFrame) -> list[Cell]:
        return [self._classes[name] for name in table["species"]]


def mark(dataset: Dataset) -> str:
    """What stands in every file: that the data is synthetic, or whence it came."""
    if not dataset.synthetic:
        return f"cryoccd {cryoccd.__version__}, picks of {dataset.root.name}"
    seed = dataset.manifest["made_by"].get("seed", "unknown")
    return f"SYNTHETIC cryoccd {cryoccd.__version__} seed {seed}"
