"""Short fits through the command line, on folders in which every crop has both classes."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from toys import write_real, write_simulated

from cryoccd.cli import main

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.fixture(scope="session")
def crowded(tmp_path_factory) -> tuple[Path, Path]:
    """A simulated set with many particles, and real micrographs."""
    root = tmp_path_factory.mktemp("crowded")
    return write_simulated(root / "simulated", 4, n=18), write_real(root / "real", n_train=4)


@pytest.fixture
def command(crowded, tmp_path) -> Callable[..., list[str]]:
    """The command line of a demo fit of 16 images in batches of 4, in the folder tmp_path / name.

    `data` are further arguments of the data module, `more` further words.
    """

    def words(name: str, method: str, *more: str, trainer: str = "cpu", **data: object) -> list:
        folder, settings = tmp_path / name, tmp_path / f"{name}.yaml"
        folders = {"simulated": str(crowded[0]), "real": str(crowded[1])}
        arguments = folders | {"crop_px": 64, "batch_size": 4, "images_per_epoch": 8} | data
        module = {
            "class_path": "cryoccd.data.datamodule.CryoDataModule",
            "init_args": arguments,
        }
        settings.write_text(yaml.safe_dump({"data": module}))
        files = [CONFIGS / f"method/{method}.yaml", CONFIGS / f"method/demo/{method}.yaml"]
        files += [settings, CONFIGS / f"trainer/{trainer}.yaml"]
        return [
            "fit",
            *(f"--config={path}" for path in files),
            "--model.init_args.constant_images=16",
            "--model.init_args.decay_images=0",
            "--trainer.log_every_n_steps=1",
            f"--trainer.default_root_dir={folder}",
            f"--trainer.logger.init_args.save_dir={folder}",
            *more,
        ]

    return words


@pytest.fixture
def fit(command, tmp_path) -> Callable[..., Path]:
    """Run a fit that must succeed; the folder of it."""

    def run(name: str, method: str, *more: str, **data: object) -> Path:
        assert main(command(name, method, *more, **data)) == 0
        return tmp_path / name

    return run
