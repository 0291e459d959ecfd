"""A killed run goes on to the same weights, to the last bit."""

from pathlib import Path

import pytest
import torch
import yaml

from cryoccd.cli import main
from cryoccd.methods.checkpoint import load_translator
from cryoccd.methods.cryogem import CryoGEM


def arguments(root: Path, folders):
    data = {
        "class_path": "cryoccd.data.datamodule.CryoDataModule",
        "init_args": {
            "simulated": str(folders[0]),
            "real": str(folders[1]),
            "crop_px": 64,
            "batch_size": 4,
            "images_per_epoch": 8,
        },
    }
    root.mkdir(parents=True, exist_ok=True)
    (root.parent / "data.yaml").write_text(yaml.safe_dump({"data": data}))
    return [
        "fit",
        "--config=configs/method/cryogem.yaml",
        "--config=configs/method/demo/cryogem.yaml",
        f"--config={root.parent / 'data.yaml'}",
        "--config=configs/trainer/cpu.yaml",
        "--model.init_args.constant_images=16",
        "--model.init_args.decay_images=16",
        f"--trainer.default_root_dir={root}",
        f"--trainer.logger.init_args.save_dir={root}",
    ]


def weights(root: Path):
    return torch.load(root / "last.ckpt", weights_only=True)


def test_killed_and_resumed_run_is_bit_exact(toy_folders, tmp_path, monkeypatch):
    whole, broken = tmp_path / "a" / "whole", tmp_path / "b" / "broken"
    assert main(arguments(whole, toy_folders)) == 0

    step = CryoGEM.training_step

    def dies(self, batch, batch_idx):
        if self.images_seen >= 20:  # in the middle of the third epoch
            raise KeyboardInterrupt
        return step(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(CryoGEM, "training_step", dies)
        assert main(arguments(broken, toy_folders)) != 0
    assert 0 < weights(broken)["images_seen"] < 32
    assert main(arguments(broken, toy_folders)) == 0

    first, second = weights(whole), weights(broken)
    assert first["images_seen"] == second["images_seen"] == 32
    for name, value in first["state_dict"].items():
        assert torch.equal(value, second["state_dict"][name]), name
    for one, other in zip(first["optimizer_states"], second["optimizer_states"], strict=True):
        for key, state in one["state"].items():
            for part, value in state.items():
                assert torch.equal(value, other["state"][key][part])


def test_finished_run_is_left_alone_and_another_is_refused(toy_folders, tmp_path, capsys):
    root = tmp_path / "c" / "run"
    argv = arguments(root, toy_folders)
    assert main(argv) == 0
    before = weights(root)["state_dict"]
    assert main(argv) == 0
    after = weights(root)["state_dict"]
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert main([*argv, "--model.init_args.snr=0.2"]) == 2
    assert "another configuration" in capsys.readouterr().err


def test_checkpoint_rebuilds_the_method(toy_folders, tmp_path):
    root = tmp_path / "d" / "run"
    assert main(arguments(root, toy_folders)) == 0
    model = load_translator(root / "last.ckpt")
    assert isinstance(model, CryoGEM)
    clean = torch.zeros(1, 1, 96, 96)
    inputs = (clean, clean, clean + 1, torch.zeros(1, dtype=torch.long))
    one, two = (model.translate(*inputs, torch.Generator().manual_seed(5)) for _ in range(2))
    assert torch.equal(one, two)


@pytest.mark.parametrize("method", sorted(p.stem for p in Path("configs/method").glob("*.yaml")))
def test_every_method_config_fits(method, toy_folders, tmp_path):
    argv = arguments(tmp_path / "run", toy_folders)
    demo = Path(f"configs/method/demo/{method}.yaml")
    configs = [f"--config=configs/method/{method}.yaml"]
    configs += [f"--config={demo}"] if demo.is_file() else []
    kept = [a for a in argv[1:] if "configs/method" not in a and "--model" not in a]
    assert main(["fit", *configs, *kept, "--trainer.fast_dev_run=1"]) == 0


def test_seed_of_the_run_is_the_seed_of_the_method(toy_folders, tmp_path, monkeypatch):
    seen = []
    step = CryoGEM.training_step

    def records(self, batch, batch_idx):
        seen.append(self.seed)
        return step(self, batch, batch_idx)

    monkeypatch.setattr(CryoGEM, "training_step", records)
    argv = arguments(tmp_path / "e" / "run", toy_folders)
    assert main([*argv, "--seed_everything=3", "--trainer.fast_dev_run=1"]) == 0
    assert seen == [3]
