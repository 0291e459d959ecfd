"""Picks that cannot be used are listed, and refused where they are too many."""

import pandas as pd
import pytest
from import_inputs import TRUTH, check, do_import, write_micrographs

from cryoccd.errors import CryoccdError

FAULTS = [
    ("b", "nan", "1", "no number"),
    ("b", "x", "1", "no number"),
    ("absent", "1", "1", "unknown micrograph"),
    ("", "1", "1", "unknown micrograph"),
    ("b", "63.6", "1", "outside the field"),
    ("b", "1", "-0.6", "outside the field"),
    ("empty", "1", "79.51", "outside the field"),
    ("b", "5.7", "6.8", "duplicate"),
    ("b", "5.5", "6.5", "duplicate"),
]


@pytest.fixture
def picks(tmp_path):
    write_micrographs(tmp_path / "real")
    rows = [(name, str(x), str(y)) for name, points in TRUTH.items() for x, y in points]
    rows += [fault[:3] for fault in FAULTS]
    lines = "".join(",".join(row) + "\n" for row in rows)
    (tmp_path / "all.csv").write_text("micrograph,x_px,y_px\n" + lines)
    return tmp_path / "all.csv"


def check_list(path):
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert list(table.columns) == ["source", "row", "micrograph", "x_px", "y_px", "reason"]
    assert set(table["source"]) == {"all.csv"}
    assert list(table["row"].astype(int)) == list(range(7, 7 + len(FAULTS)))
    assert list(table["micrograph"]) == [fault[0] for fault in FAULTS]
    assert list(table["reason"]) == [fault[3] for fault in FAULTS]


def test_below_the_threshold_they_are_left_out_and_listed(tmp_path, picks):
    share = len(FAULTS) / (len(FAULTS) + 6)
    dataset = do_import(tmp_path, picks, "--threshold", str(share + 1e-9))
    check(dataset)
    check_list(dataset.root / "quarantine.csv")


def test_above_it_nothing_is_written_but_the_list(tmp_path, picks):
    with pytest.raises(CryoccdError) as fault:
        do_import(tmp_path, picks, "--quarantine", tmp_path / "listed/bad.csv")
    message = str(fault.value)
    counts = "2 duplicate, 2 no number, 3 outside the field, 2 unknown micrograph"
    assert f"9 of 15 picks cannot be used, more than the share 0.01 of --threshold: {counts}" in (
        message
    )
    assert "the first is row 7 of b at (nan, 1), no number" in message
    assert "\n" not in message
    assert not (tmp_path / "imported").exists()
    check_list(tmp_path / "listed/bad.csv")


def test_without_faults_the_list_has_a_header_alone(tmp_path):
    write_micrographs(tmp_path / "real")
    (tmp_path / "b.csv").write_text("x_px,y_px\n1,2\n1.51,2\n")  # just not the same
    dataset = do_import(tmp_path, tmp_path / "b.csv", "--threshold", "0")
    assert len(dataset.particles) == 2
    text = (dataset.root / "quarantine.csv").read_text()
    assert text == "source,row,micrograph,x_px,y_px,reason\n"


def test_faulty_rows_of_star_and_box_files(tmp_path):
    write_micrographs(tmp_path / "real")
    (tmp_path / "picks").mkdir()
    text = "data_\nloop_\n_rlnCoordinateX\n_rlnCoordinateY\n1 2\none two\n"
    (tmp_path / "picks/b.star").write_text(text)
    (tmp_path / "picks/empty.box").write_text("0 0 10 10\nnan 0 10 10\n0 0 -4 10\n")
    dataset = do_import(tmp_path, tmp_path / "picks", "--threshold", "0.6")
    assert list(dataset.particles["micrograph"]) == ["b", "empty"]
    table = pd.read_csv(dataset.root / "quarantine.csv")
    assert list(zip(table["source"], table["row"], strict=True)) == [
        ("b.star", 2),
        ("empty.box", 2),
        ("empty.box", 3),
    ]
