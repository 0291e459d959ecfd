"""A fit that a signal stops within an epoch goes on at the next batch, to the same weights."""

import os
import signal
from pathlib import Path

import pytest
import torch
from fits import saved

from cryoccd.callbacks.stopping import SIGNALS, Stopping
from cryoccd.cli import main
from cryoccd.data.epochs import EpochSampler
from cryoccd.methods.trained import TrainedTranslator

FORKED = ("--trainer.devices=2", "--trainer.strategy=ddp_fork_find_unused_parameters_true")
AVERAGED = ("--average.decay=0.9",)


def stop_at(monkeypatch, *images: int, number=signal.SIGUSR1, rank: int = 0) -> list[int]:
    """Signals in the steps at which so many images were seen; the images of all steps."""
    step, seen, left = TrainedTranslator.training_step, [], list(images)

    def signalled(self, batch, batch_idx):
        seen.append(self.images_seen)
        if left and self.images_seen == left[0]:
            left.pop(0)
            if self.global_rank == rank:
                os.kill(os.getpid(), number)
        return step(self, batch, batch_idx)

    monkeypatch.setattr(TrainedTranslator, "training_step", signalled)
    return seen


def same(one, other) -> None:
    for name, value in one["state_dict"].items():
        assert torch.equal(value, other["state_dict"][name]), name
    for a, b in zip(one["optimizer_states"], other["optimizer_states"], strict=True):
        for key, state in a["state"].items():
            assert all(torch.equal(v, b["state"][key][part]) for part, v in state.items())


@pytest.mark.parametrize(
    ("method", "more"),
    [
        ("cryogem", ()),
        ("cyclediffusion", AVERAGED),
        pytest.param("cyclegan", (), marks=pytest.mark.slow),
        pytest.param("cryoccd", (), marks=pytest.mark.slow),
    ],
)
def test_stopped_within_an_epoch_and_resumed_is_bit_exact(
    method, more, command, fit, tmp_path, monkeypatch
):
    size = {"images_per_epoch": 12}
    whole = saved(fit("whole", method, *more, **size))
    seen = stop_at(monkeypatch, 0, 4)  # within the first epoch, and in its last batch but one
    argv = command("broken", method, *more, **size)
    for images in (4, 8):
        assert main(argv) == 128 + signal.SIGUSR1
        assert saved(tmp_path / "broken")["images_seen"] == images
    assert main(argv) == 0
    assert seen == [0, 4, 8, 12]
    same(whole, saved(tmp_path / "broken"))


def test_a_stop_in_the_last_batch_of_an_epoch_resumes_in_the_next(
    command, fit, tmp_path, monkeypatch
):
    whole = saved(fit("whole", "cryogem"))
    seen = stop_at(monkeypatch, 4)
    assert main(command("broken", "cryogem")) == 128 + signal.SIGUSR1
    assert main(command("broken", "cryogem")) == 0
    assert seen == [0, 4, 8, 12]
    same(whole, saved(tmp_path / "broken"))


def test_loaders_of_data_survive_a_signal_to_all(command, fit, tmp_path, monkeypatch):
    """As SLURM sends it: to every process of the job."""
    whole = saved(fit("whole", "cryogem", num_workers=1))
    step = TrainedTranslator.training_step

    def signalled(self, batch, batch_idx):
        if self.images_seen == 0:
            children = f"/proc/{os.getpid()}/task/{os.getpid()}/children"
            for child in Path(children).read_text().split():
                os.kill(int(child), signal.SIGUSR1)
            os.kill(os.getpid(), signal.SIGUSR1)
        return step(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(TrainedTranslator, "training_step", signalled)
        assert main(command("broken", "cryogem", num_workers=1)) == 128 + signal.SIGUSR1
    assert saved(tmp_path / "broken")["images_seen"] == 4
    assert main(command("broken", "cryogem", num_workers=1)) == 0
    same(whole, saved(tmp_path / "broken"))


def test_no_accumulated_gradient_is_lost(command, fit, tmp_path, monkeypatch):
    more = ("--optimisation.accumulate_batches=2",)
    size = {"images_per_epoch": 16, "batch_size": 2}
    whole = saved(fit("whole", "cyclediffusion", *more, **size))
    stop_at(monkeypatch, 4)
    argv = command("broken", "cyclediffusion", *more, **size)
    assert main(argv) == 128 + signal.SIGUSR1
    assert saved(tmp_path / "broken")["images_seen"] == 8  # and not 6
    assert main(argv) == 0
    same(whole, saved(tmp_path / "broken"))


@pytest.mark.parametrize("rank", [0, 1])
def test_a_signal_to_one_process_stops_all(rank, command, fit, tmp_path, monkeypatch):
    """For the same reason, which is in their exit codes: SLURM brings a job back for USR1 alone."""
    whole = saved(fit("whole", "sdedit", *FORKED, batch_size=2))
    argv = command("broken", "sdedit", *FORKED, batch_size=2)
    begin = Stopping.on_train_batch_start

    def told(self, trainer, *more):
        try:
            begin(self, trainer, *more)
        except SystemExit as stop:
            (tmp_path / f"code{trainer.global_rank}").write_text(str(stop.code))
            raise

    with monkeypatch.context() as patch:
        patch.setattr(Stopping, "on_train_batch_start", told)
        stop_at(patch, 0, rank=rank)
        assert main(argv) == 128 + signal.SIGUSR1
    codes = {(tmp_path / f"code{each}").read_text() for each in range(2)}
    assert codes == {str(128 + signal.SIGUSR1)}
    assert saved(tmp_path / "broken")["images_seen"] == 4
    assert main(argv) == 0
    same(whole, saved(tmp_path / "broken"))


def test_handlers_come_back_and_a_second_interrupt_ends_at_once(command, tmp_path, monkeypatch):
    before = [signal.getsignal(number) for number in SIGNALS]
    step = TrainedTranslator.training_step

    def twice(self, batch, batch_idx):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        return step(self, batch, batch_idx)

    monkeypatch.setattr(TrainedTranslator, "training_step", twice)
    assert main(command("broken", "cryogem")) == 130
    assert not (tmp_path / "broken/last.ckpt").exists()
    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.parametrize("world", [1, 2])
def test_a_resumed_epoch_has_what_is_left_of_it(world):
    left = []
    for rank in range(world):
        sampler = EpochSampler(12, rank, world, (3, 8))
        sampler.set_epoch(3)
        left += list(sampler)
        assert len(sampler) == 12 // world  # of the whole epoch: the trainer counts on
        sampler.set_epoch(4)
        left += list(sampler)
    assert sorted(left) == [*range(44, 48), *range(48, 60)]
