"""`cryoccd evaluate noise`: the noise report card of a generated set against held-out real data."""

import json
from pathlib import Path
from typing import Literal

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from cryoccd.cli.parse import call, names
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import check_writable, write_text
from cryoccd.io.folder import MicrographFolder, open_folder
from cryoccd.launch.noise_card import Sets, Tests, make_noise_card, refuse_shared
from cryoccd.metrics.card import check_pixel_sizes
from cryoccd.metrics.deep import DeepWeights
from cryoccd.metrics.fields import FieldFolder, read_fields
from cryoccd.metrics.protocol import NoiseProtocol
from cryoccd.metrics.standard import PANEL
from cryoccd.metrics.verdict import permutations_needed
from cryoccd.report.noise_card import NoiseCard
from cryoccd.report.noise_figure import write_noise_figure

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
    clean: Path | None = None,
    against: Path | None = None,
    real_split: Split | None = None,
    generated_split: Split | None = None,
    reference: Path | None = None,
    reference_split: Split | None = None,
    limit: int | None = None,
    pixel_size_A: float | None = None,
    particle_diameter_A: float | None = None,
    inception_weights: str | None = None,
    clip_weights: str | None = None,
    weights_sha256: str | None = None,
    crop_px: int = 64,
    crops_per_micrograph: int = 16,
    tile_px: int = 128,
    seed: int = 0,
    permutations: int = 239,
    anchors: bool = True,
    allow_same: bool = False,
) -> None:
    """Compare generated micrographs with real ones; write JSON, and Markdown and a picture beside.

    Args:
        real: folder of real micrographs.
        generated: folder of generated ones.
        output: the JSON file to be written.
        clean: simulated set that the generated ones were made from; by default their own folder.
        against: another method's translations of the same clean set, to be told from these.
        real_split: split of the real set; by default test, where the folder has splits.
        generated_split: split of the generated set; by default all.
        reference: real set that filter, contrast and floor come from; by default that of --real.
        reference_split: its split; by default train, where the folder has splits.
        limit: micrographs a side at most; both sides are cut to the smaller number anyway.
        pixel_size_A: pixel size where the files have none.
        particle_diameter_A: diameter of the particles; by default that of the real set's optics.
        inception_weights: file of the Inception-v3 weights, or `download`; adds fid_inception.
        clip_weights: file of the CLIP ViT-L/14-336 weights, or `download`; adds cmmd_clip.
        weights_sha256: comma list of checksums of weights that are taken though not published;
            their figures are called custom.
        crop_px: side of the crops.
        crops_per_micrograph: crops of each micrograph.
        tile_px: side of the tiles of the power spectra.
        seed: of the choice of crops and of the exchanges.
        permutations: exchanges of micrographs for the tests; 0 for none.
        anchors: measure real against real and white noise too.
        allow_same: take sets that have micrographs in common.
    """
    page, picture = output.with_suffix(".md"), output.with_suffix(".png")
    if output.is_dir() or output.suffix != ".json":
        what = "a folder" if output.is_dir() else f"ends in {output.suffix or 'nothing'}"
        raise CryoccdError(f"{output}: {what}, expected the name of a JSON file: card.json")
    check_writable(output)
    needed = permutations_needed(len(PANEL))
    for name, value, least in (("limit", limit, 1), ("permutations", permutations or None, needed)):
        if value is not None and value < least:
            raise CryoccdError(f"{name} = {value}, expected {least} or more")
    console = Console(stderr=True)
    real_folder = open_folder(real, pixel_size_A)
    real_part = real_split or ("test" if real_folder.has_split else "all")
    remark = ""
    if particle_diameter_A is None:
        particle_diameter_A, remark = _diameter_A(real_folder)
    elif not particle_diameter_A > 0:
        raise CryoccdError(f"particle_diameter_A = {particle_diameter_A}, expected above 0")
    protocol = NoiseProtocol(crop_px, crops_per_micrograph, tile_px, particle_diameter_A, seed)
    protocol.as_dict()  # names a wrong crop before the work begins

    def opened(folder: Path, split: str | None, truth: Path | None = None) -> FieldFolder:
        part = None if split in (None, "all") else split
        return read_fields(folder, part, limit, pixel_size_A, particle_diameter_A, truth)

    truth, made = opened(real, real_part), opened(generated, generated_split, clean)
    other = opened(against, generated_split, clean) if against else None
    if not allow_same:
        with console.status("reading micrographs"):
            refuse_shared(truth, made)
    count = min(len(each) for each in (truth, made, other) if each is not None)
    truth, made = truth.first(count), made.first(count)
    if other is not None:
        other = other.first(count)
        if other.names != made.names:
            raise CryoccdError(
                f"{against}: {other.names[0]}, ... are no translations of the clean micrographs of "
                f"{generated}; expected the same names"
            )
    source = open_folder(reference or real, pixel_size_A)
    # without splits nothing is left to learn from, unless another folder is named
    part = reference_split or ("train" if source.has_split else "all" if reference else None)
    training = (
        read_fields(
            source.root,
            None if part == "all" else part,
            None,
            pixel_size_A,
            particle_diameter_A,
        )
        if part
        else None
    )
    sets = Sets(truth, made, training, other)
    check_pixel_sizes({str(each.folder.root): each.folder.pixel_size_A for each in sets.all()})
    weights = DeepWeights.find(inception_weights, clip_weights, names(weights_sha256) or ())
    inputs = {
        "real": str(real),
        "generated": str(generated),
        "against": str(against) if against else None,
        "micrographs": count,
        "real_split": real_part,
        "generated_split": generated_split or "all",
        "reference": str(source.root) if training else None,
        "reference_split": part,
    }
    tests = Tests(permutations, anchors)
    card = make_noise_card(sets, protocol, weights, tests, inputs, console)
    write_noise_figure(picture, truth, made, card.protocol["tile_px"])
    write_text(page, card.markdown(picture.name))
    write_text(output, json.dumps(card.record(), indent=2, allow_nan=False) + "\n")
    shown = Console()
    _show(card, shown)
    for line in (remark, f"written {output}, {page}, {picture}"):
        if line:
            shown.print(line, markup=False, style="dim", soft_wrap=True)


def _diameter_A(folder: MicrographFolder) -> tuple[float | None, str]:
    """The particle diameter of the optics, or why there is none."""
    try:
        return folder.optics().particle_diameter_A, ""
    except CryoccdError as error:
        return None, f"no particle diameter: {error}; or give --particle-diameter-A"


def _show(card: NoiseCard, console: Console) -> None:
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
