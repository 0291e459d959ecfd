"""Reduces result cells to a table: methods as rows, data sets and metrics as columns.

Anchors stand above and below the methods. Figures are only put side by side where their
protocol and data agree. Published figures never enter the comparison.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cryoccd.errors import CryoccdError
from cryoccd.report.anchors import NOISE, Anchors
from cryoccd.report.cells import ResultCell, cell_path
from cryoccd.report.figure import Figure, combine, distance, p_better
from cryoccd.report.reference import Published

LEVEL = 0.05
EXTRACTORS = ("extractor", "scattering", "inception")
OF_A_ROW = ("choices", "training", "train_styles", "variant")
"""Entries of the protocol in which the rows of a column may differ."""


@dataclass(frozen=True)
class Comparison:
    """One figure against the bound; `p` is not corrected for the number of comparisons."""

    method: str
    dataset: str
    metric: str
    p: float


@dataclass(frozen=True)
class Table:
    """A reduced table.

    Args:
        name: such as "fid".
        profile: such as "demo".
        methods: rows in order, with the anchors first and last.
        datasets: column groups in order.
        metrics: columns of each group.
        seeds: seeds that the figures are means of.
        cells: every cell that was read, by (method, dataset), one per seed.
        reference: published figures to be shown in columns of their own.
        anchors: rows that are no methods.
    """

    name: str
    profile: str
    methods: tuple[str, ...]
    datasets: tuple[str, ...]
    metrics: tuple[str, ...]
    seeds: tuple[int, ...]
    cells: Mapping[tuple[str, str], tuple[ResultCell, ...]]
    reference: tuple[Published, ...] = ()
    anchors: Anchors = NOISE

    @cached_property
    def figures(self) -> dict[tuple[str, str, str], Figure]:
        """Figures by (method, dataset, metric); a missing one has no key."""
        found = {}
        for (method, dataset), cells in self.cells.items():
            for metric in self.metrics:
                entries = [cell.metrics[metric] for cell in cells if metric in cell.metrics]
                if len(entries) == len(self.seeds):
                    found[method, dataset, metric] = combine(entries)
        return found

    def seconds(self, method: str) -> float:
        """Wall time of a row: the sum over its cells."""
        chosen = [self.cells.get((method, dataset), ()) for dataset in self.datasets]
        return sum(float(cell.provenance["seconds"]) for cells in chosen for cell in cells)

    def best(self, dataset: str, metric: str) -> frozenset[str]:
        """The rows nearest to the metric's ideal, anchors apart; several where they tie."""
        distances = {
            method: distance(metric, figure.value)
            for method in self.methods
            if method not in self.anchors.all
            and (figure := self.figures.get((method, dataset, metric))) is not None
            and figure.value is not None
        }
        least = min(distances.values(), default=None)
        return frozenset(method for method, d in distances.items() if d == least)

    @cached_property
    def comparisons(self) -> tuple[Comparison, ...]:
        """Every test of a row, anchors apart, against the bound that was possible."""
        tests = []
        for (method, dataset, metric), figure in self.figures.items():
            bound = self.figures.get((self.anchors.bound, dataset, metric))
            if method in self.anchors.all or bound is None:
                continue
            if (p := p_better(metric, figure, bound)) is not None:
                tests.append(Comparison(method, dataset, metric, p))
        return tuple(tests)

    @property
    def better_than_bound(self) -> frozenset[tuple[str, str, str]]:
        """(method, dataset, metric) significantly better than the bound.

        At the level 0.05 over the whole table (Bonferroni), because one statement is made of it.
        """
        level = LEVEL / max(1, len(self.comparisons))
        return frozenset((c.method, c.dataset, c.metric) for c in self.comparisons if c.p < level)


def reduce_cells(
    results_root: Path,
    profile: str,
    table: str,
    methods: Sequence[str],
    datasets: Sequence[str],
    metrics: Sequence[str],
    seeds: Sequence[int] = (0,),
    allow_missing: bool = False,
    reference: Sequence[Published] = (),
    anchors: Anchors = NOISE,
) -> Table:
    """Read the cells of a table; its anchors need not be named among the methods.

    Raises:
        CryoccdError: cells or metrics are missing (one line with all) and `allow_missing` is
            off; a cell is malformed; cells of one data set differ in protocol or data, or those
            of the table in extractor or package version.
    """
    rows = anchors.around(tuple(methods))
    cells: dict[tuple[str, str], tuple[ResultCell, ...]] = {}
    missing = []
    for method in rows:
        for dataset in datasets:
            names = [cell_path(results_root, profile, table, method, dataset, s) for s in seeds]
            found = [ResultCell.read(path) for path in names if path.is_file()]
            cells[method, dataset] = tuple(found)
            missing += [path.name for path in names if not path.is_file()]
            missing += [
                f"{metric} in {method}__{dataset}__{cell.seed}.json"
                for cell in found
                for metric in metrics
                if metric not in cell.metrics
            ]
    if missing and not allow_missing:
        folder = results_root / profile / table
        raise CryoccdError(
            f"{folder}: missing {', '.join(missing)}; run them, or add --allow-missing"
        )
    if not any(cells.values()):
        raise CryoccdError(f"{results_root / profile / table}: holds no cell of this table")
    _check_comparable(cells)
    return Table(
        table,
        profile,
        rows,
        tuple(datasets),
        tuple(metrics),
        tuple(seeds),
        cells,
        tuple(reference),
        anchors,
    )


def _check_comparable(cells: Mapping[tuple[str, str], tuple[ResultCell, ...]]) -> None:
    first: dict[tuple[str, str], tuple[str, object]] = {}
    for (method, dataset), group in cells.items():
        for cell in group:
            protocol = {k: value for k, value in cell.protocol.items() if k not in OF_A_ROW}
            common = protocol | {"data_hash": cell.provenance["data_hash"]}
            facts: dict[tuple[str, str], object] = {
                ("table", "version of cryoccd"): cell.provenance["versions"]["cryoccd"],
                ("table", "extractor"): {key: protocol.get(key) for key in EXTRACTORS},
                # a seed may choose crops and data of its own
                (f"{dataset}, seed {cell.seed}", "protocol"): sorted(protocol),
            } | {(f"{dataset}, seed {cell.seed}", key): value for key, value in common.items()}
            for (scope, key), value in facts.items():
                other, expected = first.setdefault((scope, key), (method, value))
                if value != expected:
                    raise CryoccdError(
                        f"{scope}: {method} has {key} {value!r}, {other} has {expected!r}; "
                        "such figures do not compare, run them again"
                    )
