"""One factor changed under one seed: the change stays where it belongs, the noise stays put."""

import json
from dataclasses import replace

import pytest
import torch
from PIL import Image

from cryoccd.cli import main
from cryoccd.launch.control import compare, translated
from cryoccd.methods.checkpoint import load_translator

METHODS = ("spectrum", "cryogem", "cryoccd", "poisson")
LEARNED = ("cryogem", "cryoccd")
FACTORS = ("position", "orientation", "conformation", "specimen", "defocus", "ice")


@pytest.fixture(scope="module")
def gallery(run):
    """The folder of results, and that of the fits."""
    root, _ = run
    argv = ["gallery", "control", "--profile", "mini", "--methods", ",".join(METHODS)]
    places = ["--results", str(root / "results"), "--runs", str(root / "runs")]
    kept = root / "runs/mini/fit/cryogem__thin_ice__0/last.ckpt"
    before = kept.stat().st_mtime_ns
    assert main([*argv, "--style", "thin_ice", "--seed", "0", *places]) == 0
    assert kept.stat().st_mtime_ns == before  # the table's fit
    return root / "results/mini/control", root / "runs/mini"


@pytest.fixture(scope="module")
def models(gallery):
    _, runs = gallery
    return {m: load_translator(runs / f"fit/{m}__thin_ice__0/last.ckpt") for m in METHODS}


@pytest.fixture(scope="module")
def figures(gallery):
    """Method and factor to what the verb wrote of them."""
    record = json.loads((gallery[0] / "control.json").read_text())
    return {(each["method"], each["factor"]): each["locality"] for each in record["figures"]}


@pytest.mark.parametrize("name", FACTORS)
def test_an_exact_signal_leaves_all_else_as_it_was(models, stage, name):
    only = replace(stage, factors=tuple(each for each in stage.factors if each.name == name))
    [row] = compare(models["spectrum"], only, seed=7)
    clean, made = (pair[1] - pair[0] for pair in (row.clean, row.made))
    if name == "ice":  # which this method does not take
        assert torch.equal(*row.made)
        assert row.locality.leak is None
        return
    assert torch.allclose(made, float(models["spectrum"].gain) * clean, atol=1e-4)
    assert row.locality.response > 0.9999
    assert row.locality.leak == pytest.approx(row.locality.clean_leak, rel=0.01)
    assert row.locality.noise_correlation > 0.9999


@pytest.mark.parametrize("name", FACTORS)
@pytest.mark.parametrize("method", LEARNED)
def test_a_learned_method_keeps_the_noise_and_shows_the_change(figures, method, name):
    found = figures[method, name]
    assert found["noise_correlation"] > 0.99
    # after 16 images: normalisation over the whole field lets a change of a whole side through
    assert found["leak"] < (0.6 if name == "ice" else 0.3)
    if method == "cryoccd":  # which starts from the signal
        assert found["response"] > 0.5


@pytest.mark.parametrize("method", METHODS)
def test_another_seed_changes_the_noise_everywhere(models, stage, method):
    base = stage.render(stage.base)
    first, second = (translated(models[method], base, base, seed) for seed in (7, 8))
    height, width = first.shape
    for top in (0, height // 2):
        for left in (0, width // 2):
            part = (slice(top, top + height // 2), slice(left, left + width // 2))
            a, b = first[part].flatten(), second[part].flatten()
            assert (a == b).float().mean() < 0.5
            assert float((a - b).std()) > 0.5 * float(a.std())


def test_counted_electrons_do_not_stay_put(figures):
    # which is why the default leaves such methods out
    assert figures["poisson", "specimen"]["noise_correlation"] < 0.99


def test_pictures_and_figures_are_written(gallery, figures, stage):
    folder, _ = gallery
    assert set(figures) == {(method, factor) for method in METHODS for factor in FACTORS}
    assert figures["spectrum", "ice"]["leak"] is None
    assert figures["cryogem", "position"]["leak"] > 0
    lines = (folder / "control.md").read_text().splitlines()
    assert sum(line.startswith("| cryoccd | thin_ice | 0 |") for line in lines) == len(FACTORS)
    side = stage.base.scene.shape_px[0]
    for method in METHODS:
        with Image.open(folder / f"control_{method}_thin_ice.png") as image:
            assert image.width > 5 * side
            assert image.height > len(FACTORS) * side


def test_refusals(capsys):
    for argv, words in (
        (["gallery"], "gallery: none asked for, expected one of control"),
        (["gallery", "control", "--seed", "x"], "seed = 'x', expected whole numbers"),
        (["gallery", "control", "--style", "desert"], "'desert' is unknown"),
    ):
        assert main(argv) == 2
        [line] = capsys.readouterr().err.splitlines()
        assert words in line
