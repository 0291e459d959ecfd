"""The table of samplers and steps in small: one fit sampled in four ways, two of them undefined."""

import json

import pytest
from heard import folders_of, verbs_of

ROWS = ("ddim_2", "ddim_20", "unipc_2", "unipc_20")
STEPS = "model.init_args.sampler.init_args.steps"


@pytest.fixture(scope="module")
def steps(tmp_path_factory):
    """The folder with results/ and runs/, the command, and the verbs that it ran."""
    root = tmp_path_factory.mktemp("steps")
    argv = ["table", "steps", "--profile", "mini", "--reference"]
    argv += ["--results", str(root / "results"), "--runs", str(root / "runs")]
    return root, argv, verbs_of(argv)


def read_cell(root, row):
    return json.loads((root / f"results/mini/steps/{row}__thick_ice__0.json").read_text())


def test_all_rows_share_one_fit(steps):
    root, _, verbs = steps
    assert folders_of(verbs, "fit", "trainer.default_root_dir") == ["cryoccd__thick_ice__0"]
    assert len([words for words in verbs if words[0] == "translate"]) == len(ROWS)
    found = {path.name for path in (root / "runs/mini/generated").iterdir()}
    assert found == {f"{row}__thick_ice__0" for row in ("ddim_2", "unipc_2")}


def test_each_row_is_sampled_in_its_way(steps):
    root, _, _ = steps
    made_by = {}
    for row in ("ddim_2", "unipc_2"):
        path = root / f"runs/mini/generated/{row}__thick_ice__0/manifest.json"
        made_by[row] = json.loads(path.read_text())["made_by"]
    assert made_by["unipc_2"]["set"] == {STEPS: 2}
    ddim = made_by["ddim_2"]["set"]
    assert ddim.pop("model.init_args.sampler.init_args.scheduler") == {
        "class_path": "diffusers.DDIMScheduler",
        "init_args": {"clip_sample": False, "timestep_spacing": "trailing"},
    }
    assert ddim == {STEPS: 2}
    values = {row: read_cell(root, row)["metrics"]["fd_scattering"]["value"] for row in made_by}
    assert values["ddim_2"] != values["unipc_2"]


@pytest.mark.parametrize("row", ["ddim_20", "unipc_20"])
def test_more_steps_than_levels_are_undefined_with_the_reason(steps, row):
    root, _, _ = steps
    for metric in read_cell(root, row)["metrics"].values():
        assert metric["value"] is None
        assert "steps = 20" in metric["note"]
        assert "<= 10, the levels of the noise schedule" in metric["note"]
    lines = (root / "results/mini/steps/table.md").read_text().splitlines()
    [line] = [line for line in lines if line.split("|")[1:2] == [f" {row} "]]
    cells = {cell.strip() for cell in line.split("|")[2:4]}
    [note] = [line for line in lines if "sampler: steps = 20" in line]
    assert cells == {f"undefined{note.split(' ')[0]}"}


def test_the_table_says_that_no_figure_is_published(steps):
    root, _, _ = steps
    text = (root / "results/mini/steps/table.md").read_text()
    assert "published, not comparable" not in text
    assert "no figure of this table is known to us" in text
    assert (root / "results/mini/steps/gallery_thick_ice.png").stat().st_size > 10_000


def test_second_run_reuses_undefined_cells_too(steps):
    root, argv, _ = steps
    folder = root / "results/mini/steps"
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*__*.json")}
    assert len(before) == len(ROWS) + 2
    assert verbs_of(argv) == []
    assert before == {path.name: path.stat().st_mtime_ns for path in folder.glob("*__*.json")}
