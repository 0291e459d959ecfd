"""`cryoccd evaluate noise`: the noise report card of a generated set against held-out real data."""

import json
from pathlib import Path

from rich.console import Console

from cryoccd.cli.evaluate import check_output
from cryoccd.cli.parse import names
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import write_text
from cryoccd.io.dataset import Share
from cryoccd.launch.noise_card import NoiseTask, Tests
from cryoccd.launch.noise_sets import Sources, Split
from cryoccd.launch.noise_statistics import NoiseStatistics, is_made
from cryoccd.metrics.networks.deep import DeepWeights
from cryoccd.metrics.protocol import NoiseProtocol
from cryoccd.metrics.standard import PANEL
from cryoccd.metrics.statistics.verdict import permutations_needed
from cryoccd.report.noise_figure import write_noise_figure
from cryoccd.report.noise_terminal import show_noise_card


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
    share: str = "1of1",
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
        share: NofM: measure the Nth of M shares of the micrographs; the last share to end makes
            the card.
    """
    check_output(output)
    own = Share.parse(share)
    needed = permutations_needed(len(PANEL))
    for name, value, least in (("limit", limit, 1), ("permutations", permutations or None, needed)):
        if value is not None and value < least:
            raise CryoccdError(f"{name} = {value}, expected {least} or more")
    if particle_diameter_A is not None and not particle_diameter_A > 0:
        raise CryoccdError(f"particle_diameter_A = {particle_diameter_A}, expected above 0")
    sources = Sources(
        real,
        generated,
        clean,
        against,
        real_split,
        generated_split,
        reference,
        reference_split,
        limit,
        pixel_size_A,
    )
    diameter_A, remark = particle_diameter_A, ""
    if diameter_A is None:
        diameter_A, remark = sources.diameter_A()
    protocol = NoiseProtocol(crop_px, crops_per_micrograph, tile_px, diameter_A, seed)
    protocol.as_dict()  # names a wrong crop before the work begins
    console = Console(stderr=True)
    with console.status("reading micrographs"):
        sets, inputs = sources.open(diameter_A, allow_same)
    weights = DeepWeights.find(inception_weights, clip_weights, names(weights_sha256) or ())
    task = NoiseTask.of(sets, protocol, weights, Tests(permutations, anchors), inputs)
    for line in (_make(task, output, own, console), remark):
        if line:
            Console().print(line, markup=False, style="dim", soft_wrap=True)


def _make(task: NoiseTask, output: Path, share: Share, console: Console) -> str:
    """Measure a share, and make the card where that was the last one; what the user is told."""
    if not share.whole and is_made(output, task.made_by):
        return f"{output} is there already"
    statistics = NoiseStatistics(output, task.made_by, share)
    with statistics.refusable():
        measures = task.describe(statistics, console)
    counts = {name: len(fields) for name, (fields, _) in task.sides.items()}
    with statistics.joined(counts) as sides:
        if sides is None:
            return f"share {share} is measured; the last share to end writes {output}"
        card = task.compare(measures, sides, console)
        page, picture = output.with_suffix(".md"), output.with_suffix(".png")
        write_noise_figure(picture, task.sets.real, task.sets.generated, task.protocol.tile_px)
        write_text(page, card.markdown(picture.name))
        write_text(output, json.dumps(card.record(), indent=2, allow_nan=False) + "\n")
    show_noise_card(card, Console())
    return f"written {output}, {page}, {picture}"
