"""The moving average: what is saved, resumed and translated with."""

import numpy as np
import pytest
import torch
from fits import saved
from toys import write_simulated

from cryoccd.cli import main
from cryoccd.io.dataset import Dataset
from cryoccd.methods.checkpoint import load_translator
from cryoccd.methods.cyclediffusion import CycleDiffusion

DECAY = 0.6
AVERAGED = f"--average.decay={DECAY}"


def same(one, other) -> bool:
    """Whether two trees of numbers and tensors are equal to the last bit."""
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def weights_after_steps(monkeypatch) -> list[dict[str, torch.Tensor]]:
    """Where the weights after each step will be found."""
    kept: list[dict[str, torch.Tensor]] = []
    step = CycleDiffusion.training_step

    def keeps(self, batch, batch_idx):
        step(self, batch, batch_idx)
        kept.append({name: p.detach().clone() for name, p in self.named_parameters()})

    monkeypatch.setattr(CycleDiffusion, "training_step", keeps)
    return kept


def test_checkpoint_holds_the_average_of_all_steps(fit, monkeypatch):
    steps = weights_after_steps(monkeypatch)
    checkpoint = saved(fit("run", "cyclediffusion", AVERAGED))
    assert len(steps) == 4
    assert len(checkpoint["state_dict"]["ice_maps"]) == 4  # a buffer that calibration made longer
    for name, average in steps[0].items():
        for step in steps[1:]:
            average = DECAY * average + (1 - DECAY) * step[name]
        found = checkpoint["state_dict"][name]
        torch.testing.assert_close(found, average, rtol=1e-6, atol=1e-7)
        assert not torch.equal(found, steps[-1][name]), name


def test_without_decay_the_weights_themselves_are_saved(fit, monkeypatch):
    steps = weights_after_steps(monkeypatch)
    checkpoint = saved(fit("run", "cyclediffusion", "--average.decay=null"))
    assert "current_model_state" not in checkpoint
    assert same({name: checkpoint["state_dict"][name] for name in steps[-1]}, steps[-1])


def test_killed_and_resumed_average_is_bit_exact(fit, command, tmp_path, monkeypatch):
    argv = command("broken", "cyclediffusion", AVERAGED)
    whole = saved(fit("whole", "cyclediffusion", AVERAGED))
    step = CycleDiffusion.training_step

    def dies(self, batch, batch_idx):
        if self.images_seen >= 12:  # in the middle of the second epoch
            raise KeyboardInterrupt
        return step(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(CycleDiffusion, "training_step", dies)
        assert main(argv) == 130
    halfway = saved(tmp_path / "broken")
    assert halfway["images_seen"] == 8
    assert not same(dict(halfway["state_dict"]), dict(halfway["current_model_state"]))
    assert main(argv) == 0
    resumed = saved(tmp_path / "broken")
    for part in (
        "state_dict",
        "current_model_state",
        "averaging_state",
        "optimizer_states",
        "images_seen",
    ):
        assert same(whole[part], resumed[part]), part


def test_translate_takes_the_average(fit, tmp_path, monkeypatch):
    checkpoint = fit("run", "cyclediffusion", AVERAGED) / "last.ckpt"
    load, safely = torch.load, []

    def watched(*args, **options):
        safely.append(options.get("weights_only"))
        return load(*args, **options)

    monkeypatch.setattr(torch, "load", watched)
    model = load_translator(checkpoint)
    assert same(dict(model.state_dict()), dict(saved(checkpoint.parent)["state_dict"]))
    source = write_simulated(tmp_path / "set", 1, seed=50)
    paths = ["--checkpoint", checkpoint, "--input", source, "--output", tmp_path / "images"]
    assert main(["translate", *map(str, paths)]) == 0
    assert set(safely) == {True}
    (name,) = Dataset(tmp_path / "images").names
    assert np.isfinite(Dataset(tmp_path / "images").image(name)).all()


@pytest.mark.parametrize(("before", "after"), [("null", "0.9"), ("0.9", "null")])
def test_a_run_with_and_one_without_are_not_mixed(before, after, fit, command, capsys):
    made = fit("before", "cyclediffusion", f"--average.decay={before}", "--trainer.max_epochs=1")
    argv = command("after", "cyclediffusion", f"--average.decay={after}")
    capsys.readouterr()
    assert main([*argv, f"--ckpt_path={made / 'last.ckpt'}"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "the checkpoint was made with" in line
