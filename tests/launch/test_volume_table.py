"""The table of volumes in small: every stage, and what its cells say."""

import json
from pathlib import Path

import pytest
import yaml
from heard import folders_of, verbs_of

from cryoccd.cli import main
from cryoccd.io.dataset import BoxFolder
from cryoccd.launch.dashboard import write_dashboard
from cryoccd.metrics.volume.columns import LEVELS, VOLUMES
from cryoccd.metrics.volume.pose_error import FIGURES as POSE_ERRORS


@pytest.fixture(scope="module")
def volume(tmp_path_factory):
    root = tmp_path_factory.mktemp("volume")
    argv = ["table", "volume", "--profile", "mini"]
    argv += ["--results", str(root / "results"), "--runs", str(root / "runs")]
    return root, argv, verbs_of(argv)


def cells(root):
    folder = root / "results/mini/volume"
    return {path.name.split("__")[0]: json.loads(path.read_text()) for path in folder.glob("*__*")}


def metric(cell, name):
    return cell["metrics"][name]


def test_every_cell_has_every_figure(volume):
    root, _, _ = volume
    found = cells(root)
    assert set(found) == {"real_half", "subtomogram_ddpm", "plus_density", "phase_noise"}
    names = {figure.name for figure in (*VOLUMES, *POSE_ERRORS, *LEVELS)}
    for row, cell in found.items():
        assert set(cell["metrics"]) == names, row
        assert cell["protocol"]["held_out"] == "tomograms tomo_00002, tomo_00003"
        assert cell["protocol"]["domain"] == "oracle"
    for name in ("table.md", "table.page.html", "boxes_two_assemblies.png"):
        assert (root / "results/mini/volume" / name).stat().st_size > 0


def test_alignment_finds_the_poses_of_real_boxes_and_not_those_of_noise(volume):
    found = cells(volume[0])
    real, noise = (metric(found[row], "orientation_deg") for row in ("real_half", "phase_noise"))
    assert real["value"] < 10 < 45 < noise["value"]
    real, noise = (metric(found[row], "position_A") for row in ("real_half", "phase_noise"))
    assert real["value"] < 5 < 10 < noise["value"]


def test_only_a_row_that_is_told_poses_has_errors_of_them(volume):
    found = cells(volume[0])
    free = metric(found["subtomogram_ddpm"], "orientation_deg")
    assert (free["value"], free["note"]) == (None, "undefined: no pose was told")
    assert metric(found["plus_density"], "orientation_deg")["value"] > 0
    assert metric(found["real_half"], "x0_error_0dB")["note"] == "undefined: no diffusion"
    for row in ("subtomogram_ddpm", "plus_density"):
        errors = [metric(found[row], figure.name)["value"] for figure in LEVELS]
        assert errors == sorted(errors)  # the more noise, the larger
        assert errors[0] > 0


def test_models_are_told_of_tomograms_that_they_did_not_see(volume):
    root, _, _ = volume
    sets = root / "runs/mini/generated"
    told = BoxFolder(sets / "plus_density__two_assemblies__0")
    free = BoxFolder(sets / "subtomogram_ddpm__two_assemblies__0")
    assert told.densities is not None
    assert free.densities is None
    assert len(told) == len(free) == 6  # three of each class
    data = yaml.safe_load(
        (root / "runs/mini/fit/plus_density__two_assemblies__0/data.yaml").read_text()
    )["data"]["init_args"]
    assert (data["fold"], data["density"]) == ([2, 3], True)
    made_by = told.manifest["made_by"]["density"]
    assert list(made_by["tomograms"]) == ["tomo_00000"]
    folders = [root / f"runs/mini/data/two_assemblies/{name}" for name in ("tomograms", "placing")]
    one, other = (json.loads((each / "manifest.json").read_text()) for each in folders)
    name = "tomograms/tomo_00000.mrc"
    assert one["files"][name] != other["files"][name]


def test_the_page_shows_slices_of_every_row(volume, tmp_path):
    root, _, _ = volume
    written = write_dashboard(root / "results", root / "runs", tmp_path / "page.html")
    text = written.path.read_text(encoding="utf8")
    assert "No slices" not in text
    for row in ("subtomogram_ddpm", "plus_density", "real"):
        for label in ("dimer_d2", "lobed_c1"):
            assert text.count(f'alt="{row}, YZ, box 2 of {label}, two_assemblies"') == 1


