"""`cryoccd table NAME`: rerun a table from structures to figures."""

from dataclasses import replace
from functools import partial
from os import cpu_count
from pathlib import Path
from typing import Literal

from cryoccd.cli.parse import call, names, numbers
from cryoccd.errors import CryoccdError

TABLES = ("fid", "ablation", "steps", "picking", "pose", "resolution", "volume")
REFERENCE = Path("benchmarks/reference.yaml")


def make(
    table: str,
    profile: str = "demo",
    methods: str | None = None,
    styles: str | None = None,
    seeds: str = "0",
    training: Literal["per_style", "mixed"] = "per_style",
    train_styles: str | None = None,
    data: Path | None = None,
    structure: str | None = None,
    results: Path = Path("results"),
    runs: Path = Path("runs"),
    allow_missing: bool = False,
    reference: bool = False,
    trainer: Path | None = None,
    device: str = "cpu",
    metrics: str | None = None,
    inception_weights: str | None = None,
    clip_weights: str | None = None,
    weights_sha256: str | None = None,
    jobs: int | None = None,
    picker: Literal["fast", "topaz"] = "fast",
    poses: Literal["matching", "relion"] = "matching",
    cluster: Literal["local", "slurm"] = "local",
    wandb: bool = False,
    sync: bool = False,
) -> None:
    """Make, print and write a table of noise models against real micrographs.

    Finished cells are reused; an interrupted run goes on where it stopped.

    Args:
        table: its name.
        profile: demo (the oracle benchmark, nothing to download), real (your micrographs) or paper
            (the published data sets, docs/paper.md); the matrix is experiments/TABLE-PROFILE.yaml.
        methods: comma list of rows, or all; by default those of the matrix.
        styles: comma list of column groups, or all; by default those of the matrix.
        seeds: comma list of seeds.
        training: per_style fits a model for each column; mixed fits one for all columns.
        train_styles: comma list of the styles that mixed models are fitted on, or all; by default
            the columns. Columns beyond it are held out.
        data: folder of real micrographs with picks, split.csv and optics (profile real).
        structure: structure file of the particle (profile real).
        results: where cells and tables are written.
        runs: where data, checkpoints and generated sets are kept.
        allow_missing: reduce the finished cells alone, make none.
        reference: show published figures in columns of their own.
        trainer: trainer configuration instead of the matrix's, such as configs/trainer/gpu.yaml.
        device: where sets are translated: cpu, cuda or cuda:N.
        metrics: comma list of the columns of each group; by default those of the matrix.
        inception_weights: file of the Inception-v3 weights, or `download`; adds fid_inception and
            kid_inception.
        clip_weights: file of the CLIP ViT-L/14-336 weights, or `download`; adds cmmd_clip.
        weights_sha256: comma list of the checksums of files that are taken though they are not the
            published ones; their figures are called custom.
        jobs: columns made side by side, each with its share of the cores; by default as many as
            there are columns and cores, but 1 on a GPU. Mixed training takes one after another.
        picker: (picking, resolution) fast, a small network of our own, or topaz, the program.
        poses: (resolution) matching to projections of the known map, or relion, which refines
            against it.
        cluster: local, or slurm: a job for each column group, see docs/sweeps.md.
        wandb: track fits and cells with W&B, offline where there is no login.
        sync: upload what is not yet on W&B's site.
    """
    options = dict(locals())
    from rich.console import Console

    from cryoccd.cli import dispatch
    from cryoccd.launch.finish import finish
    from cryoccd.launch.matrix import read_profile
    from cryoccd.launch.noise_column import NoiseColumn
    from cryoccd.launch.picking_column import PickingColumn
    from cryoccd.launch.pose_column import PoseColumn
    from cryoccd.launch.resolution_column import ResolutionColumn
    from cryoccd.launch.run_table import ColumnKind, RunTable
    from cryoccd.launch.selection import choose_metrics, select
    from cryoccd.launch.side_by_side import side_by_side
    from cryoccd.launch.training import mixture
    from cryoccd.launch.volume_column import VolumeColumn
    from cryoccd.launch.wandb_cells import track_cells
    from cryoccd.launch.wandb_sync import sync as upload_runs
    from cryoccd.metrics.networks.deep import DeepWeights
    from cryoccd.metrics.picking.task import FIGURES as PICKING
    from cryoccd.metrics.pose.columns import MAPS, POSES
    from cryoccd.metrics.standard import standard_figures
    from cryoccd.metrics.volume.columns import LEVELS, VOLUMES
    from cryoccd.metrics.volume.pose_error import FIGURES as POSE_ERRORS
    from cryoccd.report.reference import read_reference

    console = Console()
    whole = read_profile(profile, data, structure, table)
    published = read_reference(REFERENCE, table) if reference else ()
    matrix = select(whole, names(methods), names(styles))
    mixed = mixture(whole, matrix, training, names(train_styles))
    if mixed:
        matrix = replace(matrix, table=f"{matrix.table}_{mixed.label}")
    for chosen_program, ours in ((picker, "fast"), (poses, "matching")):
        if chosen_program != ours:
            matrix = replace(matrix, table=f"{matrix.table}_{chosen_program}")
    chosen = numbers("seeds", seeds)
    weights = DeepWeights.find(inception_weights, clip_weights, names(weights_sha256) or ())
    known_figures = {
        "picking": PICKING,
        "pose": (*POSES, *MAPS),
        "resolution": MAPS,
        "volume": (*VOLUMES, *POSE_ERRORS, *LEVELS),
    }
    figures = known_figures.get(table)
    known = {each.name for each in figures} if figures else set(standard_figures())
    columns = choose_metrics(names(metrics) or matrix.metrics, weights.figures, known)
    matrix = replace(matrix, metrics=columns)
    if trainer:
        matrix = replace(matrix, trainer=trainer)
    if jobs is not None and jobs < 1:
        raise CryoccdError(f"jobs = {jobs}, expected 1 or more")
    kinds: dict[str, ColumnKind] = {
        "picking": partial(PickingColumn, kind=picker),
        "pose": PoseColumn,
        "resolution": partial(ResolutionColumn, kind=picker, poses_by=poses),
        "volume": VolumeColumn,
    }
    kind = kinds.get(table, partial(NoiseColumn, weights=weights))
    cells = RunTable(matrix, chosen, results, runs, dispatch, kind, console, device, mixed, wandb)
    if not allow_missing:
        cells.check()
        groups = [spec.name for spec in matrix.datasets]
        left_out = ("table", "styles", "jobs", "allow_missing", "reference", "cluster", "sync")
        kept = {k: v for k, v in options.items() if k not in left_out and v is not None}
        kept = {name: value for name, value in kept.items() if value is not False}
        words = [
            f"--{name}" if value is True else f"--{name}={value}" for name, value in kept.items()
        ]
        if cluster == "slurm":
            from cryoccd.launch.sweep.tables import submit_table

            places = results, runs
            submit_table(table, profile, groups, bool(mixed), words, jobs, places, console)
            return
        side = 1 if mixed or device != "cpu" else min(jobs or cpu_count() or 1, len(groups))
        if side > 1:
            side_by_side(
                groups, ["table", table, *words], side, runs / matrix.profile / "logs", console
            )
        else:
            cells.run()
    finish(cells, allow_missing, published)
    if wandb or sync:
        made = sorted((results / matrix.profile / matrix.table).glob("*__*__*.json"))
        track_cells(made, runs / matrix.profile, console)
    if sync:
        upload_runs(runs / matrix.profile, console)


def run(argv: list[str]) -> None:
    """Dispatch on the table's name."""
    if argv and argv[0] in ("-h", "--help"):
        argv = ["fid", "--help"]
    if not argv or argv[0] not in TABLES:
        named = repr(argv[0]) if argv else "none"
        raise CryoccdError(f"table: {named} asked for, expected one of {', '.join(TABLES)}")
    call(f"table {argv[0]}", make, argv[1:], table=argv[0])
