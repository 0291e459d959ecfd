"""`cryoccd compose`: whole tomograms of generated boxes in a generated background."""

from pathlib import Path

from cryoccd.cli.parse import call
from cryoccd.cli.parse import names as listed
from cryoccd.errors import CryoccdError


def compose(
    checkpoint: Path,
    tomograms: Path,
    output: Path,
    count: int = 1,
    shape: str | None = None,
    particles: int | None = None,
    picks: Path | None = None,
    picks_pixel_size_A: float | None = None,
    classes: str | None = None,
    diameter: list[str] | None = None,
    margin_A: float = 20.0,
    rim_A: float = 80.0,
    density: bool = False,
    names: str | None = None,
    flavour: str | None = None,
    seed: int = 0,
    batch_size: int = 8,
    device: str = "cpu",
    resume: bool = False,
    title: str = "compose",
    set: list[str] | None = None,
) -> None:
    """Compose whole tomograms with picks out of generated boxes and a generated background.

    Args:
        checkpoint: `last.ckpt` of a fit, with its config.yaml beside it.
        tomograms: folder of tomograms with picks, those of the fit: they tell the spectrum of the
            background, the strength of the boxes, the slab and the crowding.
        output: dataset folder to write.
        count: number of tomograms; with picks one for each that they name.
        shape: voxels of each along z,y,x such as 184,630,630; by default that of the first of
            --tomograms.
        particles: particles in each; by default as crowded as --tomograms.
        picks: CSV, STAR or copick's JSON with the places of the particles instead.
        picks_pixel_size_A: what 1 in x, y, z of --picks is; by default what they tell, else voxels.
        classes: comma list of classes; by default all that the model knows.
        diameter: CLASS=ANGSTROM, instead of that of the map of a class; may be given several times.
        margin_A: margin about a particle that is as in its box.
        rim_A: over which a box goes over into the background.
        density: draw poses, and tell the model of the density of all particles in each box.
        names: comma list of --tomograms to measure; by default all.
        flavour: which reconstruction of --tomograms, such as denoised.
        seed: seed of all randomness.
        batch_size: boxes at once.
        device: cpu, cuda or cuda:N.
        resume: keep finished tomograms of an interrupted run.
        title: what stands before the progress bar.
        set: NAME=VALUE, a setting of the model in place of the fit's; may be given several times.
    """
    from cryoccd.io.dotted import parse_dotted
    from cryoccd.io.tomograms import TomogramOptions, open_tomograms
    from cryoccd.methods.checkpoint import load_generator
    from cryoccd.methods.generation import (
        Arrangement,
        BlendOptions,
        chosen_labels,
        compose_tomograms,
    )
    from cryoccd.simulate.run import check_device

    check_device(device)
    sides = None if shape is None else _shape(shape)
    arrangement = Arrangement(sides, count, particles, picks, picks_pixel_size_A)
    diameters_A = parse_dotted("diameter", diameter or ())
    options = BlendOptions(diameters_A, margin_A, rim_A, density, batch_size)
    settings = parse_dotted("set", set or ())
    model = load_generator(checkpoint, settings)
    labels = chosen_labels(model, listed(classes))
    chosen = TomogramOptions(flavour=flavour, names=listed(names))
    source = open_tomograms(tomograms, chosen)
    compose_tomograms(
        model,
        checkpoint,
        source,
        output,
        labels,
        arrangement,
        options,
        seed,
        device,
        resume,
        title,
        settings,
    )


def run(argv: list[str]) -> None:
    """Parse and compose."""
    call("compose", compose, argv)


def _shape(text: str) -> tuple[int, int, int]:
    """Voxels along z, y, x.

    Raises:
        CryoccdError: not three whole numbers.
    """
    try:
        z, y, x = (int(part) for part in text.split(","))
    except ValueError as error:
        raise CryoccdError(
            f"shape = {text!r}, expected voxels along z,y,x such as 184,630,630"
        ) from error
    return z, y, x
