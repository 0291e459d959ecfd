"""`cryoccd report`: all results in one page that needs no network."""

from pathlib import Path

from cryoccd.cli.parse import call
from cryoccd.errors import CryoccdError

REFERENCE = Path("benchmarks/reference.yaml")


def report(
    results: Path = Path("results"),
    runs: Path = Path("runs"),
    output: Path = Path("report.html"),
    reference: Path | None = None,
) -> None:
    """Write tables, galleries, curves, cost and provenance as one HTML file that opens offline.

    Args:
        results: cells and pictures of tables.
        runs: generated sets, picks and logs behind them; what is absent is not shown.
        output: the page, NAME.html.
        reference: published figures; by default benchmarks/reference.yaml where it is there.
    """
    from rich.console import Console

    from cryoccd.io.atomic import check_writable
    from cryoccd.launch.dashboard import write_dashboard
    from cryoccd.report.reference import read_reference

    if output.suffix.lower() != ".html":
        raise CryoccdError(f"output = {output}, expected a name that ends in .html")
    if output.is_dir():
        raise CryoccdError(f"output = {output}: is a folder; choose another name")
    check_writable(output)
    console = Console(highlight=False, soft_wrap=True)
    known = reference or REFERENCE
    published = read_reference(known) if reference or known.is_file() else ()
    if not published:
        console.print(f"no published figures: {REFERENCE} is not there", style="dim")
    with console.status("report"):
        written = write_dashboard(results, runs, output, published)
    for name, reason in written.refused:
        console.print(f"not shown: {name}: {reason}", style="yellow", markup=False)
    size = f"{written.n_bytes / 1e6:.1f} MB"
    console.print(f"{written.tables} tables of {written.cells} cells, {size}")
    console.print(f"written {written.path}", style="dim")


def run(argv: list[str]) -> None:
    """Parse and run."""
    call("report", report, argv)
