"""The ablation table in small: one row of each kind through every stage."""

import json

import pytest
from heard import folders_of, verbs_of

from cryoccd.cli import main
from cryoccd.io.dataset import Dataset

ROWS = ("full", "no_cycle", "no_corrector", "global_gradient_ice", "small_defocus")
DISABLED = "model.init_args.sampler.init_args.scheduler.init_args.disable_corrector"


@pytest.fixture(scope="module")
def ablation(tmp_path_factory):
    """The folder with results/ and runs/, the command, and the verbs that it ran."""
    root = tmp_path_factory.mktemp("ablation")
    argv = ["table", "ablation", "--profile", "mini", "--reference"]
    argv += ["--results", str(root / "results"), "--runs", str(root / "runs")]
    return root, argv, verbs_of(argv)


def read_cell(root, row):
    path = root / f"results/mini/ablation/{row}__thick_ice__0.json"
    return json.loads(path.read_text())


def test_rows_that_differ_in_sampling_share_a_fit(ablation):
    _, _, verbs = ablation
    fits = ["full", "no_cycle", "cryoccd", "small_defocus"]
    fitted = folders_of(verbs, "fit", "trainer.default_root_dir")
    assert fitted == [f"{name}__thick_ice__0" for name in fits]
    translated = folders_of(verbs, "translate", "output")
    assert translated == [f"{row}__thick_ice__0" for row in ROWS]


def test_each_row_changes_what_it_says(ablation):
    root, _, _ = ablation
    runs = root / "runs/mini"
    configs = {row: (runs / f"fit/{row}__thick_ice__0/config.yaml").read_text() for row in ROWS[:2]}
    assert "lambda_cycle: 3.0" in configs["full"]
    assert "lambda_cycle: 0.0" in configs["no_cycle"]
    assert all("ice_source: model" in text for text in configs.values())
    made_by = {
        row: Dataset(runs / f"generated/{row}__thick_ice__0").manifest["made_by"] for row in ROWS
    }
    assert made_by["no_corrector"]["set"] == {DISABLED: list(range(10))}
    assert "set" not in made_by["full"]
    shared = [made_by[row]["checkpoint_sha256"] for row in ("full", "no_corrector")]
    assert len(set(shared)) == 1
    assert len({made_by[row]["checkpoint_sha256"] for row in ROWS}) == len(ROWS) - 1
    values = {row: read_cell(root, row)["metrics"]["fd_scattering"]["value"] for row in ROWS}
    assert len(set(values.values())) == len(ROWS)


def test_another_side_has_the_same_scenes_at_another_defocus(ablation):
    root, _, _ = ablation
    folder = root / "runs/mini/data/thick_ice"
    common, small = (Dataset(folder / f"simulated_test{s}") for s in ("", ".small_defocus"))
    ratio = small.micrographs["defocus_u_A"] + small.micrographs["defocus_v_A"]
    ratio /= common.micrographs["defocus_u_A"] + common.micrographs["defocus_v_A"]
    assert ratio.to_numpy() == pytest.approx([0.5] * len(small.names))
    columns = ["x_A", "y_A", "z_A", "rot_deg", "tilt_deg", "psi_deg"]
    assert small.particles[columns].equals(common.particles[columns])
    translated = Dataset(root / "runs/mini/generated/small_defocus__thick_ice__0")
    assert translated.micrographs["defocus_u_A"].equals(small.micrographs["defocus_u_A"])


def test_cells_say_what_is_changed_and_compare(ablation):
    root, _, _ = ablation
    variant = {row: read_cell(root, row)["protocol"]["variant"] for row in ROWS}
    assert variant["global_gradient_ice"] == {"method": "cryoccd"}
    assert variant["small_defocus"]["recipe"] == {"defocus_factor": 0.5}
    assert variant["no_cycle"]["overrides"] == {"ice_contrast": 1.0, "lambda_cycle": 0.0}
    assert len({read_cell(root, row)["provenance"]["data_hash"] for row in ROWS}) == 1
    assert len({read_cell(root, row)["provenance"]["config_hash"] for row in ROWS}) == len(ROWS)


def test_the_published_figures_stand_in_a_column_of_their_own(ablation):
    root, _, _ = ablation
    text = (root / "results/mini/ablation/table.md").read_text()
    assert "published, not comparable: FID, ablation" in text
    assert "CryoCCD, TMLR 2026, ablation table of the project page" in text
    rows = {line.split("|")[1].strip(): line for line in text.splitlines() if line[:2] == "| "}
    for row, mean in zip(ROWS, ("126.0", "252.8", "146.7", "232.1", "149.4"), strict=True):
        assert rows[row].split("|")[-2].strip() == mean, row


def test_second_run_reuses_every_cell(ablation):
    root, argv, _ = ablation
    folder = root / "results/mini/ablation"
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*__*.json")}
    assert len(before) == len(ROWS) + 2
    assert verbs_of(argv) == []
    assert before == {path.name: path.stat().st_mtime_ns for path in folder.glob("*__*.json")}


def test_some_rows_are_made_alone(ablation, tmp_path):
    root, argv, _ = ablation
    argv = [*argv, "--results", str(tmp_path), "--methods", "no_corrector"]
    verbs = verbs_of(argv)  # the fit finds itself finished, the translated set whole
    assert folders_of(verbs, "fit", "trainer.default_root_dir") == ["full__thick_ice__0"]
    again = json.loads((tmp_path / "mini/ablation/no_corrector__thick_ice__0.json").read_text())
    assert again["metrics"] == read_cell(root, "no_corrector")["metrics"]


def test_a_fit_translates_with_settings(ablation, tmp_path, capsys):
    root, _, _ = ablation
    runs = root / "runs/mini"
    argv = ["translate", f"--checkpoint={runs / 'fit/full__thick_ice__0/last.ckpt'}"]
    argv += [f"--input={runs / 'data/thick_ice/simulated_test'}"]
    steps = "model.init_args.sampler.init_args.steps"
    snr = "--set=model.init_args.snr=0.2"
    assert main([*argv, f"--output={tmp_path / 'a'}", f"--set={steps}=2", snr]) == 0
    made_by = Dataset(tmp_path / "a").manifest["made_by"]
    assert made_by["set"] == {steps: 2, "model.init_args.snr": 0.2}
    assert made_by["choices"]["snr"] == 0.2
    name = Dataset(tmp_path / "a").names[0]
    full = Dataset(runs / "generated/full__thick_ice__0")
    assert (Dataset(tmp_path / "a").image(name) != full.image(name)).any()
    for words, message in (
        ([f"--set={steps}=20"], "steps = 20"),
        (["--set=model.init_args.sampler.init_args.stps=2"], "unknown key stps (is it steps?)"),
        (["--set=data.seed=2"], "data.seed is no setting of a model"),
        (["--set=steps"], "'steps', expected NAME=VALUE"),
        (["--set=model.init_args.snr=1", snr], "model.init_args.snr is given twice"),
        (["--set=model.init_args.snr={"], "no YAML"),
        (["--set=model.init_args.head.init_args.width=8"], "not a checkpoint of"),
    ):
        capsys.readouterr()
        assert main([*argv, f"--output={tmp_path / 'b'}", *words]) == 2, words
        [line] = capsys.readouterr().err.splitlines()
        assert message in line
    assert not (tmp_path / "b").exists()
    # the same folder is not taken for a set made with other settings
    assert main([*argv, f"--output={tmp_path / 'a'}", f"--set={steps}=2", "--resume"]) == 2
    assert "another configuration" in capsys.readouterr().err
