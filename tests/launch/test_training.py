"""What a model is fitted on: names, refusals, and the hash that tells models apart."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from jsonargparse import ActionConfigFile, ArgumentParser

from cryoccd.cli import main
from cryoccd.errors import CryoccdError
from cryoccd.launch.fits import Fits
from cryoccd.launch.matrix import known_methods, read_matrix
from cryoccd.launch.places import Runs
from cryoccd.launch.selection import select
from cryoccd.launch.training import TrainedOn, mixture, trains
from cryoccd.methods.base import Translator

MATRIX = read_matrix(Path("experiments/fid-demo.yaml"), {})
NAMES = [spec.name for spec in MATRIX.datasets]


def mix(*names: str) -> TrainedOn:
    found = mixture(MATRIX, select(MATRIX, None, names), "mixed", None)
    assert found is not None
    return found


def test_all_stands_for_every_name():
    everything = select(MATRIX, ["all"], ["all"])
    assert [spec.name for spec in everything.datasets] == NAMES
    assert everything.methods[: len(MATRIX.methods)] == MATRIX.methods
    assert sorted(everything.methods) == known_methods()
    default = select(MATRIX, None, None)
    assert [spec.name for spec in default.datasets] == MATRIX.default_datasets
    with pytest.raises(CryoccdError, match="styles: 'all' is unknown"):
        select(MATRIX, None, ["all", "thin_ice"])


def test_a_mixture_is_named_by_its_styles_in_the_order_of_the_matrix():
    selected = select(MATRIX, None, ["low_dose"])
    held_out = mixture(MATRIX, selected, "mixed", ["thick_ice", "thin_ice"])
    assert held_out == mix("thin_ice", "thick_ice")
    assert held_out.label == "mixed_thin_ice-thick_ice"
    assert [held_out.style(name) for name in NAMES] == [0, 1, *[0] * 6]
    assert mixture(MATRIX, selected, "mixed", ["all"]).styles == NAMES
    assert mixture(MATRIX, selected, "per_style", None) is None
    alone = TrainedOn("per_style", (MATRIX.datasets[0],))
    assert alone.label == "thin_ice" != mix("thin_ice").label


@pytest.mark.parametrize("method", known_methods())
def test_what_trains_is_what_has_a_budget(method, tmp_path):
    configs = []
    for path in replace(MATRIX, demo_methods=True).method_configs(method):
        configs.append(tmp_path / f"{len(configs)}.yaml")  # without the keys of callbacks
        configs[-1].write_text(yaml.safe_dump({"model": yaml.safe_load(path.read_text())["model"]}))
    parser = ArgumentParser(parser_mode="omegaconf", exit_on_error=False)
    parser.add_argument("--config", action=ActionConfigFile)
    parser.add_subclass_arguments(Translator, "model")
    model = parser.instantiate(parser.parse_args([f"--config={path}" for path in configs])).model
    assert trains(configs) == (model.max_images > 0)


def test_a_class_that_is_no_method_is_refused(tmp_path):
    path = tmp_path / "own.yaml"
    for name, words in (
        ("cryoccd.methods.magic.Magic", "own.yaml: model: .*Magic' cannot be loaded"),
        ("pathlib.Path", "'pathlib.Path' is no Translator"),
    ):
        path.write_text(f"model:\n  class_path: {name}\n")
        with pytest.raises(CryoccdError, match=words):
            trains([path])


def test_a_model_hangs_on_all_the_folders_it_is_fitted_on(tmp_path):
    def hashes() -> list[str]:
        for style in ("thin_ice", "thick_ice"):
            for side in ("real", "simulated", "simulated_test"):
                (tmp_path / "data" / style / side).mkdir(parents=True, exist_ok=True)
        fits = Fits(MATRIX, Runs(tmp_path), lambda words: None, "cpu")
        sets = [
            mix("thin_ice", "thick_ice"),
            mix("thin_ice"),
            TrainedOn("per_style", mix("thin_ice").specs),
        ]
        return [fits.hash("cryogem", trained_on, 0) for trained_on in sets]

    before = hashes()
    assert len(set(before)) == 3
    assert hashes() == before
    (tmp_path / "data/thick_ice/simulated_test/new.txt").write_text("not for training")
    assert hashes() == before
    (tmp_path / "data/thick_ice/real/new.txt").write_text("more")
    after = hashes()
    assert after[0] != before[0]
    assert after[1:] == before[1:]


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["--training", "both"], "training: expected"),
        (["--training", "mixed", "--train_styles", "desert"], "train_styles: 'desert' is unknown"),
        (["--train_styles", "thin_ice"], "add --training mixed (make: TRAINING=mixed)"),
        (["--training", "mixed", "--methods", "gaussian"], "of gaussian none has a training step"),
    ],
)
def test_refusals(extra, words, tmp_path, capsys):
    argv = ["table", "fid", "--profile", "mini", "--runs", str(tmp_path), *extra]
    assert main(argv) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert words in line
    assert not list(tmp_path.iterdir())
