"""A column of the demo table and the table of real micrographs, with what they must show."""

import csv
from pathlib import Path

import pytest

from cryoccd.cli import main
from cryoccd.report.table import reduce_cells

pytestmark = pytest.mark.slow

WHITE = ("gaussian", "poisson", "poisson_gaussian", "gaussian_fitted")
FITTED = ("gaussian_fitted", "spectrum", "real_ice")
LEARNED = ("cryogem", "cyclediffusion", "cryoccd")
METHODS = (*WHITE, "spectrum", "real_ice")
METRICS = ("psd_background_db", "contrast_error_db", "fd_scattering")


def run(root: Path, *extra: str) -> None:
    argv = [
        "table",
        "fid",
        *extra,
        "--results",
        str(root / "results"),
        "--runs",
        str(root / "runs"),
    ]
    assert main(argv) == 0


def reduced(root: Path, profile: str, datasets):
    methods = (*METHODS, *(LEARNED if profile == "demo" else ("cryogem",)))
    return reduce_cells(root / "results", profile, "fid", methods, datasets, METRICS)


def test_demo_table(tmp_path):
    styles = ("thin_ice",)  # one of its two, as it takes many minutes
    run(tmp_path, "--styles", *styles)
    table = reduced(tmp_path, "demo", styles)
    assert not table.better_than_bound
    for style in styles:
        value = {m: table.figures[m, style, "psd_background_db"].value for m in METHODS}
        assert value["gaussian_fitted"] == max(value[m] for m in FITTED)
        assert value["spectrum"] * 3 < min(value[m] for m in WHITE)
        for method in FITTED:
            assert abs(table.figures[method, style, "contrast_error_db"].value) < 1
        white = table.figures["gaussian_fitted", style, "fd_scattering"].value
        for method in LEARNED:
            assert table.figures[method, style, "fd_scattering"].value < white


def test_real_table(tmp_path, real_data):
    data, structure = real_data / "empiar-10146", real_data / "structures" / "6z6u.pdb"
    run(tmp_path, "--profile", "real", "--data", str(data), "--structure", str(structure))
    table = reduced(tmp_path, "real", ("empiar-10146",))
    for method in FITTED:
        assert abs(table.figures[method, "empiar-10146", "contrast_error_db"].value) < 2
    with (tmp_path / "results" / "real" / "fid" / "table.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["interval"] for row in rows if row["metric"] == "fd_scattering"} == {"range"}
