"""Training of a network by Topaz.

Targets are rounded to the pixels of the down-sampled micrographs; the pixels within an eighth of a
diameter are positives. See topaz_pi for what Topaz is told of their number.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cryoccd.downstream.picking.topaz import TopazPicker
from cryoccd.downstream.picking.topaz_config import TopazConfig
from cryoccd.downstream.picking.topaz_files import downsample, write_table
from cryoccd.downstream.picking.topaz_pi import counted_fraction, method_options, require_counts
from cryoccd.downstream.picking.topaz_program import run_topaz, stage
from cryoccd.downstream.picking.topaz_scale import choose_factor, seen_diameter_px
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import write_text
from cryoccd.io.folder import MicrographFolder


def train_topaz(
    config: TopazConfig,
    training: MicrographFolder,
    names: Sequence[str],
    output: Path,
    particle_diameter_A: float | None = None,
) -> TopazPicker:
    """Train a network on micrographs with labels, or find it where this was done.

    Args:
        config: settings.
        training: folder of the micrographs.
        names: those to train on.
        output: folder of what the program makes.
        particle_diameter_A: diameter of the particles; None takes that of the folder.

    Raises:
        CryoccdError: no micrographs, labels or diameter, or a fault of the program.
    """
    if particle_diameter_A is None:
        particle_diameter_A = training.known_optics.get("particle_diameter_A")
        if particle_diameter_A is None:
            raise CryoccdError(
                f"{training.root}: no particle_diameter_A; write it into optics.yaml"
            )
    pixel_size_A = training.pixel_size_A
    factor = config.downsample or choose_factor(particle_diameter_A, pixel_size_A)
    diameter_px = seen_diameter_px(particle_diameter_A, pixel_size_A, factor)
    labels = _labels(training, names)
    small = downsample(training, names, factor, output)
    targets = {name: small.to_small(name, labels[name]) for name in sorted(labels)}
    n_labelled = sum(len(points) for points in targets.values())
    radius_px = config.radius_px or max(2, round(diameter_px / 8))
    n_pixels = sum(int(small.size_px(name).prod()) for name in small.checksums)
    options = [
        *method_options(config, n_labelled, len(small.checksums), radius_px, n_pixels),
        *("--radius", str(radius_px), "--model", config.model, "--units", str(config.units)),
        *("--num-epochs", str(config.epochs), "--epoch-size", str(config.epoch_size)),
        *("--minibatch-size", str(config.minibatch_size)),
        *("--learning-rate", repr(config.learning_rate)),
        "--pretrained" if config.start == "pretrained" else "--no-pretrained",
    ]
    inputs = {
        "options": options,
        "repeat": config.repeat,
        "factor": factor,
        "files": small.checksums,
        "targets": {name: points.tolist() for name, points in targets.items()},
    }

    def make(made: Path, log: Path) -> None:
        # relative, as the table may have no blanks
        rows = [f"{s}\t../{small.folder.name}/{s}.mrc" for s in small.aliases.values()]
        write_text(made / "images.txt", "\n".join(["image_name\tpath", *rows]) + "\n")
        write_table(made / "particles.txt", targets, small.aliases)
        files = ("--train-images", "images.txt", "--train-targets", "particles.txt")
        results = ("--save-prefix", "network", "--output", "training.txt")
        device = ("--device", config.device)
        said = run_topaz("train", *options, *device, *files, *results, log=log, folder=made)
        require_counts(said, counted_fraction(n_labelled, radius_px, n_pixels))

    made = stage(output, "network", inputs, make)
    network = made / f"network_epoch{config.epochs}.sav"
    return TopazPicker(
        network, particle_diameter_A, output, factor * pixel_size_A, device=config.device
    )


def _labels(training: MicrographFolder, names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
    """(n, 2) positions on the micrographs that have some."""
    every = {name: training.picks_px(name) for name in names}
    labels = {name: picks for name, picks in every.items() if picks is not None and len(picks)}
    if not labels:
        raise CryoccdError(
            f"{training.root}: no particle is labelled on the {len(every)} micrographs to train "
            "on; name some that have labels"
        )
    return labels
