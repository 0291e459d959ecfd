"""One model for two styles, and what it makes of a third, beside a model for each style."""

import json
from pathlib import Path

import pytest
import yaml
from heard import fits_of

TRAINED, HELD_OUT = ("thin_ice", "thick_ice"), "low_dose"
TABLE = "fid_mixed_thin_ice-thick_ice"
MODEL = "cryogem__mixed_thin_ice-thick_ice"


@pytest.fixture(scope="module")
def mixed(run):
    """The root, the command, and the fits that it made beside the per-style table."""
    root, argv = run
    argv = [*argv, "--methods", "gaussian,cryogem", "--styles", "all", "--training", "mixed"]
    argv += ["--train_styles", "thick_ice,thin_ice"]  # in any order
    return root, argv, fits_of(argv)


def read_cell(root: Path, method: str, style: str):
    return json.loads((root / "results/mini" / TABLE / f"{method}__{style}__0.json").read_text())


def written(root: Path, table: str) -> dict[str, int]:
    folder = root / "results/mini" / table
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*__*.json")}


def test_a_method_that_trains_is_fitted_once(mixed):
    _, _, fits = mixed
    per_style = [f"gaussian__{style}__0" for style in (*TRAINED, HELD_OUT)]
    assert sorted(fits) == [f"{MODEL}__0", *sorted(per_style)]


def test_its_data_are_those_of_both_styles(mixed):
    root, _, _ = mixed
    data = yaml.safe_load((root / f"runs/mini/fit/{MODEL}__0/config.yaml").read_text())["data"]
    assert data["class_path"] == "cryoccd.data.mixed.MixedDataModule"
    parts = [Path(part["real"]).parent.name for part in data["init_args"]["parts"]]
    assert tuple(parts) == TRAINED


@pytest.mark.parametrize(("style", "index"), [("thin_ice", 0), ("thick_ice", 1), ("low_dose", 0)])
def test_each_column_is_translated_as_its_style(mixed, style, index):
    root, _, _ = mixed
    folder = root / f"runs/mini/generated/{MODEL}__{style}__0"
    assert json.loads((folder / "manifest.json").read_text())["made_by"]["style"] == index


@pytest.mark.parametrize("style", [*TRAINED, HELD_OUT])
def test_cells_say_what_their_model_was_fitted_on(mixed, style):
    root, _, _ = mixed
    protocol = read_cell(root, "cryogem", style)["protocol"]
    assert (protocol["training"], protocol["train_styles"]) == ("mixed", list(TRAINED))
    protocol = read_cell(root, "gaussian", style)["protocol"]
    assert (protocol["training"], protocol["train_styles"]) == ("per_style", [style])
    assert "training" not in read_cell(root, "real_floor", style)["protocol"]


def test_the_table_says_it_too(mixed):
    root, _, _ = mixed
    text = (root / "results/mini" / TABLE / "table.md").read_text()
    for line in (
        f"Table {TABLE}",
        "training per_style, a model for each column, fitted on its own training split: gaussian",
        "training mixed, one model for all columns, fitted on thin_ice, thick_ice: cryogem",
        "held out of mixed training: low_dose",
    ):
        assert line in text


def test_the_two_ways_leave_each_other_alone(mixed):
    root, _, _ = mixed
    per_style = root / "results/mini/fid/cryogem__thin_ice__0.json"
    known = json.loads(per_style.read_text())
    assert known["protocol"]["training"] == "per_style"
    found = read_cell(root, "cryogem", "thin_ice")
    assert found["provenance"]["config_hash"] != known["provenance"]["config_hash"]
    assert found["metrics"] != known["metrics"]
    assert (root / "runs/mini/fit/cryogem__thin_ice__0/last.ckpt").is_file()


def test_second_run_reuses_cells_and_model(mixed):
    root, argv, _ = mixed
    before, per_style = written(root, TABLE), written(root, "fid")
    assert len(before) == 4 * 3
    assert fits_of(argv) == []
    assert before == written(root, TABLE)
    (root / "results/mini" / TABLE / "cryogem__low_dose__0.json").unlink()
    checkpoint = root / f"runs/mini/fit/{MODEL}__0/last.ckpt"
    fitted = checkpoint.stat().st_mtime_ns
    assert fits_of(argv) == [f"{MODEL}__0"]  # which finds itself finished
    assert checkpoint.stat().st_mtime_ns == fitted
    assert written(root, TABLE).keys() == before.keys()
    assert written(root, "fid") == per_style
