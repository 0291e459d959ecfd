"""`cryoccd table NAME --wandb`: its fits and its cells are runs of W&B."""

import shutil

from wandb_files import runs_below

from cryoccd.cli import main


def test_fits_and_cells_of_a_table_are_tracked(run, home, tmp_path, capsys):
    whole, words = run
    root = tmp_path / "mini"
    shutil.copytree(whole, root)
    argv = [word.replace(str(whole), str(root)) for word in words]
    shutil.rmtree(root / "runs/mini/fit/cryogem__thin_ice__0")
    (root / "results/mini/fid/cryogem__thin_ice__0.json").unlink()
    assert main([*argv, "--wandb"]) == 0
    told = capsys.readouterr().out
    assert told.count("W&B: offline run; upload it with: wandb sync") == 1
    assert "W&B: 5 cells, offline in" in told
    runs = runs_below(tmp_path)
    [fit] = [run for run in runs if run.job_type == "fit"]
    assert fit.path.is_relative_to(root / "runs/mini/fit/cryogem__thin_ice__0/wandb")
    assert fit.name == "cryogem · thin_ice · seed 0"
    assert fit.group == "fid · cryogem"
    assert fit.tags == ("fid", "mini", "thin_ice", "seed 0")
    assert fit.config["model"]["init_args"]["constant_images"] == 8
    cells = {run.config["method"]: run for run in runs if run.job_type == "cell"}
    assert set(cells) == {"real_floor", "gaussian", "spectrum", "cryogem", "white_ceiling"}
    assert cells["cryogem"].group == fit.group
    assert cells["cryogem"].summary["fd_scattering"] > 0

    assert main([*argv, "--wandb"]) == 0
    assert len(runs_below(tmp_path)) == len(runs)
    assert main([*argv, "--sync"]) == 2
    assert "W&B: no login" in capsys.readouterr().err
