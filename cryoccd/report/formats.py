"""A table as Markdown, LaTeX and CSV.

Markdown and LaTeX show the layout; CSV is one line per figure, for programs.
"""

import csv
import io
from itertools import groupby

from cryoccd.report.layout import Layout, TextCell, lay_out
from cryoccd.report.table import Table
from cryoccd.report.text import DAGGER

_LATEX = {
    "\\": r"\textbackslash{}",
    "&": r"\&",
    "%": r"\%",
    "$": r"\$",
    "#": r"\#",
    "_": r"\_",
    "{": r"\{",
    "}": r"\}",
    "[": "{[}",  # a bracket after a line break would be taken for its argument
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    "–": "--",
    DAGGER: r"\dag{}",
}
_CSV_COLUMNS = (
    *("source", "method", "dataset", "metric", "value", "low", "high", "interval", "n", "seeds"),
    *("best", "better_than_bound", "wall_time_s", "note"),
)


def to_markdown(table: Table) -> str:
    """GitHub-flavoured Markdown: heading, table, footnotes."""
    layout = lay_out(table)

    def text(cell: TextCell) -> str:
        marks = f" {DAGGER}" if cell.better else ""
        marks += "".join(f"<sup>{number}</sup>" for number in cell.notes)
        return (f"**{_markdown(cell.text)}**" if cell.best else _markdown(cell.text)) + marks

    names = [f"{group}: {name}" if group else name for group, name in layout.columns]
    grid = [["method", *map(_markdown, names)], ["---", *["---:"] * len(names)]]
    grid += [[_markdown(name), *map(text, cells)] for name, cells in layout.rows]
    lines = [f"### {_markdown(layout.title)}", ""]
    lines += [f"- {_markdown(line)}" for line in layout.heading]
    lines += ["", *(f"| {' | '.join(row)} |" for row in grid)]
    for number, note in enumerate(layout.notes, 1):
        lines += ["", f"<sup>{number}</sup> {_markdown(note)}"]
    for remark in layout.remarks:
        lines += ["", _markdown(remark)]
    return "\n".join(lines) + "\n"


def to_latex(table: Table) -> str:
    """A LaTeX table float; the document needs the package booktabs."""
    layout = lay_out(table)

    def text(cell: TextCell) -> str:
        marks = [r"\dag"] if cell.better else []
        marks += map(str, cell.notes)
        raised = f"$^{{{','.join(marks)}}}$" if marks else ""
        return (rf"\textbf{{{_latex(cell.text)}}}" if cell.best else _latex(cell.text)) + raised

    names = [_latex(name) for _, name in layout.columns]
    lines = [
        r"% needs \usepackage{booktabs}",
        r"\begin{table}",
        rf"\caption{{{_latex(layout.title)}}}",
    ]
    lines += [rf"\begin{{tabular}}{{l{'r' * len(names)}}}", r"\toprule"]
    lines += [_latex_groups(layout), rf"method & {' & '.join(names)} \\", r"\midrule"]
    for name, cells in layout.rows:
        lines.append(rf"{_latex(name)} & {' & '.join(map(text, cells))} \\")
    lines += [r"\bottomrule", r"\end{tabular}", ""]
    notes = [f"$^{{{number}}}$ {_latex(note)}" for number, note in enumerate(layout.notes, 1)]
    for line in (*notes, *map(_latex, layout.remarks), *map(_latex, layout.heading)):
        lines += [rf"\par\footnotesize {line}"]
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def to_csv(table: Table) -> str:
    """One line per figure, ours first, then the published ones; undefined and missing are empty."""
    stream = io.StringIO()
    rows = csv.writer(stream, lineterminator="\n")
    rows.writerow(_CSV_COLUMNS)
    seeds = " ".join(map(str, table.seeds))
    for method in table.methods:
        for dataset in table.datasets:
            for metric in table.metrics:
                key = (method, dataset, metric)
                figure = table.figures.get(key)
                flags = (method in table.best(dataset, metric), key in table.better_than_bound)
                if figure is None:
                    values: tuple[object, ...] = ("", "", "", "", "", seeds)
                else:
                    ends = (figure.low, figure.high, figure.interval, figure.n)
                    values = (figure.value, *ends, seeds)
                note = "missing" if figure is None else figure.note
                rows.writerow(
                    ["cryoccd", *key, *values, *map(int, flags), table.seconds(method), note]
                )
    for published in table.reference:
        source = f"{published.citation}, {published.name}"
        for method, figures in published.rows.items():
            for dataset, value in zip(published.datasets, figures, strict=True):
                key = (method, dataset, published.metric)
                note = f"not comparable: {published.protocol}"
                rows.writerow([source, *key, value, *[""] * 8, note])
    return stream.getvalue()


def _markdown(text: str) -> str:
    for character in "\\`*[]|":
        text = text.replace(character, "\\" + character)
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").split())


def _latex(text: str) -> str:
    return "".join(_LATEX.get(character, character) for character in " ".join(text.split()))


def _latex_groups(layout: Layout) -> str:
    spans = [(name, len(list(g))) for name, g in groupby(group for group, _ in layout.columns)]
    cells = [rf"\multicolumn{{{count}}}{{c}}{{{_latex(name)}}}" for name, count in spans]
    return rf" & {' & '.join(cells)} \\"
