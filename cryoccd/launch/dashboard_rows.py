"""What the rows of a table share, and which of them the page shows pictures of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryoccd.errors import CryoccdError
from cryoccd.launch.dashboard_tables import FoundTable
from cryoccd.launch.places import Runs, Use
from cryoccd.launch.variants import Variant, fit_of, grid, translation_of
from cryoccd.report.cells import ResultCell
from cryoccd.report.figure import distance
from cryoccd.report.table import Table

MOST = 12
"""Rows with pictures, those nearest to the ideal of the first metric."""
_USES: dict[str, Use] = {"picking": "picking", "resolution": "picking", "pose": "pose"}


@dataclass(frozen=True)
class Rows:
    """The rows of a table.

    Args:
        table: their figures.
        variants: those that are methods with something changed.
        gallery: rows that the matrix wants in galleries; none for all.
        use: what sets are translated for; None for the comparison itself.
        translator_seed: of the one fit of each row, where there is a use.
    """

    table: Table
    variants: Mapping[str, Variant]
    gallery: tuple[str, ...] = ()
    use: Use | None = None
    translator_seed: int = 0

    @classmethod
    def of(cls, found: FoundTable, table: Table) -> "Rows":
        """By the table's matrix, where it is there, and by what its cells record."""
        use = _USES.get(found.kind)
        try:
            matrix = found.matrix
            known = {**(matrix.get("variants") or {}), **grid(matrix.get("axes") or [])}
            known |= {
                cell.method: cell.protocol["variant"]
                for group in table.cells.values()
                for cell in group
                if "variant" in cell.protocol
            }
            variants = {name: Variant(**fields) for name, fields in known.items()}
            seed = int((matrix.get(use or "") or {}).get("translator_seed", 0))
            return cls(table, variants, tuple(matrix.get("gallery") or ()), use, seed)
        except (CryoccdError, AttributeError, TypeError, ValueError):
            return cls(table, {}, (), use)  # `cryoccd table` tells what is wrong with a matrix

    @property
    def methods(self) -> list[str]:
        """Those that are no anchors."""
        return [name for name in self.table.methods if name not in self.table.anchors.all]

    def fit(self, cell: ResultCell) -> tuple[str, str, int]:
        """Name, data and seed of the fit behind a cell; rows may share it."""
        seed = self.translator_seed if self.use else cell.seed
        return fit_of(cell.method, self.variants), label_of(cell), seed

    def generated(self, cell: ResultCell, runs: Runs) -> Path:
        """Folder of what a cell was judged by; rows that change what comes after share it."""
        name = translation_of(cell.method, self.variants) if self.use else cell.method
        _, label, seed = self.fit(cell)
        return runs.generated(name, label, cell.dataset, seed, self.use)

    def shown(self, there: Sequence[str], dataset: str) -> list[str]:
        """The rows of these that have pictures: of the gallery, at most `MOST`."""
        named = [name for name in there if name in self.gallery] or list(there)
        nearest = sorted(named, key=lambda name: self.distance(name, dataset))[:MOST]
        return [name for name in named if name in nearest]

    @property
    def choice(self) -> str:
        """Which rows have pictures, where not all have."""
        rows = self.methods
        named = [name for name in rows if name in self.gallery]
        if len(named or rows) > MOST:
            return f" Of {len(rows)} rows the {MOST} with the best {self.table.metrics[0]}."
        if named and len(named) < len(rows):
            return f" Of {len(rows)} rows the {len(named)} that the matrix names for its gallery."
        return ""

    def distance(self, method: str, dataset: str) -> float:
        """How far a row is from the ideal of the first metric."""
        metric = self.table.metrics[0]
        figure = self.table.figures.get((method, dataset, metric))
        if figure is None or figure.value is None:
            return float("inf")
        return distance(metric, figure.value)


def label_of(cell: ResultCell) -> str:
    """What folders call the data that a cell's model was fitted on."""
    styles = "-".join(cell.protocol["train_styles"])
    return styles if cell.protocol["training"] == "per_style" else f"mixed_{styles}"
