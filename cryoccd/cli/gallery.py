"""`cryoccd gallery control`: pictures of what methods do, with the figures behind them."""

from dataclasses import replace
from pathlib import Path

from cryoccd.cli.parse import call, names, numbers
from cryoccd.errors import CryoccdError

GALLERIES = ("control",)


def control(
    profile: str = "demo",
    methods: str | None = None,
    style: str | None = None,
    seed: str = "0",
    data: Path | None = None,
    structure: str | None = None,
    results: Path = Path("results"),
    runs: Path = Path("runs"),
    trainer: Path | None = None,
    device: str = "cpu",
) -> None:
    """Draw each method's images of one seed while one factor of the clean scene changes.

    Fitted methods of the table's runs folder are used; missing ones are fitted as the table does.

    Args:
        profile: demo (the oracle benchmark), real (your micrographs) or paper (the published data
            sets); the matrix is experiments/fid-PROFILE.yaml.
        methods: comma list of methods, or all of configs/method; by default those of the matrix
            but for the ones that count electrons, whose noise hangs on the signal.
        style: comma list of data sets, or all; by default those of the matrix.
        seed: comma list of seeds; pictures are those of the first.
        data: folder of real micrographs with picks, split.csv and optics (profile real).
        structure: structure file of the particle (profile real).
        results: pictures and figures are written to PROFILE/control in it.
        runs: where data and checkpoints are kept.
        trainer: trainer configuration instead of the matrix's, such as configs/trainer/gpu.yaml.
        device: where images are made: cpu, cuda or cuda:N.
    """
    from rich.console import Console

    from cryoccd.cli import dispatch
    from cryoccd.launch.control import COUNTING, ControlGallery
    from cryoccd.launch.matrix import read_profile
    from cryoccd.launch.noise_column import NoiseColumn
    from cryoccd.launch.run_table import RunTable
    from cryoccd.launch.selection import select

    matrix = select(read_profile(profile, data, structure), names(methods), names(style))
    if methods is None:
        matrix = replace(matrix, methods=[m for m in matrix.methods if m not in COUNTING])
    if trainer:
        matrix = replace(matrix, trainer=trainer)
    known = (matrix, numbers("seed", seed), results, runs, dispatch, NoiseColumn)
    table = RunTable(*known, Console(), device)
    ControlGallery(table).run()


def run(argv: list[str]) -> None:
    """Dispatch on the gallery's name."""
    if argv and argv[0] in ("-h", "--help"):
        argv = ["control", "--help"]
    if not argv or argv[0] not in GALLERIES:
        named = repr(argv[0]) if argv else "none"
        raise CryoccdError(f"gallery: {named} asked for, expected one of {', '.join(GALLERIES)}")
    call("gallery control", control, argv[1:])
