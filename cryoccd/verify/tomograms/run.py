"""All checks of a set of tilt series, from bytes to subtomograms."""

from cryoccd.io.dataset import TomogramSet
from cryoccd.io.progress import progress_bar
from cryoccd.verify.files import check_checksums
from cryoccd.verify.finding import Finding, merged
from cryoccd.verify.tomograms.geometry import check_tomogram_geometry
from cryoccd.verify.tomograms.headers import check_tomogram_headers
from cryoccd.verify.tomograms.tables import check_particles, check_series, read_tilts


def verify_tomograms(tomograms: TomogramSet, count: int = 200) -> list[Finding]:
    """Verdict on each family of labels of a set of tilt series.

    Particles are compared with their map, turned by their angles, through the CTF of each tilt and
    without what the missing wedge leaves out.

    Args:
        tomograms: the set.
        count: particles of each map to look at.

    Raises:
        CryoccdError: a table that lacks a column.
    """
    tilts = read_tilts(tomograms)
    with progress_bar() as progress:
        files = progress.add_task("checksums", total=len(tomograms.manifest["files"]))
        findings = [check_checksums(tomograms, lambda: progress.advance(files))]
        series = check_series(tomograms, tilts)
        findings.append(series)
        if series.verdict == "FAIL":  # nothing that follows would have settings to go by
            return merged(findings)
        findings += [*check_tomogram_headers(tomograms, tilts), check_particles(tomograms)]
        steps = progress.add_task("geometry", total=len(tomograms.species_maps))
        findings += check_tomogram_geometry(
            tomograms, tilts, count, lambda: progress.advance(steps)
        )
    return merged(findings)
