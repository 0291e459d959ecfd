"""`cryoccd sample`: boxes of tomograms of each class from a fitted generator."""

from pathlib import Path
from typing import Literal

from cryoccd.cli.parse import call, names
from cryoccd.errors import CryoccdError


def sample(
    checkpoint: Path,
    count: int,
    output: Path,
    classes: str | None = None,
    positions: Literal["data", "uniform"] = "data",
    density: Path | None = None,
    seed: int = 0,
    batch_size: int = 8,
    device: str = "cpu",
    resume: bool = False,
    title: str = "sample",
    set: list[str] | None = None,
) -> None:
    """Draw boxes of tomograms, each with a particle of a known class in the middle.

    Args:
        checkpoint: `last.ckpt` of a fit, with its config.yaml beside it.
        count: boxes of each class.
        output: dataset folder to write.
        classes: comma list of classes; by default all that the model knows.
        positions: data: where the training boxes of the class were in their tomogram; uniform:
            anywhere.
        density: tomograms with poses and maps, such as a simulated set: their particles give
            positions, poses and the densities of which a model with a density condition is told.
        seed: seed of all randomness.
        batch_size: boxes at once.
        device: cpu, cuda or cuda:N.
        resume: keep finished boxes of an interrupted run.
        title: what stands before the progress bar.
        set: NAME=VALUE, a setting of the model in place of the fit's, such as
            model.init_args.guidance=2.0; may be given several times.
    """
    from cryoccd.io.dotted import parse_dotted
    from cryoccd.methods.checkpoint import load_generator
    from cryoccd.methods.generation import chosen_labels, sample_boxes
    from cryoccd.simulate.run import check_device

    if count < 1:
        raise CryoccdError(f"count = {count}, expected 1 or more")
    check_device(device)
    settings = parse_dotted("set", set or ())
    model = load_generator(checkpoint, settings)
    sample_boxes(
        model,
        checkpoint,
        output,
        chosen_labels(model, names(classes)),
        count,
        positions,
        density,
        seed,
        batch_size,
        device,
        resume,
        title,
        settings,
    )


def run(argv: list[str]) -> None:
    """Parse and sample."""
    call("sample", sample, argv)
