"""Short fits through the command line, on folders in which every crop has both classes."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from toys import exposure, write_real, write_simulated

from cryoccd.cli import main
from cryoccd.data.hold_out import hold_out
from cryoccd.io.dataset import Dataset, DatasetWriter, Item
from cryoccd.io.folder import open_folder

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


@pytest.fixture
def reported(tmp_path):
    """The figures that `cryoccd test` gives of the weights of a run."""

    def judge(folder, real, simulated, *more):
        output = tmp_path / "test.json"
        words = [f"--ckpt={folder / 'last.ckpt'}", f"--real={real}", f"--simulated={simulated}"]
        assert main(["test", *words, f"--output={output}", *more]) == 0
        return {name: m["value"] for name, m in json.loads(output.read_text())["metrics"].items()}

    return judge


@pytest.fixture
def held_out(crowded, tmp_path):
    """The two held-out micrographs of each side as test folders, the others as training split."""
    folder = open_folder(crowded[1])
    train, test = hold_out(folder.names("train"), 2, 0, crowded[1])
    real = shutil.copytree(crowded[1], tmp_path / "held_real")
    for name in folder.names("test"):
        (real / "micrographs" / f"{name}.mrc").unlink()
        (real / "picks" / f"{name}.csv").unlink()
    split = [f"{n},train" for n in train] + [f"{n},test" for n in test]
    (real / "split.csv").write_text("\n".join(["micrograph,split", *split]) + "\n")
    names = hold_out(Dataset(crowded[0]).names, 2, 0, crowded[0])[1]
    writer = DatasetWriter(tmp_path / "held_simulated", {})
    for name in names:
        seed = 1000 + int(name.removeprefix("sim_"))  # of toys.write_simulated
        writer.write(Item(name, exposure(seed, 18), seed))
    writer.finish(names)
    return real, tmp_path / "held_simulated"
