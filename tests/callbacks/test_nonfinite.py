"""A loss that is not finite stops the fit, keeps the batch and spares all else."""

import copy

import torch
from fits import saved

from cryoccd.callbacks.progress import FitProgress
from cryoccd.cli import main
from cryoccd.methods.cryogem import CryoGEM


def test_nonfinite_loss_stops_in_one_line_and_spares_the_rest(
    command, tmp_path, monkeypatch, capsys
):
    step, seen, bars = CryoGEM.training_step, [], []

    def spoilt(self, batch, batch_idx):
        if self.images_seen >= 12:  # in the second epoch
            batch.real[1] = float("inf")
            batch.real[1, 0, 0, 0] = float("nan")
            optimizers = [optimizer.state_dict() for optimizer in self.trainer.optimizers]
            seen.extend([self, copy.deepcopy(self.state_dict()), copy.deepcopy(optimizers)])
            bars.extend(c for c in self.trainer.callbacks if isinstance(c, FitProgress))
        step(self, batch, batch_idx)

    monkeypatch.setattr(CryoGEM, "training_step", spoilt)
    argv = command("run", "cryogem")
    capsys.readouterr()
    assert main(argv) == 2
    (line,) = capsys.readouterr().err.splitlines()
    path = tmp_path / "run" / "nonfinite_12_0.pt"
    assert line.startswith("cryoccd: error: cryogem: the discriminator loss is nan after 12 ")
    assert str(path) in line

    batch = torch.load(path, weights_only=True)
    assert set(batch) >= {"clean", "mask", "ice", "real", "pixel_size_A", "style"}
    assert batch["real"].flatten(1).isfinite().all(1).tolist() == [True, False, True, True]

    model, state, optimizers = seen
    assert all(torch.equal(value, state[name]) for name, value in model.state_dict().items())
    now = [optimizer.state_dict() for optimizer in model.trainer.optimizers]
    for one, other in zip(now, optimizers, strict=True):
        for key, values in one["state"].items():
            assert all(torch.equal(v, other["state"][key][name]) for name, v in values.items())
    assert saved(tmp_path / "run")["images_seen"] == 8
    assert bars[0]._progress is None  # or the cursor would stay hidden
