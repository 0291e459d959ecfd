"""`cryoccd evaluate KIND`: a report card of a generated set."""

from importlib import import_module
from pathlib import Path

from cryoccd.cli.parse import call
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import check_writable

KINDS = ("noise", "picking", "pose", "labels", "volume", "detection")

_EXAMPLE = "'cryoccd evaluate noise --help'"


def run(argv: list[str]) -> None:
    """Evaluate one set of generated micrographs."""
    kind, *rest = argv or ["nothing"]
    if kind in ("-h", "--help"):
        kind, rest = "noise", ["--help"]
    if kind not in KINDS:
        known = ", ".join(KINDS)
        raise CryoccdError(f"evaluate: {kind}, expected {known}, such as {_EXAMPLE}")
    module = import_module(f"cryoccd.cli.evaluate_{kind}")
    call(f"evaluate {kind}", getattr(module, f"evaluate_{kind}"), rest)


def check_output(output: Path) -> tuple[Path, Path]:
    """The Markdown page and the picture beside a card.

    Raises:
        CryoccdError: it is no name of a JSON file that can be written.
    """
    if output.is_dir() or output.suffix != ".json":
        what = "a folder" if output.is_dir() else f"ends in {output.suffix or 'nothing'}"
        raise CryoccdError(f"{output}: {what}, expected the name of a JSON file: card.json")
    check_writable(output)
    return output.with_suffix(".md"), output.with_suffix(".png")
