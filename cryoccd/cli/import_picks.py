"""`cryoccd import`: real micrographs with the picks of another program as a dataset folder."""

from pathlib import Path

from cryoccd.cli.parse import call


def import_picks(
    micrographs: Path,
    picks: Path,
    output: Path,
    pixel_size_A: float | None = None,
    scale: float = 1.0,
    flip_y: bool = False,
    root: Path | None = None,
    threshold: float = 0.01,
    quarantine: Path | None = None,
    resume: bool = False,
) -> None:
    """Make real micrographs and foreign picks a dataset folder that every verb reads.

    Args:
        micrographs: folder of MRC, TIFF or PNG images, or one with micrographs/ in it.
        picks: STAR, Topaz text, EMAN box, CBOX or CSV file, or a folder of them.
        output: dataset folder to write.
        pixel_size_A: pixel size where the images have none.
        scale: what coordinates are multiplied by, such as the down-sampling of Topaz.
        flip_y: mirror the rows of picks that count from the other end.
        root: folder below which the files that a STAR file names must lie.
        threshold: largest share of picks that may be left out.
        quarantine: CSV file for the picks that were left out, written on failure too.
        resume: keep finished micrographs of an interrupted run.
    """
    from cryoccd.io.imports import ImportSettings
    from cryoccd.io.imports import import_picks as run_import

    settings = ImportSettings(pixel_size_A, scale, flip_y, root, threshold)
    run_import(micrographs, picks, output, settings, quarantine, resume)


def run(argv: list[str]) -> None:
    """Parse and import."""
    call("import", import_picks, argv)
