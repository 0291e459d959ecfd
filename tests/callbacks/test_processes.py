"""Two processes on one fit do what one does, and speak and write as one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from fits import distance, log, losses, saved

from cryoccd.cli import main
from cryoccd.methods.trained import TrainedTranslator

FORKED = ("--trainer.devices=2", "--trainer.strategy=ddp_fork_find_unused_parameters_true")
# the innermost norm of this generator is over 2 x 2 pixels: what is 0 but for rounding there must
# not be made a whole step by Adam
GENTLE = ("--model.init_args.optimizer=torch.optim.SGD", "--model.init_args.optimizer.lr=1e-4")
SHORT = ("--model.init_args.constant_images=8",)
CALIBRATION = ("calibrated", "clean_sd", "intensity_mean", "ice_maps")


@pytest.mark.parametrize(
    ("method", "more"), [("cryogem", GENTLE), ("cryoccd", SHORT), ("cyclediffusion", ())]
)
def test_two_processes_learn_what_one_does(method, more, fit, tmp_path, monkeypatch):
    start = TrainedTranslator.on_train_start

    def keeps(self):
        torch.save([getattr(self, name) for name in CALIBRATION], tmp_path / str(self.global_rank))
        start(self)

    monkeypatch.setattr(TrainedTranslator, "on_train_start", keeps)
    one = fit("one", method, *more)
    two = fit("two", method, *more, *FORKED, batch_size=2)
    assert log(two)["train/images"].tolist() == [4, 8, 12, 16][: len(log(one))]
    np.testing.assert_allclose(losses(two), losses(one), rtol=1e-4)
    assert distance(saved(one)["state_dict"], saved(two)["state_dict"]) < 1e-4
    calibrated = [torch.load(tmp_path / rank, weights_only=True) for rank in "01"]
    for name, *values in zip(CALIBRATION, *calibrated, strict=True):
        assert all(torch.equal(value, saved(one)["state_dict"][name]) for value in values), name


@pytest.mark.slow
def test_after_fifty_steps_two_processes_have_the_figures_of_one(fit):
    """But for gradients that are rounding alone, which Adam's own eps of 1e-8 makes whole steps."""
    fifty = ("--model.init_args.constant_images=200", "--noise_report.every_n_images=200")
    fifty += ("--model.init_args.optimizer=torch.optim.Adam",)
    fifty += ("--model.init_args.optimizer.lr=3e-4", "--model.init_args.optimizer.eps=1e-5")
    fifty += ("--noise_report.crop_px=32", "--noise_report.tile_px=64")
    fifty += ("--noise_report.micrographs=2",)
    one = fit("one", "cyclediffusion", *fifty)
    two = fit("two", "cyclediffusion", *fifty, *FORKED, batch_size=2)
    assert saved(one)["images_seen"] == saved(two)["images_seen"] == 200
    np.testing.assert_allclose(losses(two), losses(one), rtol=1e-4)
    names = [name for name in log(one) if name.startswith("val/")]
    assert names
    for name in names:
        first, second = (float(log(run)[name].dropna().iloc[-1]) for run in (one, two))
        assert second == pytest.approx(first, rel=1e-4), name


def test_two_processes_resume_bit_exactly(fit):
    two = ("sdedit", *FORKED, "--average.decay=0.5")
    whole = saved(fit("whole", *two, batch_size=2))
    half = fit("half", *two, "--trainer.max_epochs=1", batch_size=2)
    assert saved(half)["images_seen"] == 8
    resumed = saved(fit("resumed", *two, f"--ckpt_path={half / 'last.ckpt'}", batch_size=2))
    for name, value in whole["state_dict"].items():
        assert torch.equal(value, resumed["state_dict"][name]), name


def test_networks_that_a_loss_does_not_reach_need_the_strategy(command):
    argv = command("run", "cryogem", FORKED[0], "--trainer.strategy=ddp_fork", batch_size=2)
    with pytest.raises(Exception, match="parameters that were not used in producing the loss"):
        main(argv)


def test_a_calibration_takes_one_process(command, tmp_path):
    argv = [word for word in command("run", "gaussian", *FORKED) if "init_args.const" not in word]
    argv = [word for word in argv if "demo" not in word and "init_args.decay" not in word]
    assert main(argv) == 0
    assert saved(tmp_path / "run")["state_dict"]["calibrated"]


PROGRAM = """
import sys
import torch
from cryoccd.cli import main
from cryoccd.methods.trained import TrainedTranslator

torch.set_num_threads(1)
step = TrainedTranslator.training_step

def spoilt(self, batch, batch_idx):
    if "spoil" in self.trainer.default_root_dir and self.images_seen == 8 and self.global_rank:
        batch.real.fill_(float("nan"))
    return step(self, batch, batch_idx)

TrainedTranslator.training_step = spoilt
if sys.argv[1] == "fit":  # a process that the trainer has started
    sys.exit(main(sys.argv[1:]))
for words in sys.argv[1:]:
    code = main(words.split())
    print("code", code, flush=True)
"""


def test_processes_write_and_speak_once(command, tmp_path):
    """Two fits in one program, as in a table; in the second one process meets a NaN."""
    (tmp_path / "program.py").write_text(PROGRAM)
    processes = ("--trainer.accelerator=cpu", "--trainer.devices=2")
    fits = [
        command(name, "cyclediffusion", *processes, trainer="ddp", batch_size=2)
        for name in ("whole", "spoilt")
    ]
    done = subprocess.run(
        [sys.executable, "program.py", *map(" ".join, fits)],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=500,
    )
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stdout.splitlines() if "━" not in line]  # the last of each bar
    assert [told[0].partition(" · ")[0], *told[1:]] == ["16 images", "code 0", "code 2"]
    (fault,) = done.stderr.splitlines()
    batch = tmp_path / "spoilt" / "nonfinite_8_1.pt"
    assert fault.startswith("cryoccd: error: cyclediffusion: the real loss is nan after 8 training")
    assert str(batch) in fault
    assert bool(torch.load(batch, weights_only=True)["real"].isnan().all())
    files = {"config.yaml", "last.ckpt", "logs/version_0/metrics.csv"}
    assert written(tmp_path / "whole") == files
    assert written(tmp_path / "spoilt") == files | {batch.name}
    assert saved(tmp_path / "spoilt")["images_seen"] == 8


def written(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
