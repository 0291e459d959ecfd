"""Configurations and command lines with a wrong key, a wrong value or a missing one."""

from pathlib import Path

import pytest
import yaml

SET = """count: 1
shape_px: [64, 64]
pixel_size_A: 8.0
species: [{source: "assembly:barrel_d7"}]
particles: {mean: 2}
"""
SET_FAULTS = {
    "misspelt key": (SET + "sed: 3", "set.yaml: unknown key sed (is it seed?)"),
    "misspelt in a group": (SET + "ice: {median: 3}", "set.yaml: unknown key ice.median"),
    "misspelt in a list": (SET.replace("source", "sorce"), "set.yaml: ", "(is it source?)"),
    "unlike any key": (SET + "zzz: 1", "set.yaml: unknown key zzz", "cryoccd simulate --help"),
    "wrong type": (SET.replace("8.0", "big"), "set.yaml: pixel_size_A: expected float, got big"),
    "wrong length": (SET.replace("[64, 64]", "[64]"), "set.yaml: shape_px: ", "2 elements"),
    "pixel size 0": (SET.replace("8.0", "0"), "pixel_size_A = 0.0, expected 0.1 to 100"),
    "pixel size NaN": (SET.replace("8.0", ".nan"), "pixel_size_A = nan"),
    "no species": (SET.replace("species", "# "), "species is empty", "--structure"),
    "unknown assembly": (SET.replace("barrel_d7", "barrel"), "assembly 'barrel', expected one of"),
    "too crowded": (SET.replace("mean: 2", "mean: 5000"), "mean = 5000 does not fit"),
    "defocus in um": (SET + "optics: {defocus_A: [1.0, 2.0]}", "1 um = 10000"),
    "no YAML": (SET + "ice: [", "set.yaml: not readable as YAML (line 6: "),
    "no mapping": ("- 1", "set.yaml: no YAML mapping"),
    "nothing": ("", "set.yaml: no YAML mapping"),
    "no text": (b"\xff\xfe", "set.yaml: not readable as text"),
}


@pytest.mark.parametrize("case", SET_FAULTS.values(), ids=SET_FAULTS)
def test_simulate_config(case, tmp_path, refused):
    content, *words = case
    path, output = tmp_path / "set.yaml", tmp_path / "set"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    refused(["simulate", "--config", path, "--output", output], *words, output=output)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--sed", "3"], "unknown key sed (is it seed?)"),
        (["--resum"], "unknown key resum (is it resume?)"),
        (["--ice.median", "3"], "unknown key ice.median (is it ice.median_A?)"),
        (["--pixel-size-A", "0"], "pixel_size_A = 0.0"),
        (["--ice.median=3"], "unknown key ice.median (is it ice.median_A?)"),
        (["--pixel-size-A=x"], "error: pixel_size_A: expected float, got x"),  # not the file's
        (["--count", "0"], "count = 0"),
        (["--workers", "0"], "workers = 0"),
        (["--device", "cudo"], "device cudo: not at hand"),
    ],
)
def test_simulate_arguments(more, words, tmp_path, refused):
    (tmp_path / "set.yaml").write_text(SET)
    output = tmp_path / "set"
    argv = ["simulate", f"--config={tmp_path / 'set.yaml'}", f"--output={output}", *more]
    refused(argv, words, output=output)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (["simulte"], "no verb 'simulte', expected one of simulate"),
        (["simulate"], "missing: output"),
        (["simulate", "--config", "none.yaml", "--output", "x"], "none.yaml: no such file"),
        (["translate", "--input", "x"], "missing: checkpoint, output"),
        (["fit"], "missing: data, model"),
        (
            ["evaluate"],
            "labels, volume, detection, such as 'cryoccd evaluate noise --help'",
        ),
        (["evaluate", "taste"], "evaluate: taste"),
        (["evaluate", "noise", "--real", "x"], "missing: generated, output"),
        (["table"], "table: none asked for, expected one of fid"),
        (["table", "fad"], "'fad' asked for"),
        (["table", "fid", "--method", "spectrum"], "unknown key method (is it methods?)"),
        (["table", "fid", "--profile", "none"], "fid-none.yaml: no such matrix"),
    ],
)
def test_verbs_and_required_options(argv, words, tmp_path, monkeypatch, refused):
    monkeypatch.chdir(tmp_path)
    refused(argv, words, output=tmp_path)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--pixel-size-A", "0"], "pixel size 0, expected angstrom above 0"),
        (["--particle-diameter-A", "-3"], "particle_diameter_A = -3"),
        (["--crops-per-micrograph", "0"], "crops_per_micrograph = 0"),
        (["--tile-px", "0"], "tile_px = 0, expected 16 or more"),
        (["--crop-px", "50"], "crop: 50 px"),
        (["--limit", "-1"], "limit = -1"),
        (["--real-split", "validation"], "real_split: expected Literal['train', 'test', 'all']"),
        (["--real-splt", "test"], "unknown key real_splt (is it real_split?)"),
        (["--reference", "none"], "none: no such folder"),
    ],
)
def test_evaluate_arguments(more, words, verbs, refused):
    argv, output = verbs("evaluate", *more)
    refused(argv, words, output=output)


