"""Accumulation, clipping, compiled networks and memory order change the work, not the result."""

import shutil

import numpy as np
import pytest
import torch
import yaml
from fits import distance, losses, saved
from torch import nn

from cryoccd.cli import main
from cryoccd.methods.checkpoint import load_translator

CLIP = 0.05
ONE_STEP = ("--model.init_args.constant_images=4",)
TWO_STEPS = ("--model.init_args.constant_images=8",)
HALF = {
    "class_path": "lightning.pytorch.plugins.MixedPrecision",
    "init_args": {"precision": "16-mixed", "device": "cpu"},
}


@pytest.mark.parametrize("method", ["cyclediffusion", "cryoccd"])
def test_accumulated_batches_are_one_large_batch(method, fit):
    """Three batches of 2 an epoch, the last alone, are batches of 4 and 2; the rate falls."""
    budget = ("--model.init_args.constant_images=4", "--model.init_args.decay_images=8")
    wide = fit("wide", method, *budget, batch_size=4, images_per_epoch=6)
    more = ("--optimisation.accumulate_batches=2",)
    parts = fit("parts", method, *budget, *more, batch_size=2, images_per_epoch=6)
    assert len(losses(wide)) == 4
    means = losses(parts).groupby([0, 0, 1, 2, 2, 3]).mean()
    np.testing.assert_allclose(means, losses(wide), rtol=1e-4)
    assert distance(saved(wide)["state_dict"], saved(parts)["state_dict"]) < 1e-4


def norms_of_steps(monkeypatch) -> list[float]:
    """Where the length of the gradient of each step of Adam will be found."""
    step, norms = torch.optim.Adam.step, []

    def measures(self, closure=None):
        if closure is not None:
            closure()
        gradients = [p.grad for group in self.param_groups for p in group["params"]]
        norms.append(float(nn.utils.get_total_norm(gradients)))
        return step(self)

    monkeypatch.setattr(torch.optim.Adam, "step", measures)
    return norms


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed", "16-mixed"])
def test_gradients_are_clipped(precision, fit, tmp_path, monkeypatch):
    more = [f"--trainer.precision={precision}", f"--optimisation.clip_norm={CLIP}", *ONE_STEP]
    if precision == "16-mixed":  # on a CPU the trainer must be handed it, with its scale
        (tmp_path / "half.yaml").write_text(yaml.safe_dump({"trainer": {"plugins": [HALF]}}))
        more[0] = f"--config={tmp_path / 'half.yaml'}"
    norms = norms_of_steps(monkeypatch)
    fit("run", "cyclediffusion", *more)
    assert norms == pytest.approx([CLIP, CLIP], rel=1e-3)


def test_gradients_are_clipped_on_a_gpu(fit, monkeypatch):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    norms = norms_of_steps(monkeypatch)
    gpu = ("--trainer.accelerator=gpu", "--trainer.precision=16-mixed")
    fit("run", "cyclediffusion", *gpu, f"--optimisation.clip_norm={CLIP}")
    finite = [norm for norm in norms if np.isfinite(norm)]  # the first scales are tried out
    assert finite
    assert max(finite) <= CLIP * 1.001


def test_a_fused_optimizer_is_not_clipped_in_half_precision(command, tmp_path, capsys):
    (tmp_path / "half.yaml").write_text(yaml.safe_dump({"trainer": {"plugins": [HALF]}}))
    fused = "--model.init_args.optimizer.init_args.fused=true"
    more = (f"--config={tmp_path / 'half.yaml'}", fused, f"--optimisation.clip_norm={CLIP}")
    argv = command("run", "cyclediffusion", *more)
    capsys.readouterr()
    assert main(argv) == 2
    assert "clip_norm clips no fused optimizer in 16-mixed" in capsys.readouterr().err


@pytest.mark.parametrize("method", ["cryogem", "cryoccd"])
def test_channels_last_is_the_same(method, fit):
    plain = fit("plain", method, *TWO_STEPS)
    last = fit("last", method, *TWO_STEPS, "--optimisation.channels_last=true")
    np.testing.assert_allclose(losses(last).head(1), losses(plain).head(1), rtol=1e-4)
    np.testing.assert_allclose(losses(last), losses(plain), rtol=1e-2)
    kernels = [value for value in saved(last)["state_dict"].values() if value.dim() == 4]
    assert all(kernel.is_contiguous(memory_format=torch.channels_last) for kernel in kernels)
    assert load_translator(last / "last.ckpt")


def check_compiled(fit) -> None:
    """The same losses, and a checkpoint that is read without compiling."""
    more = (*TWO_STEPS, "--average.decay=0.5")
    plain = fit("plain", "sdedit", *more)
    fast = fit("fast", "sdedit", *more, "--optimisation.compile=true")
    np.testing.assert_allclose(losses(fast), losses(plain), rtol=1e-3)
    assert saved(fast)["state_dict"].keys() == saved(plain)["state_dict"].keys()
    model = load_translator(fast / "last.ckpt")
    assert distance(saved(fast)["state_dict"], dict(model.state_dict())) == 0


def test_compiled_networks_keep_their_names(fit, monkeypatch):
    """Traced, but run by Python: no compiler is needed."""
    compiled, compile_ = [], nn.Module.compile

    def traced(self):
        compiled.append(type(self).__name__)
        compile_(self, backend="eager")

    monkeypatch.setattr(nn.Module, "compile", traced)
    check_compiled(fit)
    assert compiled == ["ConditionalUNet"]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # what the compiler says of the machine
def test_compiled_networks_give_the_same_losses(fit):
    if shutil.which("c++") is None and shutil.which("g++") is None:
        pytest.skip("no C++ compiler")
    check_compiled(fit)
