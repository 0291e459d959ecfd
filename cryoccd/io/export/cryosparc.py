"""CryoSPARC: the STAR files and stacks that its importers take, and which jobs to run.

CryoSPARC reads RELION's STAR files itself and does its own conversion of angles and contrast, so
nothing is written in its private formats.
"""

from contextlib import ExitStack
from pathlib import Path

from cryoccd.io.atomic import write_text
from cryoccd.io.dataset import Dataset
from cryoccd.io.export.options import ExportOptions
from cryoccd.io.export.relion import RelionExport, mark

JOBS = """\
# {mark}: import into CryoSPARC

Copy this folder to where CryoSPARC can read it, then build these jobs in a workspace.

1. **Import Micrographs**
   - Micrographs data path: `FOLDER/micrographs/*.mrc`
   - Pixel size (A): {pixel_size_A:g}; accelerating voltage (kV): {voltage_kV:g}; spherical
     aberration (mm): {cs_mm:g}; total exposure dose: any value, these are no movies
   - their CTF is then found by Patch CTF; for that of the labels use the particles below.
2. **Import Particle Stack**, for pickers and for refinement
   - Particle meta path: `FOLDER/particles.star`
   - Particle data path: `FOLDER`, so that the names in rlnImageName are found below it
   - leave voltage, aberration, contrast and pixel size to the file.
   - Angles, shifts, CTF and classes come from the file. Connect the micrographs of job 1 as source
     to match the particles to them by rlnMicrographName.
3. To train **Topaz Train** or to test a picker, connect micrographs and particles of 1 and 2.

Particles are bright, as RELION has them: leave the contrast as it is read.
The locations count rows as they are stored. If the imported picks come out mirrored against your
own exposures from Patch Motion, that job has turned the images upside down, not this file.
"""


class CryosparcExport(RelionExport):
    """Writes what RelionExport writes, and JOBS.md; same arguments."""

    def __init__(
        self, root: Path, dataset: Dataset, options: ExportOptions, stack: ExitStack
    ) -> None:
        super().__init__(root, dataset, options, stack)
        first = dataset.micrographs.iloc[0]
        text = JOBS.format(
            mark=mark(dataset),
            pixel_size_A=first["pixel_size_A"],
            voltage_kV=first["voltage_kV"],
            cs_mm=first["cs_mm"],
        )
        write_text(root / "JOBS.md", text)
