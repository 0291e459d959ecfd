"""The picking report during training: the same number as `cryoccd test`, and no trace."""

import json

import pytest
import torch
from fits import log, saved

from cryoccd.cli import main

PICKER = ("--picking_report.picker.iterations=3", "--picking_report.picker.batch_size=2")
REPORTS = (
    "--picking_report.every_n_images=8",
    "--picking_report.micrographs=2",
    '--picking_report.figures=["auprc","auprc_wide","best_f1"]',
    *PICKER,
)


def test_callback_and_verb_give_the_same_numbers_and_training_goes_on_alike(
    fit, reported, held_out
):
    more = ("--average.decay=0.6", "--best.figure=auprc_wide")
    plain = fit("plain", "cyclediffusion", more[0], validation=2)
    folder = fit("run", "cyclediffusion", *REPORTS, *more, validation=2)
    rows = log(folder).dropna(subset=["val/auprc"]).set_index("step")
    assert rows.index.tolist() == [8, 16]
    real, simulated = held_out
    found = reported(folder, real, simulated, "--figures=auprc,auprc_wide,best_f1")
    for name, value in found.items():
        assert 0 <= value <= 1
        assert rows.loc[16, f"val/{name}"] == pytest.approx(value, abs=1e-6), name
    assert found["auprc_wide"] > found["auprc"]
    assert (folder / "best.ckpt").is_file()
    for name, value in saved(plain)["state_dict"].items():
        assert torch.equal(value, saved(folder)["state_dict"][name]), name


def test_noise_and_picking_figures_in_one_test(fit, held_out, tmp_path):
    folder = fit("run", "sdedit", *PICKER)
    real, simulated = held_out
    output = tmp_path / "both.json"
    words = [f"--ckpt={folder / 'last.ckpt'}", f"--real={real}", f"--simulated={simulated}"]
    words += [f"--output={output}", "--crop_px=32", "--figures=histogram_w1,auprc"]
    assert main(["test", *words]) == 0
    record = json.loads(output.read_text())
    assert set(record["metrics"]) == {"histogram_w1", "auprc"}
    assert record["metrics"]["auprc"]["ideal"] == 1
    assert record["protocol"]["radius"] == 0.25


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (("--picking_report.every_n_images=0",), "every_n_images = 0"),
        ((*REPORTS, "--picking_report.figures=[recall]"), "recall unknown"),
        ((*REPORTS, "--picking_report.micrographs=9"), "expected at most"),
    ],
)
def test_refusals(more, said, command, capsys):
    assert main(command("run", "sdedit", *more)) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