def test_a_remark_does_not_stand_before_the_refusal(copy, verbs, refused):
    root = copy("real")
    (root / "optics.yaml").unlink()
    argv, output = verbs("evaluate", "--crop-px", 50, real=root)
    refused(argv, "crop: 50 px", output=output)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--sed=3"], "unknown key sed"),
        (["--style=-1"], "style = -1"),
        (["--device=cudo"], "device cudo: not at hand"),
    ],
)
def test_translate_arguments(more, words, verbs, refused):
    argv, output = verbs("translate", *more)
    refused(argv, words, output=output)


def test_a_misspelt_key_of_a_config_of_ours(tmp_path, refused):
    for verb, key in (("translate", "checkpont"), ("evaluate noise", "generatd")):
        (tmp_path / "verb.yaml").write_text(f"{key}: x\n")
        words = f"verb.yaml: unknown key {key} (is it "
        refused([*verb.split(), "--config", tmp_path / "verb.yaml"], words)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ({"crop_pix": 64}, "data.yaml: data: cryoccd.data.datamodule.CryoDataModule: unknown key"),
        ({"crop_px": "many"}, "crop_px: expected int, got many"),
        ({"crop_px": 0}, "crop_px = 0, expected 1 or more"),
        ({"pixel_size_A": 0.0}, "pixel size 0"),
        ({"real": "${oc.env:NO_SUCH_VARIABLE}"}, "'NO_SUCH_VARIABLE' not found"),
    ],
)
def test_fit_data(data, words, fit, tmp_path, refused):
    refused(fit(**data), words, output=tmp_path / "run")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--model.init_args.max_lag=3"], "unknown key max_lag (is it max_lag_px?)"),
        (["--model.init_args.max_lag_px=0"], "max_lag_px = 0"),
        (["--trainer.max_epoch=3"], "unknown key trainer.max_epoch (is it trainer.max_epochs?)"),
        (["--trainer.max_epochs=x"], "trainer.max_epochs: expected int, got x"),
        (["--trainer.accelerator=x"], "invalid accelerator"),
        (["--trainer.devices=0"], "trainer: "),
        (["--model=Spectrumm"], "Spectrumm"),
    ],
)
def test_fit_arguments(more, words, fit, tmp_path, refused):
    refused([*fit(), *more], words, output=tmp_path / "run")


def test_fit_config_file(fit, tmp_path, refused):
    (tmp_path / "own.yaml").write_text("trainer: {max_epoch: 3}\n")
    argv = [*fit(), "--config", tmp_path / "own.yaml"]
    refused(argv, "own.yaml: unknown key trainer.max_epoch (is it", output=tmp_path / "run")
    (tmp_path / "own.yaml").write_text("dota: 3\n")
    refused(argv, "own.yaml: unknown key dota (is it data?)", output=tmp_path / "run")


MATRIX = {
    "table": "fid",
    "profile": "demo",
    "methods": ["spectrum"],
    "datasets": [
        {
            "name": "one",
            "recipe": {
                "class_path": "cryoccd.data.oracle_recipe.OracleRecipe",
                "init_args": {"style": "thin_ice", "structure": "assembly:barrel_d7"},
            },
        }
    ],
    "metrics": ["fd_scattering"],
    "trainer": "configs/trainer/cpu.yaml",
    "demo_methods": True,
    "data": {"crop_px": 64},
    "crop_px": 64,
    "crops_per_micrograph": 4,
    "tile_px": 64,
}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("tile_px", "tile", "fid-demo.yaml: unknown key tile"),
        ("style:", "styl:", "fid-demo.yaml: datasets: "),
        ("thin_ice", "thin", "style 'thin' is unknown"),
        ("OracleRecipe", "OracleRecip", "OracleRecip"),
        ("crop_px: 64\ncrops", "crop_px: many\ncrops", "crop_px: expected int, got many"),
        ("table: fid", "table: [", "fid-demo.yaml: not readable as YAML (line "),
        ("spectrum", "spectrumm", "spectrumm.yaml: no such method; known are"),
    ],
)
def test_table_matrix(old, new, words, tmp_path, monkeypatch, refused):
    text = yaml.safe_dump(MATRIX, sort_keys=False)
    assert old in text
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments/fid-demo.yaml").write_text(text.replace(old, new))
    (tmp_path / "configs").symlink_to(Path(__file__).parents[2] / "configs")
    monkeypatch.chdir(tmp_path)
    refused(["table", "fid"], words, output=tmp_path)
