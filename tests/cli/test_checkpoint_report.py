"""`cryoccd test`: the noise report of a checkpoint."""

import json

import pytest

from cryoccd.callbacks.noise_report import FIGURES
from cryoccd.cli import main


@pytest.fixture
def words(checkpoint, folders, tmp_path):
    def command(*more, **changed):
        sides = {"ckpt": checkpoint, "real": folders["real"], "simulated": folders["simulated"]}
        sides |= {"output": tmp_path / "out" / "test.json"} | changed
        return ["test", *(f"--{key}={value}" for key, value in sides.items()), *more]

    return command


def test_a_calibrated_method_is_tested(words, tmp_path, capsys):
    assert main(words("--crop-px=32", "--micrographs=2")) == 0
    shown = capsys.readouterr().out
    record = json.loads((tmp_path / "out" / "test.json").read_text())
    assert list(record["metrics"]) == list(FIGURES)
    assert all(name in shown for name in FIGURES)
    assert record["inputs"]["micrographs"] == 2
    assert record["inputs"]["real_split"] == "test"
    assert record["protocol"]["crop_px"] == 32
    value = record["metrics"]["psd_background_db"]["value"]
    assert main(words("--crop-px=32", "--micrographs=2", "--seed=1")) == 0
    again = json.loads((tmp_path / "out" / "test.json").read_text())["metrics"]
    assert again["psd_background_db"]["value"] != value


def test_what_cannot_be_said_is_said(words, tmp_path):
    """Fields hold 4 crops of 64 pixels."""
    assert main(words("--figures=contrast_error_db,fd_scattering", "--crops_per_micrograph=5")) == 0
    metrics = json.loads((tmp_path / "out" / "test.json").read_text())["metrics"]
    assert metrics["fd_scattering"]["value"] is None
    assert "room for 5 crops of 64 px" in metrics["fd_scattering"]["note"]


def test_refusals(words, folders, refused, tmp_path):
    refused(words(ckpt=tmp_path / "no.ckpt"), "no.ckpt", "no such file")
    refused(words(output=tmp_path), "expected the name of a JSON file")
    refused(words(simulated=folders["real"]), str(folders["real"]), "simulated set")
    refused(words("--style=-1"), "style = -1")
    refused(words("--micrographs=0"), "micrographs = 0")
    refused(words("--figures=psd"), "psd unknown", "psd_background_db")
    refused(words("--device=warp"), "warp")
