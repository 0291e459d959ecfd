"""`cryoccd sample` and `cryoccd compose` from the command line."""

import json
from pathlib import Path

import pytest
import torch
import yaml
from blob_generator import write_checkpoint
from tomogram_folders import write_dataset

from cryoccd.cli import main
from cryoccd.io.dataset import BoxFolder
from cryoccd.io.tomograms import open_tomograms
from cryoccd.methods.gaussian_fitted import GaussianFitted


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("fit"), noise=0.1)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("source") / "set").root


@pytest.fixture(scope="module")
def translator(tmp_path_factory) -> Path:
    folder, model = tmp_path_factory.mktemp("translator"), GaussianFitted()
    config = {"model": {"class_path": "cryoccd.methods.gaussian_fitted.GaussianFitted"}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    torch.save({"state_dict": model.state_dict()}, folder / "last.ckpt")
    return folder / "last.ckpt"


def words(*argv: object) -> list[str]:
    return [str(word) for word in argv]


def test_sample(checkpoint, root, tmp_path, capsys):
    argv = words("sample", "--checkpoint", checkpoint, "--count", 3, "--output", tmp_path / "set")
    more = words("--classes", "hook", "--batch-size", 2, "--set", "model.init_args.noise=0.3")
    assert main([*argv, *more, "--density", str(root)]) == 0
    boxes = BoxFolder(tmp_path / "set")
    assert boxes.names == ["hook_00000", "hook_00001", "hook_00002"]
    assert boxes.classes == ("bar", "hook")
    assert boxes.densities is not None
    assert boxes.manifest["made_by"]["set"] == {"model.init_args.noise": 0.3}
    assert main([*argv, *more, "--density", str(root), "--resume"]) == 0
    assert "3/3" in capsys.readouterr().out


def test_compose(checkpoint, root, tmp_path):
    paths = ["--checkpoint", checkpoint, "--tomograms", root, "--output", tmp_path / "set"]
    how = ["--shape", "24,60,60", "--particles", 5, "--margin-A", 5, "--rim-A", 40]
    sizes = ["--diameter", "bar=60", "--diameter", "hook=70"]
    assert main(words("compose", *paths, *how, *sizes, "--names", "tomo_1")) == 0
    source = open_tomograms(tmp_path / "set")
    assert source.tomograms[0].shape == (24, 60, 60)
    assert len(source.particles) == 5
    # without poses the picks go out as points
    copick = tmp_path / "copick"
    assert (
        main(words("export", "--input", tmp_path / "set", "--format", "copick", "--output", copick))
        == 0
    )
    again = open_tomograms(copick).particles
    for axis in ("x_A", "y_A", "z_A"):
        places = [sorted(rows[axis]) for rows in (source.particles, again)]
        assert places[0] == pytest.approx(places[1])
    files = [json.loads(path.read_text()) for path in copick.rglob("Picks/*.json")]
    assert [picks["trust_orientation"] for picks in files] == 2 * [False]
    lines = [line for path in copick.rglob("*.ndjson") for line in path.read_text().splitlines()]
    assert [json.loads(line)["type"] for line in lines] == 5 * ["point"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--count", 0], "count = 0, expected 1 or more"),
        (["--count", 1, "--classes", "cat"], "classes: cat, expected some of bar, hook"),
        (["--count", 1, "--positions", "up"], "positions"),
        (["--count", 1, "--density", "nowhere"], "nowhere: no such folder"),
        (["--count", 1, "--device", "tpu"], "device tpu: not at hand"),
        (["--count", 1, "--set", "model.init_args.nois=1"], "nois"),
        (["--count", 1, "--batch_size", 0], "batch_size = 0, expected 1"),
    ],
)
def test_sample_refuses(more, told, checkpoint, tmp_path, refused):
    output = tmp_path / "set"
    refused(["sample", "--checkpoint", checkpoint, "--output", output, *more], told, output=output)


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["--shape", "10,20"], "shape = '10,20', expected voxels along z,y,x"),
        (["--diameter", "cat=5"], "diameter: cat is no class, expected bar, hook"),
        (["--diameter", "bar"], "diameter: 'bar', expected NAME=VALUE"),
        (["--names", "tomo_7"], "no tomogram tomo_7, which names asks for"),
        (["--flavour", "denoised"], "no folder denoised/ for the flavour denoised"),
        (["--picks", "nowhere.csv"], "nowhere.csv: no such file"),
        (["--count", 0], "count = 0, expected 1"),
    ],
)
def test_compose_refuses(more, told, checkpoint, root, tmp_path, refused):
    output = tmp_path / "set"
    paths = ["--checkpoint", checkpoint, "--tomograms", root, "--output", output]
    refused(["compose", *paths, *more], told, output=output)


def test_a_checkpoint_of_another_kind_is_told(checkpoint, translator, root, tmp_path, refused):
    output = tmp_path / "set"
    told = "gaussianfitted is a translator; use `cryoccd translate`"
    refused(
        ["sample", "--checkpoint", translator, "--count", 1, "--output", output],
        f"{translator}: {told}",
        output=output,
    )
    paths = ["--tomograms", root, "--output", output]
    refused(["compose", "--checkpoint", translator, *paths], told, output=output)
    told = "blobgenerator generates boxes of tomograms; use `cryoccd sample`"
    refused(
        ["translate", "--checkpoint", checkpoint, "--input", root, "--output", output],
        told,
        output=output,
    )
