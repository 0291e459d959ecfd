"""`cryoccd verify`: is every label of a set right?"""

from pathlib import Path
from typing import TYPE_CHECKING

from cryoccd.cli.parse import call
from cryoccd.errors import CryoccdError

if TYPE_CHECKING:
    from cryoccd.verify.finding import Finding

_PARTICLES = {"micrographs": 2000, "tilt series": 200}
"""Of each species, by what the set holds."""


def verify(
    input: Path,
    particles: int | None = None,
    images: str | None = None,
    maps: Path | None = None,
) -> None:
    """Check files, tables and instances, and prove the geometry by reconstruction.

    Of tilt series the geometry is proven by subtomograms, one by one.

    Exit code 2 and one line where a family of labels is wrong.

    Args:
        input: dataset folder, of micrographs or of tilt series.
        particles: particles of each species to look at; by default 2000, of tilt series 200.
        images: clean or micrographs; by default clean where the set has it.
        maps: folder of maps named after the species; by default species/ of the set.
    """
    from rich.console import Console
    from rich.table import Table

    if particles is not None and particles < 10:
        raise CryoccdError(f"particles = {particles}, expected 10 or more")
    findings = _findings(input, particles, images, maps)
    table = Table(title=f"labels of {input}", title_justify="left")
    for heading in ("family", "verdict", "found"):
        table.add_column(heading)
    colours = {"pass": "green", "FAIL": "red", "undecided": "yellow"}
    for finding in findings:
        colour = colours[finding.verdict]
        table.add_row(finding.family, f"[{colour}]{finding.verdict}[/{colour}]", finding.text)
    Console().print(table)
    wrong = [
        f"{finding.family}: {finding.text}" for finding in findings if finding.verdict == "FAIL"
    ]
    if wrong:
        raise CryoccdError(f"{input}: wrong labels: {' | '.join(wrong)}")


def _findings(
    root: Path, particles: int | None, images: str | None, maps: Path | None
) -> "list[Finding]":
    """Those of a set of either kind."""
    from cryoccd.io.dataset import Dataset, TomogramSet
    from cryoccd.verify.micrographs.run import verify_micrographs
    from cryoccd.verify.tomograms.run import verify_tomograms

    if (root / "micrographs.parquet").is_file() or not (root / "tilts.parquet").is_file():
        count = particles or _PARTICLES["micrographs"]
        return verify_micrographs(Dataset(root), count, images, maps)
    if images or maps:
        option = "images" if images else "maps"
        raise CryoccdError(f"{root}: holds tilt series, which take no --{option}; leave it out")
    return verify_tomograms(TomogramSet(root), particles or _PARTICLES["tilt series"])


def run(argv: list[str]) -> None:
    """Parse and verify."""
    call("verify", verify, argv)
