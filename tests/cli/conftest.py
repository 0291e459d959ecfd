"""Small folders, a fitted method, and the one way in which bad input must be refused."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from cryoccd.cli import main

CONFIGS = Path(__file__).parents[2] / "configs"


def listing(root: Path) -> list[str]:
    return sorted(str(path) for path in root.rglob("*")) if root.exists() else ["absent"]


@pytest.fixture
def refused(capsys) -> Callable[..., None]:
    """Run a command that must leave one line with all the words, exit code 2 and no file."""

    def run(argv: list, *words: str, output: Path | None = None) -> None:
        before = listing(output) if output else None
        capsys.readouterr()
        code = main([str(word) for word in argv])
        lines = capsys.readouterr().err.splitlines()
        assert len(lines) == 1, lines
        assert lines[0].startswith("cryoccd: error: ")
        assert code == 2
        assert not [word for word in words if word not in lines[0]], lines[0]
        assert before is None or listing(output) == before

    return run


@pytest.fixture(scope="session")
def folders(tmp_path_factory) -> dict[str, Path]:
    """A simulated set, real micrographs, and others that play the generated ones."""
    from toys import write_real, write_simulated

    root = tmp_path_factory.mktemp("cli")
    return {
        "simulated": write_simulated(root / "simulated", 3, empty=(2,)),
        "real": write_real(root / "real", n_train=3, n_test=3),
        "made": write_real(root / "made", n_train=2, n_test=1, seed=500),
    }


@pytest.fixture
def copy(folders, tmp_path) -> Callable[[str], Path]:
    """A folder of `folders` that may be spoilt."""

    def make(name: str) -> Path:
        return Path(shutil.copytree(folders[name], tmp_path / f"{name}_copy"))

    return make


@pytest.fixture
def fit(folders, tmp_path) -> Callable[..., list]:
    """The command line of a fit; its run folder is tmp_path / "run"."""
    return lambda **changes: fit_arguments(folders, tmp_path, **changes)


def fit_arguments(
    folders: dict, root: Path, *, method: str = "spectrum", demo: bool = False, **data: object
) -> list:
    paths = {"simulated": str(folders["simulated"]), "real": str(folders["real"])}
    settings = {
        "class_path": "cryoccd.data.datamodule.CryoDataModule",
        "init_args": paths | {"crop_px": 64} | data,
    }
    (root / "data.yaml").write_text(yaml.safe_dump({"data": settings}))
    methods = [CONFIGS / f"method/{method}.yaml"]
    methods += [CONFIGS / f"method/demo/{method}.yaml"] if demo else []
    configs = (*methods, root / "data.yaml", CONFIGS / "trainer/cpu.yaml")
    folder = root / "run"
    return [
        "fit",
        *(word for path in configs for word in ("--config", str(path))),
        f"--trainer.default_root_dir={folder}",
        f"--trainer.logger.init_args.save_dir={folder}",
    ]


@pytest.fixture(scope="session")
def checkpoint(folders, tmp_path_factory) -> Path:
    """A calibrated method with its config.yaml beside it."""
    root = tmp_path_factory.mktemp("checkpoint")
    assert main(fit_arguments(folders, root, method="gaussian")) == 0
    return root / "run" / "last.ckpt"


@pytest.fixture
def verbs(folders, checkpoint, fit, tmp_path) -> Callable[..., list]:
    """The command line of a verb with one of its folders replaced, and the output it may write."""

    def command(verb: str, *more: object, **changed: Path) -> tuple[list, Path]:
        if verb == "fit":
            return [*fit(**{k: str(v) for k, v in changed.items()}), *more], tmp_path / "run"
        if verb == "translate":
            source = changed.get("simulated", folders["simulated"])
            output = tmp_path / "translated"
            paths = ["--checkpoint", checkpoint, "--input", source, "--output", output]
            return ["translate", *paths, *more], output
        sides = folders | changed
        output = tmp_path / "report"
        paths = ["--real", sides["real"], "--generated", sides["made"]]
        small = ["--output", output / "report.json", "--crops-per-micrograph", 4, "--tile-px", 64]
        return ["evaluate", "noise", *paths, *small, *more], output

    return command
