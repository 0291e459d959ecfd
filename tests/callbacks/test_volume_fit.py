"""`cryoccd fit` of a generator of boxes: budget, log, average, resume, and its data."""

import numpy as np
import pytest
import torch
from fits import distance, log, saved

from cryoccd.cli import main
from cryoccd.methods.checkpoint import load_generator

NAMES = ["subtomogram_ddpm", "subtomogram_ddpm_plus"]
NET = "--model.init_args.net.init_args"


def arguments(root, name: str, *more: str, data: str = "ball_boxes.ToyVolumes") -> list[str]:
    return [
        "fit",
        f"--config=configs/volume/{name}.yaml",
        f"--config=configs/volume/demo/{name}.yaml",
        "--config=configs/trainer/cpu.yaml",
        f"{NET}.n_classes=2",
        f"--data={data}",
        "--model.init_args.constant_images=96",
        "--model.init_args.decay_images=96",
        f"--trainer.default_root_dir={root}",
        f"--trainer.logger.init_args.save_dir={root}",
        "--trainer.log_every_n_steps=1",
        *more,
    ]


@pytest.mark.parametrize("name", NAMES)
def test_a_run_from_the_command_line(name, tmp_path):
    root = tmp_path / "run"
    assert main(arguments(root, name)) == 0
    table = log(root)
    steps = table.dropna(subset="train/loss_denoise")
    assert steps["step"].tolist() == steps["train/images"].tolist() == list(range(16, 193, 16))
    assert steps["train/rate_factor"].tolist()[5:8] == pytest.approx([1, 1, 5 / 6])
    quarters = table.dropna(subset="train/loss_t3").filter(regex="step$|loss_t")
    assert quarters["step"].tolist() == [64, 128, 192]
    assert np.isfinite(quarters).all(axis=None)
    made = load_generator(root / "last.ckpt")
    assert made.classes == ("low", "high")
    boxes = made.sample(torch.tensor([1]), torch.full((1, 3), 0.5), [torch.Generator()])
    assert boxes.shape == (1, 1, 8, 8, 8)
    assert ("current_model_state" in saved(root)) == name.endswith("plus")


@pytest.mark.parametrize("name", NAMES)
def test_a_run_that_was_stopped_ends_in_the_same_weights(name, tmp_path):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    assert main(arguments(whole, name)) == 0
    assert main(arguments(halves, name, "--trainer.max_epochs=1")) == 0
    config = halves / "config.yaml"
    config.write_text(config.read_text().replace("max_epochs: 1", "max_epochs: -1"))
    assert main(arguments(halves, name)) == 0
    assert saved(halves)["images_seen"] == 192
    one, other = (
        {k: v for k, v in saved(root)["state_dict"].items() if k.startswith("net.")}
        for root in (whole, halves)
    )
    assert distance(one, other) == 0


def test_options_of_the_optimisation(tmp_path):
    more = ["--optimisation.channels_last=true", "--optimisation.accumulate_batches=2"]
    assert main(arguments(tmp_path / "plain", NAMES[0])) == 0
    assert main(arguments(tmp_path / "other", NAMES[0], *more, "--optimisation.clip_norm=1.0")) == 0
    first, other = (log(tmp_path / name)["train/loss_denoise"] for name in ("plain", "other"))
    assert other.iloc[0] == pytest.approx(first.iloc[0], rel=1e-4)  # the same step so far
    assert other.iloc[-1] != pytest.approx(first.iloc[-1], rel=1e-4)


def test_data_of_the_other_kind_is_refused(tmp_path, toy_folders, capsys):
    crops = [
        f"--data.init_args.simulated={toy_folders[0]}",
        f"--data.init_args.real={toy_folders[1]}",
    ]
    data = "cryoccd.data.datamodule.CryoDataModule"
    argv = arguments(tmp_path / "run", NAMES[0], *crops, data=data)
    assert main([*argv, "--data.init_args.crop_px=32"]) == 2
    assert "CryoDataModule gives no boxes of tomograms" in capsys.readouterr().err
    argv = [
        a for a in arguments(tmp_path / "run", NAMES[0]) if "model" not in a and "volume/" not in a
    ]
    assert main([*argv, "--config=configs/method/gaussian.yaml"]) == 2
    assert "ToyVolumes gives no micrographs, which Gaussian needs" in capsys.readouterr().err
