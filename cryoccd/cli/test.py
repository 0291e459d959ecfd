"""`cryoccd test`: the reports of training, for a checkpoint, on other micrographs."""

import json
from pathlib import Path

from cryoccd.cli.parse import call, names
from cryoccd.errors import CryoccdError


def report_checkpoint(
    ckpt: Path,
    real: Path,
    simulated: Path,
    output: Path,
    figures: str | None = None,
    micrographs: int | None = None,
    crop_px: int | None = None,
    crops_per_micrograph: int | None = None,
    tile_px: int | None = None,
    seed: int = 0,
    style: int = 0,
    device: str = "cpu",
) -> None:
    """Translate simulated micrographs with a checkpoint and compare with real ones; write JSON.

    What is not given is that of the run's own noise report.

    Args:
        ckpt: `last.ckpt` or `best.ckpt` of a fit, with its config.yaml beside it.
        real: folder of real micrographs; its test split, where it has one, and then figures such
            as contrast_error_db learn from its train split.
        simulated: dataset folder of simulated micrographs.
        output: the JSON file to be written.
        figures: comma list of names of figures; auprc, auprc_wide and best_f1 train the fast picker
            on the translations.
        micrographs: how many of a side at most, the first by name; by default all.
        crop_px: side of the crops whose features are compared.
        crops_per_micrograph: how many.
        tile_px: side of the tiles of the spectra.
        seed: seed of the noise.
        style: index of the acquisition style, for methods that know several.
        device: cpu, cuda or cuda:N.
    """
    from rich.console import Console
    from rich.table import Table

    from cryoccd.io.atomic import check_writable, write_text
    from cryoccd.launch.checkpoint_report import CheckpointReport, check_style
    from cryoccd.simulate.run import check_device

    if output.is_dir() or output.suffix != ".json":
        raise CryoccdError(f"{output}: expected the name of a JSON file, such as test.json")
    check_writable(output)
    check_device(device)
    check_style(style, micrographs)
    sizes = {
        "crop_px": crop_px,
        "crops_per_micrograph": crops_per_micrograph,
        "tile_px": tile_px,
    }
    given = {key: value for key, value in sizes.items() if value is not None}
    report = CheckpointReport(ckpt, real, simulated, micrographs, seed, style)
    card = report.card(device, names(figures), given)
    write_text(output, json.dumps(card.record(), indent=2, allow_nan=False) + "\n")
    table = Table("figure", "ideal", "value", "interval", "note", title=card.title)
    for name, metric in card.metrics.items():
        table.add_row(name, f"{card.figures[name].ideal:g}", *card.text(metric), metric.note)
    Console().print(table)


def run(argv: list[str]) -> None:
    """Parse and test."""
    call("test", report_checkpoint, argv)
