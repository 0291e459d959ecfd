"""The whole way in small: structures, scenes, microscope, fits, translation, report, table."""

import json
from pathlib import Path

from cryoccd.cli import main
from cryoccd.io.dataset import Dataset

CELLS = ("real_floor", "gaussian", "spectrum", "cryogem", "white_ceiling")


def read_cell(root: Path, method: str):
    path = root / "results" / "mini" / "fid" / f"{method}__thin_ice__0.json"
    return json.loads(path.read_text())


def test_every_cell_has_its_figures(run):
    root, _ = run
    for method in CELLS:
        cell = read_cell(root, method)
        assert cell["metrics"]["fd_scattering"]["value"] > 0
        assert cell["metrics"]["psd_background_db"]["ci_low"] is not None
        assert cell["protocol"]["domain"] == "oracle"
    assert read_cell(root, "spectrum")["protocol"]["choices"]["gain"] > 0
    floor, spectrum, gaussian, white = (
        read_cell(root, name)["metrics"]["psd_background_db"]["value"]
        for name in ("real_floor", "spectrum", "gaussian", "white_ceiling")
    )
    assert floor < gaussian
    assert spectrum < gaussian / 2
    assert white > 1


def test_table_galleries_and_page_are_written(run):
    root, _ = run
    folder = root / "results" / "mini" / "fid"
    for name in ("table.md", "table.csv", "table.tex", "table.html", "table.page.html"):
        assert (folder / name).stat().st_size > 500
    assert (folder / "gallery_thin_ice.png").stat().st_size > 10_000
    rows = [line for line in (folder / "table.md").read_text().splitlines() if line[:1] == "|"]
    names = [row.split("|")[1].strip() for row in rows if "thin_ice" not in row]
    assert [n for n in names if n in CELLS] == list(CELLS)


def test_translated_sets_keep_the_labels(run):
    root, _ = run
    runs = root / "runs" / "mini"
    simulated = Dataset(runs / "data" / "thin_ice" / "simulated_test")
    translated = Dataset(runs / "generated" / "cryogem__thin_ice__0")
    assert translated.particles.equals(simulated.particles)
    name = translated.names[0]
    assert (translated.image(name, "clean") == simulated.image(name, "clean")).all()
    assert (translated.image(name) != simulated.image(name)).any()


def test_second_run_reuses_every_cell(run):
    root, argv = run
    folder = root / "results" / "mini" / "fid"
    before = {path.name: path.stat().st_mtime_ns for path in folder.glob("*__*.json")}
    assert len(before) == len(CELLS)
    assert main(argv) == 0
    assert before == {path.name: path.stat().st_mtime_ns for path in folder.glob("*__*.json")}


def test_missing_cell_is_made_again_alone(run):
    root, argv = run
    folder = root / "results" / "mini" / "fid"
    before = read_cell(root, "spectrum")
    kept = (folder / "gaussian__thin_ice__0.json").stat().st_mtime_ns
    (folder / "spectrum__thin_ice__0.json").unlink()
    assert main(argv) == 0
    assert read_cell(root, "spectrum")["metrics"] == before["metrics"]
    assert (folder / "gaussian__thin_ice__0.json").stat().st_mtime_ns == kept


def test_unknown_names_are_refused(run, capsys):
    _, argv = run
    for extra in (["--methods", "magic"], ["--styles", "desert"], ["--seeds", "x"]):
        assert main(argv + extra) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
    assert main(["table", "fid", "--profile", "real"]) == 2
    assert "DATA" in capsys.readouterr().err
