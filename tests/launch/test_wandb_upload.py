"""Cells as runs, the request of an upload, the views: up to what would be sent."""

import os
import sys
from pathlib import Path

import pytest
import wandb
from rich.console import Console
from wandb_files import runs_below

from cryoccd.callbacks.wandb_run import files_within, open_run
from cryoccd.errors import CryoccdError
from cryoccd.launch import wandb_sync, wandb_workspace
from cryoccd.launch.wandb_cells import known_tables, track_cells
from cryoccd.launch.wandb_sync import offline_runs, sync
from cryoccd.report.cells import ResultCell

FAKE = """
import sys
from pathlib import Path
with open(sys.argv[1], "a") as seen:
    print(*sys.argv[3:], sep="\\n", file=seen)
for folder in map(Path, sys.argv[3:]):
    [log] = folder.glob("*.wandb")
    if sys.argv[2] not in log.name:
        log.with_name(log.name + ".synced").touch()
"""


def cell(method: str, value: float, seed: int = 0) -> ResultCell:
    entry = {"value": value, "ci_low": value / 2, "ci_high": 2 * value, "n": 4, "interval": "x"}
    undefined = {"value": None, "ci_low": None, "ci_high": None, "n": 0, "interval": ""}
    provenance = {"commit": "c", "config_hash": method, "data_hash": "d", "device": "cpu"}
    return ResultCell(
        "fid",
        method,
        "thin_ice",
        seed,
        {
            "fd_scattering": entry | {"note": ""},
            "auprc": undefined | {"note": "no picks"},
        },
        {"domain": "oracle", "crop": 64},
        provenance | {"versions": {"cryoccd": "0.1.0"}, "seconds": 1.5},
    )


@pytest.fixture
def console():
    with open("/dev/null", "w") as nowhere:
        yield Console(file=nowhere)


@pytest.fixture
def login(home, monkeypatch):
    """A login that no server has seen."""
    monkeypatch.setenv("WANDB_API_KEY", "0123456789" * 4)


@pytest.fixture
def program(tmp_path):
    """An uploader that notes what it is given, and leaves the marks that wandb leaves."""
    script = tmp_path / "fake.py"
    script.write_text(FAKE)
    seen = tmp_path / "seen.txt"

    def make(fails: str = "nothing") -> list[str]:
        return [sys.executable, str(script), str(seen), fails]

    return make


@pytest.fixture
def views(monkeypatch):
    saved: list[Path] = []
    monkeypatch.setattr(wandb_sync, "save_views", lambda runs, *rest: saved.append(runs))
    return saved


def test_a_cell_is_a_run(home, tmp_path, console):
    results, runs = tmp_path / "results", tmp_path / "runs"
    paths = [cell(m, v).write(results, "demo") for m, v in (("cryogem", 2.0), ("gaussian", 9.0))]
    assert track_cells(paths, runs, console) == 2
    one, other = runs_below(runs)
    assert (one.group, one.job_type, one.name) == (
        "fid · cryogem",
        "cell",
        "cryogem · thin_ice · seed 0",
    )
    assert one.tags == ("fid", "demo", "thin_ice", "seed 0")
    assert one.config["method"] == "cryogem"
    assert one.config["protocol"] == {"domain": "oracle", "crop": 64}
    found = {k: v for k, v in one.summary.items() if not k.startswith("_")}
    assert found == {"fd_scattering": 2.0, "fd_scattering_low": 1.0, "fd_scattering_high": 4.0}
    assert other.id != one.id
    assert not one.artifacts

    assert track_cells(paths, runs, console) == 0
    assert len(runs_below(runs)) == 2
    changed = cell("cryogem", 1.5).write(results, "demo")  # made again of the same, and differs
    assert track_cells([changed], runs, console) == 1
    assert sorted(run.id for run in runs_below(runs)).count(one.id) == 2
    assert known_tables(tmp_path) == {("demo", "fid"): ["fd_scattering", "auprc"]}


def test_what_is_not_yet_there_is_uploaded_in_order(login, views, tmp_path, console, program):
    names = ("b/wandb/offline-run-2-one", "a/wandb/offline-run-1-two", "b/wandb/offline-run-1-one")
    folders = [tmp_path / "runs" / name for name in names]
    for folder in folders:
        folder.mkdir(parents=True)
        (folder / f"run-{folder.name[-3:]}.wandb").touch()
    (folders[1].parent / "latest-run").symlink_to(folders[1])
    wanted = [folders[1], folders[2], folders[0]]  # the parts of a run as they began
    assert sync(tmp_path / "runs", console, program=program()) == wanted
    assert (tmp_path / "seen.txt").read_text().splitlines() == list(map(str, wanted))
    assert views == [tmp_path / "runs"]
    assert sync(tmp_path / "runs", console, program=program()) == []
    assert len(views) == 2  # also where all is there, such as runs that were online
    assert len((tmp_path / "seen.txt").read_text().splitlines()) == 3

    log = next(folders[0].glob("*.wandb"))  # the run went on
    late = next(folders[0].glob("*.synced")).stat().st_mtime + 5
    os.utime(log, (late, late))
    with pytest.raises(CryoccdError, match=r"1 of 1 runs did not arrive, such as .*run-2-one"):
        sync(tmp_path / "runs", console, program=program(fails="one"))
    assert len(views) == 2


