"""The export of a set of tilt series."""

from pathlib import Path

from cryoccd.io.dataset import TomogramSet
from cryoccd.io.export.copick import CopickOptions, write_copick
from cryoccd.io.export.options import ExportOptions
from cryoccd.io.export.place import export_folder
from cryoccd.io.progress import progress_bar


def export_tomograms(tomograms: TomogramSet, output: Path, resume: bool = False) -> str:
    """Write a set of tomograms as a copick project and in the form of the CryoET data portal.

    copick takes a relative root from wherever it is started, so the project names its own place.

    Args:
        tomograms: the set.
        output: folder to write; absent or empty unless `resume`.
        resume: write an interrupted export anew.

    Returns:
        One line that says what was written.

    Raises:
        CryoccdError: a folder that is not empty, or a set that cannot be read.
    """
    with export_folder(output, tomograms.root, "copick", ExportOptions(), resume) as finished:
        if finished:
            return f"{output} is finished already"
        with progress_bar() as progress:
            bar = progress.add_task("export copick", total=len(tomograms.names))
            options = CopickOptions(project_root=str(output.resolve()))
            count = write_copick(tomograms, output, options, lambda: progress.advance(bar))
    beyond = len(tomograms.particles) - count
    left = f"; {beyond} centres outside their tomogram left out" if beyond else ""
    return f"{output}: {len(tomograms.names)} tomograms, {count} particles{left}"
