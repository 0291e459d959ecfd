"""Folders whose tables, optics or manifest are wrong, missing or spoilt."""

import json
import shutil

import pandas as pd
import pytest

STAR = """data_

loop_
_rlnMicrographName #1
_rlnDefocusU #2
_rlnDefocusV #3
_rlnVoltage #4
_rlnSphericalAberration #5
_rlnAmplitudeContrast #6
"""
STAR += "".join(f"real_{i:03d}.mrc 15000 15000 300 2.7 0.1\n" for i in range(6))


def rewrite(name, old, new):
    def spoil(root):
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, new))

    return spoil


def holding(name, content):
    def spoil(root):
        (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return spoil


def star(old, new):
    def spoil(root):
        assert old in STAR
        (root / "micrographs.star").write_text(STAR.replace(old, new))

    return spoil


def without_images(root):
    shutil.rmtree(root / "micrographs")
    (root / "micrographs").mkdir()


REAL_FAULTS = {
    "absent": (shutil.rmtree, "real_copy: no such folder"),
    "no image": (without_images, "micrographs: holds no image"),
    "misspelt optics": (rewrite("optics.yaml", "voltage_kV", "voltage"), "unknown key voltage"),
    "pixel size 0": (rewrite("optics.yaml", "_A: 4.0", "_A: 0"), "optics.yaml: pixel size 0"),
    "optics no YAML": (holding("optics.yaml", b"\xff: ["), "optics.yaml: not readable as YAML"),
    "split no CSV": (holding("split.csv", b"\xff\xfe"), "split.csv: not a readable CSV"),
    "foreign STAR column": (star("_rlnDefocusU", "_myDefocusU"), "unknown column myDefocusU"),
    "misspelt STAR column": (star("_rlnVoltage", "_rlnVoltag"), "(is it rlnVoltag?)"),
    "no STAR": (holding("micrographs.star", b"\0\1"), "micrographs.star: holds no table"),
}
TRAIN_FAULTS = {
    "no optics": (lambda root: (root / "optics.yaml").unlink(), "lack voltage_kV, cs_mm"),
    "pick outside": (
        holding("picks/real_001.csv", "x_px,y_px\n4000,3\n"),
        "(4000, 3) lies outside",
    ),
    "picks no CSV": (holding("picks/real_001.csv", b"\xff\xfe"), "real_001.csv: not a readable"),
    "picks missing": (lambda root: (root / "picks/real_001.csv").unlink(), "real_001.csv: no such"),
}
TEST_FAULTS = {
    "pick outside": (
        holding("picks/real_004.csv", "x_px,y_px\n4000,3\n"),
        "(4000, 3) lies outside",
    ),
    "picks missing": (lambda root: (root / "picks/real_004.csv").unlink(), "real_004.csv: no such"),
}
FAULTS = {"fit": REAL_FAULTS | TRAIN_FAULTS, "evaluate": REAL_FAULTS | TEST_FAULTS}


@pytest.mark.parametrize(("verb", "fault"), [(v, fault) for v in FAULTS for fault in FAULTS[v]])
def test_real_folder(verb, fault, verbs, copy, refused):
    spoil, words = FAULTS[verb][fault]
    root = copy("real")
    spoil(root)
    argv, output = verbs(verb, real=root)
    refused(argv, words, output=output)


def shorten(name):
    return lambda root: (root / name).write_bytes((root / name).read_bytes()[:-9])


def zeroed(name):
    """Of the right size, and nothing in it."""
    return lambda root: (root / name).write_bytes(bytes((root / name).stat().st_size))


def without_column(name, column):
    """Drop a column and let the manifest know the new size."""

    def spoil(root):
        pd.read_parquet(root / name).drop(columns=[column]).to_parquet(root / name)
        manifest = json.loads((root / "manifest.json").read_text())
        manifest["files"][name]["bytes"] = (root / name).stat().st_size
        (root / "manifest.json").write_text(json.dumps(manifest))

    return spoil


SET_FAULTS = {
    "absent": (shutil.rmtree, "no such folder"),
    "no manifest": (lambda root: (root / "manifest.json").unlink(), "--resume"),
    "cut manifest": (shorten("manifest.json"), "manifest.json: not readable as JSON"),
    "manifest a list": (holding("manifest.json", "[1]"), "manifest.json: no JSON object"),
    "manifest bare": (holding("manifest.json", "{}"), "schema_version None, expected 2"),
    "no table": (lambda root: (root / "particles.parquet").unlink(), "particles.parquet: no such"),
    "cut table": (shorten("particles.parquet"), "particles.parquet: "),
    "spoilt table": (zeroed("micrographs.parquet"), "micrographs.parquet: not readable as Parquet"),
    "column gone": (without_column("particles.parquet", "x_A"), "lacks the column x_A"),
    "optics gone": (without_column("micrographs.parquet", "cs_mm"), "lacks the column cs_mm"),
    "image gone": (
        lambda root: (root / "clean/sim_001.mrc").unlink(),
        "clean/sim_001.mrc: no such",
    ),
    "cut labels": (shorten("instances/sim_002.mrc"), "instances/sim_002.mrc: "),
}


@pytest.mark.parametrize("verb", ["fit", "translate", "evaluate"])
@pytest.mark.parametrize(("spoil", "words"), SET_FAULTS.values(), ids=SET_FAULTS)
def test_dataset_folder(verb, spoil, words, verbs, copy, refused):
    root = copy("simulated")
    spoil(root)
    changed = {"made" if verb == "evaluate" else "simulated": root}
    argv, output = verbs(verb, **changed)
    refused(argv, words, output=output)


def test_the_same_micrographs_on_both_sides(folders, copy, verbs, refused):
    for made in (folders["real"], copy("real")):
        argv, output = verbs("evaluate", made=made)
        refused(argv, "are those of", "choose different sets", output=output)


@pytest.mark.parametrize("verb", ["translate", "simulate"])
def test_outputs_in_the_way(verb, verbs, tmp_path, refused):
    argv, output = verbs("translate")
    if verb == "simulate":
        argv = ["simulate", "--structure", "assembly:barrel_d7", "--output", output]
    output.mkdir()
    (output / "notes.txt").write_text("mine")
    refused(argv, "not empty; add --resume", output=output)
    refused([*argv, "--resume"], "holds something else", output=output)
    shutil.rmtree(output)
    output.write_text("a file")
    refused(argv, "not a folder")
    argv[argv.index(output)] = output / "below"
    refused(argv, "is a file, not a folder")


def test_reports_in_the_way(verbs, tmp_path, refused):
    (tmp_path / "report").write_text("a file")
    argv, _ = verbs("evaluate")
    refused(argv, "is a file, not a folder")
    (tmp_path / "report").unlink()
    (tmp_path / "report/report.json").mkdir(parents=True)
    refused(argv, "a folder, expected the name of a JSON file")


CHECKPOINT_FAULTS = {
    "no checkpoint": (lambda root: (root / "last.ckpt").unlink(), "last.ckpt: no such file"),
    "empty": (holding("last.ckpt", b""), "last.ckpt: not a checkpoint"),
    "cut": (shorten("last.ckpt"), "last.ckpt: not a checkpoint"),
    "foreign pickle": (holding("last.ckpt", b"\x80\x04N."), "last.ckpt: not a checkpoint"),
    "no config": (lambda root: (root / "config.yaml").unlink(), "config.yaml: no such file"),
    "config no YAML": (holding("config.yaml", "model: ["), "config.yaml: not readable as YAML"),
    "config no text": (holding("config.yaml", b"\xff\xfe"), "config.yaml: not readable"),
    "no model": (holding("config.yaml", "trainer: 1"), "config.yaml: no key `model`"),
    "unknown class": (rewrite("config.yaml", "gaussian.Gaussian", "gaussian.Gausian"), "Gausian"),
    "unknown key": (rewrite("config.yaml", "snr: ", "signal: "), "config.yaml: model: ", "signal"),
    "refused value": (rewrite("config.yaml", "snr: 0.1", "snr: -1"), "snr = -1"),
}


@pytest.mark.parametrize("case", CHECKPOINT_FAULTS.values(), ids=CHECKPOINT_FAULTS)
def test_checkpoint(case, checkpoint, folders, tmp_path, refused):
    spoil, *words = case
    root = shutil.copytree(checkpoint.parent, tmp_path / "fit")
    spoil(root)
    paths = ["--checkpoint", root / "last.ckpt", "--input", folders["simulated"]]
    output = tmp_path / "translated"
    refused(["translate", *paths, "--output", output], *words, output=output)


def test_a_run_folder_that_cannot_go_on(fit, tmp_path, refused):
    from cryoccd.cli import main

    argv = fit(method="gaussian")
    assert main(argv) == 0
    assert main(argv) == 0  # nothing left to do
    root = tmp_path / "run"
    refused([*argv, "--model.init_args.snr=0.3"], "holds the run of another configuration")
    shorten("last.ckpt")(root)
    refused(argv, "last.ckpt: not a readable checkpoint; remove it", output=root)
    refused([*argv, "--ckpt_path", tmp_path / "none.ckpt"], "none.ckpt", output=root)
