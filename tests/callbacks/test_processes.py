"""Two processes on one fit do what one does, and speak and write as one."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from fits import distance, log, losses, saved

from cryoccd.methods.trained import TrainedTranslator

TWO = ("--trainer.devices=2", "--trainer.strategy=ddp_fork_find_unused_parameters_true")
CALIBRATION = ("calibrated", "clean_sd", "intensity_mean", "ice_maps")


@pytest.mark.parametrize("method", ["cryogem", "cryoccd", "cyclediffusion"])
def test_two_processes_learn_what_one_does(method, fit, tmp_path, monkeypatch):
    start = TrainedTranslator.on_train_start

    def keeps(self):
        torch.save([getattr(self, name) for name in CALIBRATION], tmp_path / str(self.global_rank))
        start(self)

    monkeypatch.setattr(TrainedTranslator, "on_train_start", keeps)
    one, two = fit("one", method), fit("two", method, *TWO, batch_size=2)
    assert log(two)["train/images"].tolist() == [4, 8, 12, 16]
    np.testing.assert_allclose(losses(two), losses(one), rtol=1e-4)
    assert distance(saved(one)["state_dict"], saved(two)["state_dict"]) < 1e-4
    calibrated = [torch.load(tmp_path / rank, weights_only=True) for rank in "01"]
    for name, *values in zip(CALIBRATION, *calibrated, strict=True):
        assert all(torch.equal(value, saved(one)["state_dict"][name]) for value in values), name


def test_networks_that_a_loss_does_not_reach_need_the_strategy(command):
    from cryoccd.cli import main

    argv = command("run", "cryogem", *TWO[:1], "--trainer.strategy=ddp_fork", batch_size=2)
    with pytest.raises(Exception, match="parameters that were not used in producing the loss"):
        main(argv)


def test_calibration_takes_one_process(fit, command):
    argv = [word for word in command("run", "gaussian", *TWO) if "init_args." not in word]
