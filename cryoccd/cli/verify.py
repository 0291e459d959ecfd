"""`cryoccd verify`: is every label of a set right?"""

from pathlib import Path

from cryoccd.cli.parse import call
from cryoccd.errors import CryoccdError


def verify(
    input: Path,
    particles: int = 2000,
    images: str | None = None,
    maps: Path | None = None,
) -> None:
    """Check files, tables and instances, and prove the geometry by reconstruction.

    Exit code 2 and one line where a family of labels is wrong.

    Args:
        input: dataset folder.
        particles: particles of each species to reconstruct from.
        images: clean or micrographs; by default clean where the set has it.
        maps: folder of maps named after the species; by default species/ of the set.
    """
    from rich.console import Console
    from rich.table import Table

    from cryoccd.io.dataset import Dataset
    from cryoccd.verify.run import verify_micrographs

    if particles < 10:
        raise CryoccdError(f"particles = {particles}, expected 10 or more")
    findings = verify_micrographs(Dataset(input), particles, images, maps)
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


def run(argv: list[str]) -> None:
    """Parse and verify."""
    call("verify", verify, argv)
