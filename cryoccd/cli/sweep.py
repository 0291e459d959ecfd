"""`cryoccd sweep`: many fits or tables from one file, on this machine or on a SLURM cluster."""

from pathlib import Path


def run(argv: list[str]) -> None:
    """Expand the sweep file and run what is not finished.

    Raises:
        CryoccdError: bad input, or jobs that are not finished at the end.
    """
    from jsonargparse import ArgumentParser
    from rich.console import Console

    from cryoccd.cli.parse import underscored
    from cryoccd.errors import CryoccdError
    from cryoccd.io.refusal import one_line
    from cryoccd.launch.sweep.config import read_sweep
    from cryoccd.launch.sweep.expand import expand
    from cryoccd.launch.sweep.run import run_sweep

    parser = ArgumentParser(
        prog="cryoccd sweep", description=__doc__, exit_on_error=False, allow_abbrev=False
    )
    add = parser.add_argument
    add("--config", type=Path, required=True, help="sweep file, such as configs/sweep/smoke.yaml")
    add("--set", action="append", help="KEY=VALUE in place of the file's; may come several times")
    add("--cluster", choices=["local", "slurm"], default="local", help="where jobs run")
    add("--jobs", type=int, help="jobs at once; by default what this machine has cores for")
    add("--dry_run", action="store_true", help="tell jobs, hours, memory and disk; run nothing")
    add("--retry", action="store_true", help="also run jobs again that have failed")
    add("--results", type=Path, default=Path("results"), help="where tables are written")
    add("--runs", type=Path, default=Path("runs"), help="where jobs keep what they make")
    add("--sync", action="store_true", help="then upload what W&B does not have yet")
    with one_line(parser):
        options = parser.parse_args(underscored(argv))
    if options.jobs is not None and options.jobs < 1:
        raise CryoccdError(f"jobs = {options.jobs}, expected 1 or more")
    sweep = read_sweep(options.config, options.set or ())
    jobs = expand(sweep, options.results, options.runs)
    console = Console()
    run_sweep(jobs, options.cluster, options.jobs, options.dry_run, options.retry, console)
    if options.sync and not options.dry_run:
        from cryoccd.launch.wandb_sync import sync

        sync(options.runs, console, options.results)