def test_a_second_run_makes_nothing_and_rows_share_fits(volume, tmp_path):
    root, argv, verbs = volume
    fits = folders_of(verbs, "fit", "trainer.default_root_dir")
    assert fits == ["subtomogram_ddpm__two_assemblies__0", "plus_density__two_assemblies__0"]
    assert verbs_of(argv) == []
    before = (root / "runs/mini/fit/subtomogram_ddpm__two_assemblies__0/last.ckpt").stat()
    more = verbs_of([*argv, "--methods", "other_sampler"])
    after = (root / "runs/mini/fit/subtomogram_ddpm__two_assemblies__0/last.ckpt").stat()
    assert before.st_mtime_ns == after.st_mtime_ns
    assert folders_of(more, "sample", "output") == ["other_sampler__two_assemblies__0"]
    page = tmp_path / "page.html"  # the last table was of that row alone
    write_dashboard(root / "results", root / "runs", page)
    assert 'alt="other_sampler, XY, box 1 of dimer_d2, two_assemblies"' in page.read_text()


def test_evaluate_volume_judges_a_folder_alone(volume, tmp_path, capsys):
    root, _, _ = volume
    fit = root / "runs/mini/fit/plus_density__two_assemblies__0"
    boxes = root / "runs/mini/generated/plus_density__two_assemblies__0"
    argv = ["evaluate", "volume", "--data", str(fit / "config.yaml"), "--generated", str(boxes)]
    argv += ["--output", str(tmp_path / "card.json"), "--symmetry", "dimer_d2=D2"]
    small = ["--classifier.boxes", "32", "--classifier.batch_size", "8"]
    small += ["--classifier.width", "8", "--classifier.features", "8"]
    assert main([*argv, *small]) == 0
    record = json.loads((tmp_path / "card.json").read_text())
    assert set(record["sets"]) == {"generated", "real_half", "phase_noise"}
    cell = cells(root)["plus_density"]
    for name in ("orientation_deg", "memorisation_ratio", "fd_volume", "class_accuracy"):
        assert record["sets"]["generated"][name] == metric(cell, name), name
    page = (tmp_path / "card.md").read_text()
    assert "![slices of each class](card.png)" in page
    assert "| position_A | 0 |" in page
    assert (tmp_path / "card.png").stat().st_size > 0
    capsys.readouterr()


def refused(argv, capsys):
    assert main(argv) == 2
    lines = capsys.readouterr().err.strip().splitlines()
    return lines[-1]


def test_wrong_inputs_of_evaluate_volume(volume, tmp_path, capsys):
    root, _, _ = volume
    boxes = root / "runs/mini/generated/plus_density__two_assemblies__0"
    config = root / "runs/mini/fit/plus_density__two_assemblies__0/config.yaml"
    known = ["evaluate", "volume", "--output", str(tmp_path / "card.json")]
    right = ["--data", str(config), "--generated", str(boxes)]
    line = refused([*known, *right, "--symmetry", "worm=C2"], capsys)
    assert "symmetry: worm is no class, expected some of dimer_d2, lobed_c1" in line
    line = refused([*known, *right, "--symmetry", "dimer_d2=X9"], capsys)
    assert "X9" in line
    line = refused([*known, "--data", "configs/trainer/cpu.yaml", *right[2:]], capsys)
    assert "no key data, expected the configuration of tomograms" in line
    line = refused([*known, *right[:2], "--generated", str(config.parent)], capsys)
    assert str(config.parent) in line
    assert list(tmp_path.iterdir()) == []


def test_tables_and_recipes_must_fit(tmp_path, monkeypatch, capsys):
    matrix = yaml.safe_load(Path("experiments/volume-mini.yaml").read_text())
    fid = yaml.safe_load(Path("experiments/fid-mini.yaml").read_text())
    swapped = {"volume": (matrix, fid), "fid": (fid, matrix)}
    for name, (own, other) in swapped.items():
        own = {**own, "datasets": other["datasets"], "profile": "swapped", "default_datasets": []}
        path = tmp_path / f"{name}-swapped.yaml"
        path.write_text(yaml.safe_dump(own))
    monkeypatch.setattr("cryoccd.launch.matrix.EXPERIMENTS", tmp_path)
    out = ["--results", str(tmp_path / "results"), "--runs", str(tmp_path / "runs")]
    out += ["--jobs", "1", "--profile", "swapped"]
    line = refused(["table", "volume", *out], capsys)
    assert "makes no tomograms, expected a recipe that does" in line
    line = refused(["table", "fid", *out], capsys)
    assert "makes no micrographs, expected a recipe that does" in line
