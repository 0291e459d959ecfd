"""The paper profile from the archive to the table, on a miniature that a local server holds."""

import json
from pathlib import Path

import pytest
import yaml
from archive_server import Archive
from paper_archive import serve, small_config, star_picks

from cryoccd.cli import main
from cryoccd.io.fetch_entries import Hosts
from cryoccd.io.paper_set import read_paper_set
from cryoccd.launch.matrix import read_profile

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.fixture
def archive(monkeypatch, tmp_path):
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("CRYOCCD_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("CRYOCCD_MIRROR", raising=False)
    server = Archive()
    hosts = Hosts(empiar=f"{server.address}/empiar")
    monkeypatch.setattr("cryoccd.io.fetch_images.Hosts", lambda: hosts)
    yield server
    server.close()


@pytest.fixture
def small_profile(monkeypatch, tmp_path):
    """The matrix of the paper with its first rows, small numbers and the miniature's file."""
    matrix = yaml.safe_load((EXPERIMENTS / "fid-paper.yaml").read_text())
    columns = {spec["name"]: spec for spec in matrix["datasets"]}
    spec = columns["ribosome"]
    spec["recipe"]["init_args"] = {
        "config": str(small_config("ribosome", tmp_path / "sets")),
        "n_train": 2,
        "n_test": 2,
        "workers": 1,
    }
    matrix |= {"datasets": [spec], "methods": ["gaussian"], "trainer": "configs/trainer/cpu.yaml"}
    matrix |= {"crop_px": 64, "crops_per_micrograph": 4, "tile_px": 64}
    matrix["data"] = {"crop_px": 64, "batch_size": 2, "images_per_epoch": 4}
    (tmp_path / "fid-paper.yaml").write_text(yaml.safe_dump(matrix))
    monkeypatch.setattr("cryoccd.launch.matrix.EXPERIMENTS", tmp_path)
    return tmp_path


def table(root):
    argv = ["table", "fid", "--profile", "paper", "--jobs", "1"]
    return main([*argv, "--results", str(root / "results"), "--runs", str(root / "runs")])


def test_from_the_archive_to_the_table(archive, small_profile, capsys):
    root = small_profile
    assert table(root) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "run `cryoccd fetch empiar:10028`" in error

    assert not (root / "runs").exists()  # it says so before it makes anything
    files = serve(archive, read_paper_set(root / "sets/ribosome.yaml"), "ribosome")
    assert main(["fetch", "empiar:10028", "--limit", "4", "--sets", str(root / "sets")]) == 0
    folder = root / "cache/empiar/10028/Micrographs/Micrographs_part1"
    assert f"empiar:10028: 4 micrographs in {folder}\n" in capsys.readouterr().out

    assert table(root) == 2
    assert "no reference picks in" in capsys.readouterr().err
    (root / "cache/empiar/10028/picks.star").write_text(star_picks(files))
    archive.requests.clear()

    assert table(root) == 0
    results = root / "results/paper/fid"
    for row in ("real_floor", "gaussian", "white_ceiling"):
        cell = json.loads((results / f"{row}__ribosome__0.json").read_text())
        assert cell["metrics"]["fd_scattering"]["value"] > 0
        assert cell["protocol"]["domain"] == "empiar-10028"
    assert "| gaussian |" in (results / "table.md").read_text()
    made = (results / "gaussian__ribosome__0.json").stat().st_mtime_ns
    assert table(root) == 0
    assert (results / "gaussian__ribosome__0.json").stat().st_mtime_ns == made
    assert archive.requests == []  # tables download nothing


def test_the_profile_names_the_five_sets():
    matrix = read_profile("paper", None, None)
    entries = {spec.name: spec.recipe.paper.empiar for spec in matrix.datasets}
    assert entries == {
        "proteasome": "10025",
        "ribosome": "10028",
        "integrin": "10345",
        "phage_ms2": "10075",
        "human_baf": "10590",
    }
    assert not matrix.demo_methods


def test_an_entry_without_a_set(archive, capsys):
    assert main(["fetch", "empiar:99999"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "no file of configs/paper says where its micrographs lie" in error
    assert archive.requests == []
