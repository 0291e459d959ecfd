"""`cryoccd export`: a dataset folder in the words of RELION, Topaz, EMAN and others."""

from pathlib import Path

from cryoccd.cli.parse import call
from cryoccd.errors import CryoccdError


def export(
    input: Path,
    format: str,
    output: Path,
    stacks: bool = True,
    box_px: int | None = None,
    float16: bool = False,
    normalise: bool | None = None,
    species: str | None = None,
    particle_diameter_A: float | None = None,
    downsample: int | None = None,
    resume: bool = False,
) -> None:
    """Write a set in the words of another program.

    Args:
        input: dataset folder, clean, translated or imported.
        format: relion, topaz, eman, cryolo, cryosparc, cryodrgn or coco; for tilt series copick.
        output: folder to write.
        stacks: false leaves the particle stacks out (relion, cryosparc).
        box_px: box of a particle in pixels, even; by default that of the largest species map.
        float16: half precision stacks, which RELION 4 and later read.
        normalise: true or false: background of each box at mean 0 and standard deviation 1; by
            default where the images have noise.
        species: comma list of species; by default all.
        particle_diameter_A: diameter in angstrom (topaz, cryolo); by default measured.
        downsample: factor for Topaz; by default chosen from the diameter.
        resume: continue an interrupted export.
    """
    from cryoccd.io.dataset import Dataset, TomogramSet
    from cryoccd.io.export.options import ExportOptions
    from cryoccd.io.export.run import FORMATS, export_micrographs
    from cryoccd.io.export.tomograms import export_tomograms

    if format not in (*FORMATS, "copick"):
        known = ", ".join((*FORMATS, "copick"))
        raise CryoccdError(f"export: format {format!r}, expected one of {known}")
    if format == "copick":
        if species is not None:
            raise CryoccdError("export: copick writes every species and takes no --species")
        print(export_tomograms(TomogramSet(input), output, resume))
        return
    names = None
    if species is not None:
        names = tuple(name.strip() for name in species.split(",") if name.strip())
    options = ExportOptions(
        stacks, box_px, float16, normalise, names, particle_diameter_A, downsample
    )
    print(export_micrographs(Dataset(input), format, output, options, resume))


def run(argv: list[str]) -> None:
    """Parse and export."""
    call("export", export, argv)
