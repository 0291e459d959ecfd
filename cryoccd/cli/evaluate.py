"""`cryoccd evaluate noise`: the noise report card of a generated set against held-out real data."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.table import Table

import cryoccd
from cryoccd.cli.parse import call
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import check_writable, write_text
from cryoccd.io.folder import MicrographFolder, open_folder
from cryoccd.metrics.detectability import Detectability
from cryoccd.metrics.images import MicrographSet, read_set
from cryoccd.metrics.noise_report import Metric, NoiseProtocol, noise_report

Split = Literal["train", "test", "all"]


def run(argv: list[str]) -> None:
    """Evaluate one set of generated micrographs."""
    kind, *rest = argv or ["nothing"]
    if kind in ("-h", "--help"):
        kind, rest = "noise", ["--help"]
    if kind != "noise":
        raise CryoccdError(f"evaluate: {kind}, expected 'cryoccd evaluate noise --help'")
    call("evaluate noise", evaluate_noise, rest)


def evaluate_noise(
    real: Path,
    generated: Path,
    output: Path,
    real_split: Split | None = None,
    generated_split: Split | None = None,
    reference: Path | None = None,
    reference_split: Split | None = None,
    limit: int | None = None,
    pixel_size_A: float | None = None,
    particle_diameter_A: float | None = None,
    inception_weights: Path | None = None,
    crop_px: int = 64,
    crops_per_micrograph: int = 16,
    tile_px: int = 128,
    seed: int = 0,
) -> None:
    """Compare generated micrographs with real ones and write the figures as JSON.

    Args:
        real: folder of real micrographs.
        generated: folder of generated ones.
        output: the JSON file to be written.
        real_split: split of the real set; by default test, where the folder has splits.
        generated_split: split of the generated set; by default all.
        reference: real set that fixes the matched filter; by default that of --real.
        reference_split: its split; by default train, where the folder has splits.
        limit: micrographs a side at most; both sides are cut to the smaller number anyway.
        pixel_size_A: pixel size where the files have none.
        particle_diameter_A: diameter of the particles; by default that of the real set's optics.
        inception_weights: Inception weights; adds fid_inception and kid_inception.
        crop_px: side of the crops.
        crops_per_micrograph: crops of each micrograph.
        tile_px: side of the tiles of the power spectra.
        seed: of the choice of crops.
    """
    if output.is_dir():
        raise CryoccdError(f"{output}: a folder, expected the name of a JSON file")
    check_writable(output)
    if limit is not None and limit < 1:
        raise CryoccdError(f"limit = {limit}, expected 1 or more micrographs a side")
    console = Console(stderr=True)
    with console.status("reading micrographs"):
        real_folder = open_folder(real, pixel_size_A)
        real_part = real_split or ("test" if real_folder.has_split else "all")
        truth = read_set(real, _name(real_part), limit, pixel_size_A)
        made = read_set(generated, _name(generated_split), limit, pixel_size_A)
        _refuse_shared(real, truth, generated, made)
        count = min(len(truth), len(made))
        truth, made = truth.first(count), made.first(count)
    remark = ""
    if particle_diameter_A is None:
        particle_diameter_A, remark = _diameter_A(real_folder)
    elif not particle_diameter_A > 0:
        raise CryoccdError(f"particle_diameter_A = {particle_diameter_A}, expected above 0")
    protocol = NoiseProtocol(crop_px, crops_per_micrograph, tile_px, particle_diameter_A, seed)
    fixed = protocol.as_dict(inception_weights)  # names a wrong crop or file before the work begins
    with console.status("fitting the matched filter"):
        source = open_folder(reference or real, pixel_size_A)
        # without splits nothing is left to fit on, unless another folder is named
        part = reference_split or ("train" if source.has_split else "all" if reference else None)
        detectability = _matched_filter(source, part, truth, particle_diameter_A)
    with console.status(f"comparing {count} real with {count} generated micrographs"):
        report = noise_report(truth, made, detectability, protocol, inception_weights)
    record = {
        "metrics": {name: asdict(metric) for name, metric in report.items()},
        "protocol": fixed
        | {
            "real_split": real_part,
            "generated_split": generated_split or "all",
            "reference": str(source.root) if detectability else None,
            "reference_split": part if detectability else None,
        },
        "inputs": {"real": str(real), "generated": str(generated), "micrographs": count},
        "version": cryoccd.__version__,
    }
    write_text(output, json.dumps(record, indent=2, allow_nan=False) + "\n")
    shown = Console()
    shown.print(_table(report, f"{generated} against {real} ({real_part}), {count} each"))
    if remark:
        shown.print(remark, markup=False)


def _name(split: str | None) -> str | None:
    return None if split in (None, "all") else split


def _refuse_shared(real: Path, truth: MicrographSet, generated: Path, made: MicrographSet) -> None:
    one, two = (
        {hashlib.sha256(image.numpy().tobytes()).digest() for image in side.images}
        for side in (truth, made)
    )
    if one & two:
        raise CryoccdError(
            f"{generated}: {len(one & two)} of its micrographs are those of {real}; choose "
            "different sets or splits"
        )


def _diameter_A(folder: MicrographFolder) -> tuple[float | None, str]:
    """The particle diameter of the optics, or why there is none."""
    try:
        return folder.optics().particle_diameter_A, ""
    except CryoccdError as error:
        return None, f"no particle diameter: {error}; or give --particle-diameter-A"


def _matched_filter(
    source: MicrographFolder, part: str | None, truth: MicrographSet, diameter_A: float | None
) -> Detectability | None:
    """The filter from the real training split; None where it lacks a split, picks or diameter."""
    if part is None or diameter_A is None or not source.has_picks:
        return None
    training = read_set(source.root, _name(part), pixel_size_A=source.pixel_size_A)
    if training.centres_px is None:
        return None
    if abs(training.pixel_size_A / truth.pixel_size_A - 1) > 0.01:
        raise CryoccdError(
            f"{source.root}: pixel size {training.pixel_size_A:g} A, but {truth.pixel_size_A:g} A "
            "in the real set; bring both to the same"
        )
    diameter_px = diameter_A / training.pixel_size_A
    return Detectability.fit(training.images, training.centres_px, diameter_px)


def _table(report: dict[str, Metric], title: str) -> Table:
    table = Table("metric", "value", "interval over micrographs", "note", title=title)
    for name, metric in report.items():
        value = "-" if metric.value is None else f"{metric.value:.4g}"
        ends = "-"
        if metric.ci_low is not None and metric.ci_high is not None:
            kind = "95 %" if metric.interval == "jackknife95" else "range"
            ends = f"{metric.ci_low:.4g} to {metric.ci_high:.4g} ({kind})"
        table.add_row(name, value, ends, metric.note)
    return table
