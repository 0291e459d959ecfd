"""The noise report during training: what it logs, that it leaves no trace, and who agrees."""

import json
import math
import random

import numpy as np
import pytest
import torch
from fits import log, saved

from cryoccd.callbacks.noise_report import FIGURES, NoiseReport
from cryoccd.callbacks.yardstick import Yardstick
from cryoccd.cli import main
from cryoccd.data.mixed import MixedDataModule
from cryoccd.data.part import FolderPair
from cryoccd.io.folder import open_folder
from cryoccd.methods.sdedit import SDEdit
from cryoccd.metrics.features.crop_features import ScatteringExtractor
from cryoccd.metrics.fields import read_fields
from cryoccd.metrics.learnt import Learnt
from cryoccd.metrics.protocol import NoiseProtocol
from cryoccd.metrics.standard import fitting_protocol, lens_of, standard_card

SIZES = ("--noise_report.crop_px=32", "--noise_report.tile_px=64")
SMALL = (*SIZES, "--noise_report.micrographs=2")
REPORTS = ("--noise_report.every_n_images=8", *SMALL)
FORKED = ("--trainer.devices=2", "--trainer.strategy=ddp_fork_find_unused_parameters_true")


def figures(folder, expected=FIGURES):
    """The reports in the log of a run, by the images seen."""
    table = log(folder)
    names = [f"val/{name}" for name in expected]
    assert sorted(names) == sorted(table.filter(like="val/").columns)
    rows = table.dropna(subset=names)
    assert rows["step"].tolist() == rows["train/images"].tolist()
    return rows.set_index("step")[names].rename(columns=lambda name: name.removeprefix("val/"))


def test_callback_verb_and_table_give_the_same_numbers(fit, reported, held_out, tmp_path):
    average = "--average.decay=0.6"
    folder = fit("run", "cyclediffusion", *REPORTS, average, validation=2)
    during = figures(folder)
    assert during.index.tolist() == [8, 16]
    assert not np.allclose(during.loc[8], during.loc[16])
    real, simulated = held_out
    of_verb = reported(folder, real, simulated)

    made = tmp_path / "made"
    paths = [f"--checkpoint={folder / 'last.ckpt'}", f"--input={simulated}", f"--output={made}"]
    assert main(["translate", *paths]) == 0
    diameter_A = open_folder(real).optics().particle_diameter_A
    test, train = (read_fields(real, split, diameter_A=diameter_A) for split in ("test", "train"))
    clean = read_fields(simulated, diameter_A=diameter_A)
    asked = NoiseProtocol(32, 16, 64, diameter_A)
    protocol = fitting_protocol(asked, [test, train, clean])
    scattering = ScatteringExtractor(protocol.crop_px)
    learnt = Learnt.of(train, clean, scattering, protocol)
    card = standard_card(protocol, learnt, scattering, lens_of(clean)).only(FIGURES)
    generated = card.describe(read_fields(made, diameter_A=diameter_A), "generated")
    of_table = card.compare(card.describe(test, "real"), generated)
    for name in FIGURES:
        last = during.loc[16, name]
        assert math.isfinite(last)
        assert of_verb[name] == pytest.approx(last, rel=1e-6, abs=1e-6), name
        assert of_table[name].value == pytest.approx(last, rel=1e-6, abs=1e-6), name


@pytest.mark.parametrize(
    ("method", "average"), [("cyclediffusion", "0.6"), ("cryogem", "null"), ("sdedit", "null")]
)
def test_a_report_leaves_no_trace_in_the_weights(method, average, fit, monkeypatch):
    report, translated, modes = NoiseReport._report, Yardstick.translated, []

    def watched(self, trainer, model):
        networks = [module for each in model.networks().values() for module in each]
        before = [[m.training for m in network.modules()] for network in networks]
        report(self, trainer, model)
        modes.append(before == [[m.training for m in n.modules()] for n in networks])

    def draws(self, *arguments):
        torch.rand(3), np.random.seed(5), random.random()  # noqa: NPY002
        return translated(self, *arguments)

    average = f"--average.decay={average}"
    plain = saved(fit("plain", method, average, validation=2))
    monkeypatch.setattr(NoiseReport, "_report", watched)
    monkeypatch.setattr(Yardstick, "translated", draws)
    reporting = saved(fit("reporting", method, average, *REPORTS, validation=2))
    assert modes == [True, True]
    random_state = [each["callbacks"]["LastCheckpoint"]["torch"] for each in (plain, reporting)]
    assert torch.equal(*random_state)
    for part in ("state_dict", "current_model_state"):
        for name, value in plain.get(part, {}).items():
            assert torch.equal(value, reporting[part][name]), name