def test_cells_are_logged_before_the_upload(login, views, tmp_path, console, program):
    cell("cryogem", 2.0).write(tmp_path / "results", "demo")
    (tmp_path / "runs").mkdir()
    [folder] = sync(tmp_path / "runs", console, tmp_path / "results", program=program())
    assert folder.parent == tmp_path / "runs/wandb_cells/wandb"


def test_wandb_itself_finds_the_folders(login, views, tmp_path, console, capfd):
    """The real program, asked what it would do."""
    with files_within(tmp_path / "fit"):
        open_run(tmp_path / "fit", "offline", id="abc", project="p").finish()
    [folder] = offline_runs(tmp_path)
    with pytest.raises(CryoccdError, match="did not arrive"):
        sync(tmp_path, console, program=[*wandb_sync.PROGRAM, "--dry-run"])
    told = capfd.readouterr()
    assert "Would sync 1 run(s)" in told.out + told.err
    assert folder.name in told.out + told.err


def test_refusals(home, tmp_path, console):
    with pytest.raises(CryoccdError, match="no such folder"):
        sync(tmp_path / "absent", console)
    wandb.teardown()
    with pytest.raises(CryoccdError, match="W&B: no login; run `wandb login`"):
        sync(tmp_path, console)


def test_views_lay_methods_side_by_side(home):
    tables = {
        ("demo", "fid"): ["fd_scattering", "psd_background_db"],
        ("demo", "picking"): ["auprc"],
    }
    tables |= {("paper", "fid"): ["fd_scattering", "fid_inception"]}
    spec = wandb_workspace.workspace("lab", "cryoccd", tables)._to_model()
    text = spec.model_dump_json(by_alias=True, exclude_none=True)
    for words in ("lab", "fid", "picking", "training", "psd_background_db", "train/images"):
        assert f'"{words}"' in text, words
    sections = spec.spec.section.panel_bank_config.sections
    assert [len(each.panels) for each in sections[:3]] == [3, 1, 6]
    bar = sections[0].panels[0].model_dump(by_alias=True)["config"]
    assert "method" in str(bar["groupBy"])
    assert "fd_scattering" in str(bar["metrics"])
    report = wandb_workspace.report("lab", "cryoccd", tables)
    text = report._to_model().model_dump_json(by_alias=True, exclude_none=True)
    assert text.count("panel-grid") == 4
    assert "cells of picking, demo" in text
    grids = [block for block in report._to_model().spec.blocks if block.type == "panel-grid"]
    asked = [grid.metadata.run_sets[0].model_dump_json() for grid in grids]
    for grid, names in zip(
        asked, (("fid", "demo"), ("picking", "demo"), ("fid", "paper")), strict=False
    ):
        assert all(f'"value":"{name}"' in grid for name in names)  # no mean over profiles


def test_views_are_saved_once(login, tmp_path, monkeypatch, console):
    runs = tmp_path / "runs"
    track_cells([cell("cryogem", 2.0).write(tmp_path, "demo")], runs, console, "offline")
    made = []

    class View:
        url = "https://wandb.ai/lab"

        def save(self):
            made.append(self)
            return self

    class Api:
        default_entity = "lab"

    monkeypatch.setattr("wandb.Api", Api)
    for name in ("workspace", "report"):
        monkeypatch.setattr(wandb_workspace, name, lambda *given: View())
    wandb_workspace.save_views(runs, "cryoccd", console)
    wandb_workspace.save_views(runs, "cryoccd", console)
    assert len(made) == 2
    track_cells([cell("cut", 3.0).write(tmp_path, "demo")], runs, console, "offline")
    wandb_workspace.save_views(runs, "cryoccd", console)  # the same tables and figures
    assert len(made) == 2


def test_a_server_that_refuses_is_told(login, tmp_path, monkeypatch, console):
    class Api:
        def __init__(self):
            raise wandb.errors.CommError("not today")

    monkeypatch.setattr("wandb.Api", Api)
    with pytest.raises(CryoccdError, match="W&B: not today; the runs are there"):
        wandb_workspace.save_views(tmp_path, "cryoccd", console)


def test_views_without_the_extra(home, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "wandb_workspaces.workspaces", None)
    with pytest.raises(CryoccdError, match=r"pip install 'cryoccd\[dashboards\]'"):
        wandb_workspace.workspace("lab", "cryoccd", {})
    wandb_workspace.save_views(tmp_path, "cryoccd", Console())
    assert capsys.readouterr().out.startswith("W&B: no workspace saved; wandb-workspaces")
