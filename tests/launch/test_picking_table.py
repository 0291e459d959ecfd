"""The picking table in small: every stage, and what its cells and files say."""

import json

import pytest
from heard import folders_of, verbs_of

from cryoccd.io.dataset import Dataset

ROWS = ("real_train", "gaussian_fitted", "any_contrast", "template", "random_picks")


@pytest.fixture(scope="module")
def picking(tmp_path_factory):
    """The folder with results/ and runs/, the command, and the verbs that it ran."""
    root = tmp_path_factory.mktemp("picking")
    argv = ["table", "picking", "--profile", "mini", "--seeds", "0,1"]
    argv += ["--results", str(root / "results"), "--runs", str(root / "runs")]
    return root, argv, verbs_of(argv)


def read_cell(root, row, seed=0):
    path = root / f"results/mini/picking/{row}__thick_ice__{seed}.json"
    return json.loads(path.read_text())


def test_one_fit_and_one_translation_serve_all_pickers(picking):
    root, _, verbs = picking
    fits = folders_of(verbs, "fit", "trainer.default_root_dir")
    assert fits == ["gaussian_fitted__thick_ice__0"]
    assert set(folders_of(verbs, "translate", "output")) == {"gaussian_fitted__thick_ice__0"}
    made = Dataset(root / "runs/mini/generated_picking/gaussian_fitted__thick_ice__0")
    simulated = Dataset(root / "runs/mini/data/thick_ice/simulated_picking")
    assert made.names == simulated.names
    assert len(made.names) == 4
    # pickers see other scenes than methods were fitted on
    fitted_on = Dataset(root / "runs/mini/data/thick_ice/simulated")
    assert not set(fitted_on.particles["x_A"]) & set(simulated.particles["x_A"])


def test_cells_hold_every_figure_with_its_protocol(picking):
    root, _, _ = picking
    for row in ROWS:
        cell = read_cell(root, row)
        assert set(cell["metrics"]) == {"auprc", "auprc_wide", "best_f1"}
        assert cell["protocol"]["picker"] == "fast"
        assert cell["protocol"]["radius"] == 0.25
        for metric in cell["metrics"].values():
            assert 0 <= metric["value"] <= 1
            assert metric["n"] == 4
    changed = read_cell(root, "any_contrast")["protocol"]["variant"]
    assert changed == {"method": "gaussian_fitted", "picker": {"contrast": [0.7, 3.0]}}


def test_seeds_are_those_of_pickers(picking):
    root, _, _ = picking
    values = [
        [read_cell(root, row, seed)["metrics"]["auprc_wide"]["value"] for seed in (0, 1)]
        for row in ("gaussian_fitted", "any_contrast", "random_picks", "template")
    ]
    assert values[0][0] != values[0][1]
    assert values[0] != values[1]
    assert values[3][0] == values[3][1]


def test_the_table_has_its_anchors_and_curves(picking):
    root, _, _ = picking
    folder = root / "results/mini/picking"
    lines = (folder / "table.md").read_text().splitlines()
    rows = [line.split("|")[1].strip() for line in lines if line.startswith("| ")]
    assert [row for row in rows if row in ROWS] == list(ROWS)
    assert any("a picker of real labels" in line for line in lines)
    assert (folder / "curves_thick_ice.png").stat().st_size > 10_000


def test_a_second_run_makes_nothing(picking):
    root, argv, _ = picking
    folder = root / "results/mini/picking"
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*__*.json")}
    assert len(before) == 2 * len(ROWS)
    assert verbs_of(argv) == []
    assert before == {path.name: path.stat().st_mtime_ns for path in folder.glob("*__*.json")}


@pytest.mark.slow
def test_topaz_makes_the_same_rows_from_the_same_translations(picking):
    pytest.importorskip("topaz", reason="topaz-em is not installed")
    root, argv, _ = picking
    made = root / "runs/mini/generated_picking/gaussian_fitted__thick_ice__0/micrographs"
    before = {path.name: path.stat().st_mtime_ns for path in made.iterdir()}
    verbs_of([*argv[:5], "0", *argv[6:], "--picker", "topaz"])
    assert {path.name: path.stat().st_mtime_ns for path in made.iterdir()} == before
    cells = {
        path.stem.partition("__")[0]: json.loads(path.read_text())
        for path in (root / "results/mini/picking_topaz").glob("*__*.json")
    }
    assert set(cells) == {*ROWS, "topaz_pretrained"}
    unfit = cells.pop("any_contrast")["metrics"]["auprc"]
    assert unfit["value"] is None
    assert unfit["note"] == "contrast is a setting of the fast picker, not of Topaz"
    for cell in cells.values():
        assert cell["protocol"]["picker"] == "topaz"
        assert 0 <= cell["metrics"]["auprc"]["value"] <= 1