def test_without_data_held_out_the_first_are_taken(fit):
    folder = fit("run", "sdedit", *REPORTS)
    assert figures(folder).index.tolist() == [8, 16]


def test_one_part_of_several_is_judged(crowded):
    pair = FolderPair(*crowded)
    data = MixedDataModule([pair, pair], crop_px=32, validation=2)
    report = NoiseReport(8, micrographs=2, crop_px=32, figures=("histogram_w1",), part=1)
    yardstick = report._measured(data)
    assert report.pair is not None
    assert report.pair.style == 1
    assert yardstick.simulated.names == tuple(data.parts[1].simulated.held_out)
    assert not yardstick.missing()


@pytest.mark.parametrize("micrographs", [1, 3])
def test_processes_share_the_work_and_agree(
    micrographs, fit, reported, crowded, tmp_path, monkeypatch
):
    report = NoiseReport._report
    values = "psd_background_db", "histogram_w1"

    def keeps(self, trainer, model):
        report(self, trainer, model)
        path = tmp_path / f"{trainer.global_rank}_{model.images_seen}.json"
        path.write_text(json.dumps(self.newest.values))

    monkeypatch.setattr(NoiseReport, "_report", keeps)
    more = (*REPORTS, f"--noise_report.micrographs={micrographs}", *FORKED)
    more = (*more, f"--noise_report.figures={json.dumps(values)}", "--best.figure=histogram_w1")
    folder = fit("two", "sdedit", *more, batch_size=2)
    for images in (8, 16):
        one, two = ((tmp_path / f"{rank}_{images}.json").read_text() for rank in (0, 1))
        assert one == two
        assert figures(folder, values).loc[images].to_dict() == json.loads(one)
    alone = tmp_path / "alone"
    paths = [f"--checkpoint={folder / 'last.ckpt'}", f"--input={crowded[0]}", f"--output={alone}"]
    assert main(["translate", *paths]) == 0
    diameter_A = open_folder(crowded[1]).optics().particle_diameter_A
    real = read_fields(crowded[1], "train", micrographs, diameter_A=diameter_A)
    made = read_fields(alone, None, micrographs, diameter_A=diameter_A)
    protocol = NoiseProtocol(32, 16, 64, diameter_A)
    card = standard_card(protocol, Learnt(), ScatteringExtractor(32)).only(values)
    expected = card.compare(card.describe(real, "real"), card.describe(made, "generated"))
    for name, value in json.loads(two).items():
        assert value == pytest.approx(expected[name].value, rel=1e-6), name


def test_a_model_that_gives_no_image_is_trained_on(fit, monkeypatch, capsys):
    plain = saved(fit("plain", "sdedit"))
    monkeypatch.setattr(SDEdit, "translate", lambda self, clean, *others: clean * float("nan"))
    folder = fit("run", "sdedit", *REPORTS, "--best.figure=histogram_w1")
    assert "no noise report" in capsys.readouterr().out
    assert not log(folder).filter(like="val/").size
    assert not (folder / "best.ckpt").exists()
    for name, value in plain["state_dict"].items():
        assert torch.equal(value, saved(folder)["state_dict"][name]), name


@pytest.mark.parametrize(
    ("more", "data", "words"),
    [
        (("--noise_report.every_n_images=0",), {}, ["every_n_images = 0", "1 or more"]),
        ((*REPORTS, "--noise_report.figures=[]"), {}, ["figures is empty"]),
        ((*REPORTS, "--noise_report.figures=[fid]"), {}, ["fid unknown", "psd_background_db"]),
        ((*REPORTS, "--noise_report.part=1"), {}, ["part = 1", "expected 0 to 0"]),
        ((*REPORTS, "--noise_report.crop_px=64"), {}, ["room for 16 crops", "leave it out"]),
        (
            (*REPORTS, "--noise_report.micrographs=3"),
            {"validation": 2},
            ["micrographs = 3", "at most 2", "held out", "validation"],
        ),
        (
            (*REPORTS, "--noise_report.micrographs=4"),
            {},
            ["contrast_error_db needs real training micrographs"],
        ),
        ((), {"validation": 4}, ["validation = 4", "expected 0 to 3"]),
        (("--best.figure=histogram_w1",), {}, ["no noise report", "every_n_images"]),
        ((*REPORTS, "--best.figure=acf_rmse"), {}, ["acf_rmse", "noise_report.figures"]),
    ],
)
def test_refusals(more, data, words, command, capsys):
    argv = command("run", "sdedit", *more, **data)
    capsys.readouterr()
    assert main(argv) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert not [word for word in words if word not in line], line
