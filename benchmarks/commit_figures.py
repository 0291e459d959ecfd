"""Puts finished tables into the repository: benchmarks/TABLE-PROFILE.md, galleries, the README's.

    python benchmarks/commit_figures.py [--results results] [--styles results_of_all_styles]

Takes what the table targets wrote for the profiles demo and real, and what it wrote for METHODS=all
STYLES=all into another folder; the README's table lies between
two comment lines and holds three metrics of the demo.
"""

import argparse
import csv
import re
import shutil
from itertools import product
from pathlib import Path

ROOT = Path(__file__).parents[1]
TABLES = ("fid", "ablation", "steps", "picking", "picking_topaz", "pose", "resolution", "volume")
METRICS = ("fd_scattering", "psd_background_db", "contrast_error_db")
PICTURES = {
    ("picking", "demo"): ("curves_contaminated.png", "picking-contaminated.png"),
    ("volume", "demo"): ("boxes_six_assemblies.png", "volume-boxes.png"),
}
MARKS = ("<!-- table: benchmarks/commit_figures.py -->", "<!-- end of table -->")


def readme_table(path: Path) -> str:
    """Markdown of the demo table's main columns: value and interval."""
    with path.open(encoding="utf8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["metric"] in METRICS]
    datasets = list(dict.fromkeys(row["dataset"] for row in rows))
    columns = [(dataset, metric) for metric in METRICS for dataset in datasets]
    cells = {(r["method"], r["dataset"], r["metric"]): _cell(r) for r in rows}
    lines = [
        "| method | " + " | ".join(f"{metric}, {dataset}" for dataset, metric in columns) + " |",
        "|---|" + "---:|" * len(columns),
    ]
    for method in dict.fromkeys(row["method"] for row in rows):
        lines.append(f"| {method} | " + " | ".join(cells[method, *c] for c in columns) + " |")
    return "\n".join(lines)


def _cell(row: dict[str, str]) -> str:
    if not row["value"]:
        return "–"
    value, low, high = (float(row[key]) for key in ("value", "low", "high"))
    places = 2 if abs(value) < 10 else 1
    return f"{value:.{places}f} [{low:.{places}f}, {high:.{places}f}]"


def main() -> None:
    """Copy the tables and galleries that are there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "results")
    parser.add_argument("--styles", type=Path, default=None)
    given = parser.parse_args()
    results = given.results
    if given.styles:
        table = given.styles / "demo" / "fid" / "table.md"
        shutil.copyfile(table, ROOT / "benchmarks" / "fid-styles.md")
    for name, profile in product(TABLES, ("demo", "real")):
        folder = results / profile / name
        if not (folder / "table.md").is_file():
            continue
        shutil.copyfile(folder / "table.md", ROOT / "benchmarks" / f"{name}-{profile}.md")
        # galleries of real data hold other people's pixels
        shown = (name, profile) == ("fid", "demo")
        for gallery in sorted(folder.glob("gallery_*.png")) if shown else ():
            shutil.copyfile(gallery, ROOT / "docs" / gallery.name)
        picture = PICTURES.get((name, profile))
        if picture:
            shutil.copyfile(folder / picture[0], ROOT / "benchmarks" / picture[1])
        print(f"{name}-{profile}: taken from {folder}")
    demo = results / "demo" / "fid" / "table.csv"
    if demo.is_file():
        readme = ROOT / "README.md"
        table = f"{MARKS[0]}\n{readme_table(demo)}\n{MARKS[1]}"
        pattern = f"{re.escape(MARKS[0])}.*?{re.escape(MARKS[1])}"
        text = re.sub(pattern, lambda _: table, readme.read_text("utf8"), flags=re.DOTALL)
        readme.write_text(text, "utf8")


if __name__ == "__main__":
    main()
