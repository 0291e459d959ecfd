"""Writes a table in every format, each file whole or not at all."""

from pathlib import Path

from cryoccd.io.atomic import write_text
from cryoccd.report.formats import to_csv, to_latex, to_markdown
from cryoccd.report.page import page
from cryoccd.report.table import Table


def write_table(table: Table, results_root: Path) -> tuple[Path, ...]:
    """Write results/PROFILE/TABLE/table.{md,csv,tex,html}; returns their paths."""
    folder = results_root / table.profile / table.name
    texts = {
        "md": to_markdown(table),
        "csv": to_csv(table),
        "tex": to_latex(table),
        "html": page((table,), {}),
    }
    for suffix, text in texts.items():
        write_text(folder / f"table.{suffix}", text)
    return tuple(folder / f"table.{suffix}" for suffix in texts)
