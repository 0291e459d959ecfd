"""Whole tables of the noise of methods, made by the command line."""

from collections.abc import Sequence
from pathlib import Path

from cryoccd.cli import main
from cryoccd.report.table import Table, reduce_cells

WHITE = ("gaussian", "poisson", "poisson_gaussian", "gaussian_fitted")
FITTED = ("gaussian_fitted", "spectrum", "real_ice")
LEARNED = ("cryogem", "cyclediffusion", "cryoccd")
METHODS = (*WHITE, "spectrum", "real_ice")
METRICS = ("psd_background_db", "contrast_error_db", "fd_scattering")


def run(root: Path, *extra: str) -> None:
    places = ["--results", str(root / "results"), "--runs", str(root / "runs")]
    assert main(["table", "fid", *extra, *places]) == 0


def reduced(root: Path, profile: str, datasets: Sequence[str]) -> Table:
    methods = (*METHODS, *(LEARNED if profile == "demo" else ("cryogem",)))
    return reduce_cells(root / "results", profile, "fid", methods, datasets, METRICS)
