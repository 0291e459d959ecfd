"""The noise report card in a terminal."""

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cryoccd.report.noise_card import NoiseCard


def show_noise_card(card: NoiseCard, console: Console) -> None:
    """Print every figure beside its anchors, the notes, and what the tests found."""
    table = Table(title=card.title, box=SIMPLE_HEAD, padding=(0, 1, 0, 0), title_justify="left")
    anchors = [name for name in ("floor", "ceiling") if name in card.anchors]
    for head in ("figure", "value", "interval", *anchors):
        table.add_column(head, no_wrap=True, justify="left" if head == "figure" else "right")
    notes: dict[str, list[str]] = {}
    for name, metric in card.metrics.items():
        if metric.note:
            notes.setdefault(metric.note, []).append(name)
        read_against = [card.text(card.anchors[anchor][name])[0] for anchor in anchors]
        table.add_row(name, *card.text(metric), *read_against)
    console.print(table)
    for note, of in notes.items():
        console.print(f"{', '.join(of)}: {note}", markup=False, style="dim")
    console.print(card.verdict(), markup=False)
