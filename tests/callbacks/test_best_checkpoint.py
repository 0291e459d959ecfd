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
VALUES = (3.0, -1.0, None, -2.0)  # after 4, 8, 12 and 16 images; the ideal is 0


@pytest.fixture
def weights(monkeypatch):
    """Weights by the number of images, in runs whose reports are VALUES."""
    kept, step = {}, SDEdit.training_step

    def keeps(self, batch, batch_idx):
        kept[self.images_seen] = {n: p.detach().clone() for n, p in self.named_parameters()}
        newest.append(self)
        step(self, batch, batch_idx)

    newest: list[SDEdit] = []

    def compare(self, made):
        value = VALUES[newest[-1].images_seen // 4 - 1]
        return {"contrast_error_db": Metric(value, None, None, 2, "none")}

    monkeypatch.setattr(SDEdit, "training_step", keeps)
    monkeypatch.setattr(Yardstick, "compare", compare)
    return kept


def best(folder):
    return torch.load(folder / "best.ckpt", weights_only=True)


def test_it_is_the_nearest_to_the_ideal(weights, fit, capsys):
    folder = fit("run", "sdedit", *REPORTS)
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


@pytest.mark.parametrize("died_after", [8, 12])
def test_a_killed_run_goes_on_to_the_same_best(
    died_after, weights, fit, command, tmp_path, monkeypatch
):
    """The last checkpoint is of 8 images; the best of them is known then, or made again."""
    whole = fit("whole", "sdedit", *REPORTS)
    argv, step = command("broken", "sdedit", *REPORTS), SDEdit.training_step

    def dies(self, batch, batch_idx):
        if self.images_seen >= died_after:
            raise KeyboardInterrupt
        step(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(SDEdit, "training_step", dies)
        assert main(argv) == 130
    broken = tmp_path / "broken"
    made = (broken / "best.ckpt").stat().st_mtime_ns
    assert main(argv) == 0
    assert (broken / "best.ckpt").stat().st_mtime_ns == made
    one, two = best(whole), best(broken)
    assert one["callbacks"]["BestCheckpoint"] == two["callbacks"]["BestCheckpoint"]
    for name, value in one["state_dict"].items():
        assert torch.equal(value, two["state_dict"][name]), name


def test_another_folder_begins_with_a_best_of_its_own(weights, fit):
    half = fit("half", "sdedit", *REPORTS, "--trainer.max_epochs=1")
    assert best(half)["images_seen"] == 8
    other = fit("other", "sdedit", *REPORTS, f"--ckpt_path={half / 'last.ckpt'}")
    assert best(other)["images_seen"] == 16
