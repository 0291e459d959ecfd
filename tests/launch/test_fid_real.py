"""The table of real micrographs, with what it must show."""

import csv

import pytest
from fid_tables import FITTED, reduced, run

pytestmark = pytest.mark.slow


def test_real_table(tmp_path, real_data):
    data, structure = real_data / "empiar-10146", real_data / "structures" / "6z6u.pdb"
    run(tmp_path, "--profile", "real", "--data", str(data), "--structure", str(structure))
    table = reduced(tmp_path, "real", ("empiar-10146",))
    for method in FITTED:
        assert abs(table.figures[method, "empiar-10146", "contrast_error_db"].value) < 2
    with (tmp_path / "results" / "real" / "fid" / "table.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["interval"] for row in rows if row["metric"] == "fd_scattering"} == {"range"}
