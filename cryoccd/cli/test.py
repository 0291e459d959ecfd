"""`cryoccd test`: the noise report of training, for a checkpoint, on other micrographs."""

import json
from pathlib import Path
from typing import Any

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
        figures: comma list of names of figures.
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

    from cryoccd.callbacks.noise_report import NoiseReport
    from cryoccd.callbacks.yardstick import Yardstick, diameter_A
    from cryoccd.io.atomic import check_writable, sha256_file, write_text
    from cryoccd.io.folder import open_folder
    from cryoccd.io.progress import progress_bar
    from cryoccd.methods.checkpoint import load_translator
    from cryoccd.metrics.fields import read_fields
    from cryoccd.report.noise_card import NoiseCard
    from cryoccd.simulate.run import check_device

    if output.is_dir() or output.suffix != ".json":
        raise CryoccdError(f"{output}: expected the name of a JSON file, such as test.json")
    check_writable(output)
    check_device(device)
    if style < 0:
        raise CryoccdError(f"style = {style}, expected 0 or more")
    if micrographs is not None and micrographs < 1:
        raise CryoccdError(f"micrographs = {micrographs}, expected 1 or more")
    model = load_translator(ckpt).to(device)
    sizes = {
        "figures": tuple(names(figures) or ()) or None,
        "crop_px": crop_px,
        "crops_per_micrograph": crops_per_micrograph,
        "tile_px": tile_px,
    }
    given = {key: value for key, value in sizes.items() if value is not None}
    report = NoiseReport(**(_settings(ckpt) | given))
    folder = open_folder(real)
    diameter, split = diameter_A(folder), "test" if folder.has_split else None
    yardstick = Yardstick(
        read_fields(real, split, micrographs, diameter_A=diameter),
        read_fields(simulated, None, micrographs, diameter_A=diameter),
        read_fields(real, "train", diameter_A=diameter) if split else None,
        report.figures,
        report.protocol,
    )
    with progress_bar() as progress:
        fields = progress.track(
            yardstick.translated(model, None, seed, style),
            total=len(yardstick.simulated),
            description="test",
        )
        metrics = yardstick.compare(yardstick.card.describe(fields, "generated"))
    inputs = {
        "real": str(real),
        "real_split": split or "all",
        "simulated": str(simulated),
        "micrographs": min(len(yardstick.real), len(yardstick.simulated)),
        "checkpoint_sha256": sha256_file(ckpt),
        "seed": seed,
        "style": style,
    }
    title = f"{ckpt} on {simulated} against {real}"
    fixed = yardstick.protocol.as_dict()
    card = NoiseCard(title, yardstick.card.figures, metrics, {}, {}, {}, fixed, inputs)
    write_text(output, json.dumps(card.record(), indent=2, allow_nan=False) + "\n")
    table = Table("figure", "ideal", "value", "interval", "note", title=title)
    for name, metric in metrics.items():
        table.add_row(name, f"{yardstick.ideal(name):g}", *card.text(metric), metric.note)
    Console().print(table)


def run(argv: list[str]) -> None:
    """Parse and test."""
    call("test", report_checkpoint, argv)


def _settings(ckpt: Path) -> dict[str, Any]:
    """Those of the noise report of the run that a checkpoint is of."""
    from cryoccd.io.checked import read_yaml

    settings: dict[str, Any] = read_yaml(ckpt.parent / "config.yaml").get("noise_report") or {}
    return settings
