"""`best.ckpt` is that of the best report, and a killed run goes on to the same."""

import pytest
import torch
from fits import saved

from cryoccd.callbacks.yardstick import Yardstick
from cryoccd.cli import main
from cryoccd.methods.checkpoint import load_translator
from cryoccd.methods.sdedit import SDEdit
from cryoccd.metrics.card import Metric

REPORTS = (
    "--noise_report.every_n_images=4",
    "--noise_report.micrographs=2",
    "--noise_report.crop_px=32",
    "--noise_report.tile_px=64",
    "--best.figure=val/contrast_error_db",
)
PLAIN = "--average.decay=null"


@pytest.fixture
def values():
    """What reports after 4, 8, 12 and 16 images find; the ideal is 0."""
    return [3.0, -1.0, None, -2.0]


@pytest.fixture
def weights(values, monkeypatch):
    """Weights by the number of images."""
    kept, step = {}, SDEdit.training_step

    def keeps(self, batch, batch_idx):
        kept[self.images_seen] = {n: p.detach().clone() for n, p in self.named_parameters()}
        newest.append(self)
        step(self, batch, batch_idx)

    newest: list[SDEdit] = []

    def compare(self, made):
        value = values[newest[-1].images_seen // 4 - 1]
        return {"contrast_error_db": Metric(value, None, None, 2, "none")}

    monkeypatch.setattr(SDEdit, "training_step", keeps)
    monkeypatch.setattr(Yardstick, "compare", compare)
    return kept


def best(folder):
    return torch.load(folder / "best.ckpt", weights_only=True)


def test_it_is_the_nearest_to_the_ideal(weights, fit, capsys):
    folder = fit("run", "sdedit", *REPORTS, PLAIN)
    checkpoint = best(folder)
    assert checkpoint["images_seen"] == 8
    state = {"figure": "contrast_error_db", "value": -1.0, "images": 8}
    assert checkpoint["callbacks"]["BestCheckpoint"] == state
    assert saved(folder)["callbacks"]["BestCheckpoint"] == state
    assert "best contrast_error_db -1 after 8 images" in capsys.readouterr().out
    for name, value in load_translator(folder / "best.ckpt").named_parameters():
        assert torch.equal(value, weights[8][name]), name
    assert not [path.name for path in folder.iterdir() if path.name.startswith(".")]


def test_it_holds_the_average(weights, fit):
    checkpoint = best(fit("run", "sdedit", *REPORTS, "--average.decay=0.5"))
    of_training = checkpoint["current_model_state"]
    for name, value in weights[8].items():
        assert torch.equal(of_training[name], value), name
    average = checkpoint["state_dict"]
    assert any(not torch.equal(average[name], of_training[name]) for name in weights[8])


@pytest.mark.parametrize("third", [None, 0.5])
def test_a_killed_run_goes_on_to_the_same_best(
    third, values, weights, fit, command, tmp_path, monkeypatch
):
    """It goes on after 8 images; a best of 12 is made again."""
    values[2] = third
    whole = best(fit("whole", "sdedit", *REPORTS))
    argv, step = command("broken", "sdedit", *REPORTS), SDEdit.training_step

    def dies(self, batch, batch_idx):
        if self.images_seen >= 12:
            raise KeyboardInterrupt
        step(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(SDEdit, "training_step", dies)
        assert main(argv) == 130
    assert saved(tmp_path / "broken")["images_seen"] == 8
    path = tmp_path / "broken" / "best.ckpt"
    before = path.stat().st_mtime_ns
    assert main(argv) == 0
    assert (path.stat().st_mtime_ns == before) is (third is None)
    again = best(path.parent)
    assert again["images_seen"] == whole["images_seen"] == (8 if third is None else 12)
    assert again["callbacks"]["BestCheckpoint"] == whole["callbacks"]["BestCheckpoint"]
    for name, value in whole["state_dict"].items():
        assert torch.equal(value, again["state_dict"][name]), name


def test_another_folder_begins_with_a_best_of_its_own(weights, fit):
    half = fit("half", "sdedit", *REPORTS, "--trainer.max_epochs=1")
    assert best(half)["images_seen"] == 8
    other = fit("other", "sdedit", *REPORTS, f"--ckpt_path={half / 'last.ckpt'}")
    assert best(other)["images_seen"] == 16
