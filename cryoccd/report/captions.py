"""What stands around a table: its title, protocol and origin, and what may be concluded from it."""

from collections.abc import Iterable

from cryoccd.report.table import EXTRACTORS, LEVEL, OF_A_ROW, Table
from cryoccd.report.text import DAGGER, UNDEFINED, UNDEFINED_CELL, duration


def groups(table: Table) -> list[str]:
    """Names of the column groups; a set that is not itself the real one says what is."""
    domains = _agreed(table, "domain")
    named = [(dataset, domains.get(dataset, "")) for dataset in table.datasets]
    return [d if domain.lower() in d.lower() else f"{d} ({domain})" for d, domain in named]


def title(table: Table) -> str:
    """Table, profile, what plays the real side, and the extractor."""
    extractors = dict.fromkeys(v for key in EXTRACTORS for v in _agreed(table, key).values())
    domains = dict.fromkeys(_agreed(table, "domain").values())
    text = f"Table {table.name}, profile {table.profile}, real side: {', '.join(domains)}"
    return f"{text}; extractor: {', '.join(extractors)}" if extractors else text


def heading(table: Table) -> tuple[str, ...]:
    """Lines of protocol, seeds, wall time and origin."""
    cells = [cell for group in table.cells.values() for cell in group]
    lines = []
    for key in dict.fromkeys(key for cell in cells for key in cell.protocol):
        if key in (*EXTRACTORS, *OF_A_ROW, "domain"):
            continue
        values = _agreed(table, key)
        if len(set(values.values())) == 1:
            lines.append(f"{key}: {next(iter(values.values()))}")
        else:
            lines += [f"{key} of {dataset}: {value}" for dataset, value in values.items()]
    lines += _training(table)
    total = duration(sum(table.seconds(method) for method in table.methods))
    seeds = ", ".join(map(str, table.seeds))
    lines.append(f"seeds: {seeds}; wall time of all cells: {total}")
    origins = [cell.provenance for cell in cells]
    versions = _distinct(", ".join(f"{k} {v}" for k, v in o["versions"].items()) for o in origins)
    lines.append(f"made by {versions}; commit {_distinct(o['commit'] for o in origins)}")
    lines.append(f"device: {_distinct(o['device'] for o in origins)}")
    return tuple(lines)


def remarks(table: Table) -> tuple[str, ...]:
    """The legend, the verdict against the bound, and the source of published figures."""
    several = len(table.seeds) > 1
    seeds = f"mean of {len(table.seeds)} seeds [range over seeds]"
    lines = [
        f"Figures: {seeds if several else 'value [95 % interval]'}; bold or *: the best row of its "
        f"column, {' and '.join(table.anchors.all)} apart; {UNDEFINED_CELL}: for the reason in its "
        f"note; {UNDEFINED}: not published.",
        *_bound_remarks(table),
    ]
    for p in table.reference:
        mean = f"; mean over {', '.join(p.datasets)}" if p.rows else ""
        lines.append(
            f"Published {p.metric}, {p.name}: {p.citation}; {p.protocol}{mean}. Not comparable "
            "with the other columns."
        )
    return tuple(lines)


def _training(table: Table) -> list[str]:
    """Which rows are fitted on each column alone, which on several styles, and what is held out."""
    rows: dict[str, list[str]] = {}
    held_out: list[str] = []
    cells = [cell for group in table.cells.values() for cell in group]
    for cell in (cell for cell in cells if "training" in cell.protocol):  # the anchors have none
        styles = cell.protocol["train_styles"]
        if cell.protocol["training"] == "mixed":
            way = f"mixed, one model for all columns, fitted on {', '.join(styles)}"
        else:
            way = "per_style, a model for each column, fitted on its own training split"
        rows.setdefault(way, []).append(cell.method)
        if cell.dataset not in styles:
            held_out.append(cell.dataset)
    lines = [f"training {way}: {', '.join(dict.fromkeys(rows[way]))}" for way in rows]
    if held_out:
        lines.append(f"held out of mixed training: {', '.join(dict.fromkeys(held_out))}")
    return lines


def _bound_remarks(table: Table) -> tuple[str, ...]:
    tests = table.comparisons
    if not tests:
        return (f"No row could be tested against {table.anchors.name}: no confidence intervals.",)
    better = table.better_than_bound
    if better:
        names = ", ".join(
            f"{c.method} ({c.metric}, {c.dataset})"
            for c in tests
            if (c.method, c.dataset, c.metric) in better
        )
        better_than = f"{DAGGER} Significantly better than {table.anchors.name}"
        verdict = f"{better_than}, which asks for a cause: {names}."
    else:
        verdict = f"No row is significantly better than {table.anchors.name}."
    least = min(tests, key=lambda c: c.p)
    untested = (len(table.methods) - len(table.anchors.all)) * len(table.datasets) * len(
        table.metrics
    ) - len(tests)
    method = (
        "One-sided z test of the distances from the ideal, standard errors from the 95 % "
        f"intervals, level {LEVEL} over all {len(tests)} comparisons (Bonferroni); smallest "
        f"single p {least.p:.2g} ({least.method}, {least.metric}, {least.dataset})"
    )
    return (verdict, f"{method}; {untested} not testable." if untested else f"{method}.")


def _agreed(table: Table, key: str) -> dict[str, str]:
    """Dataset to a protocol entry; empty where cells of one differ in it: then it stays there."""
    values: dict[str, str] = {}
    for (_, dataset), cells in table.cells.items():
        for cell in cells:
            value = _plain(cell.protocol.get(key))
            if key not in cell.protocol or values.setdefault(dataset, value) != value:
                return {}
    return values


def _plain(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_plain(entry)}" for key, entry in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_plain, value))
    return str(value)


def _distinct(values: Iterable[str]) -> str:
    return " | ".join(dict.fromkeys(map(str, values)))
