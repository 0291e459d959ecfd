"""Rows that are a method with something changed: their names, what they share, what is refused."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from jsonargparse import ArgumentParser

from cryoccd.cli import main
from cryoccd.diffusion.sampler import Sampler
from cryoccd.diffusion.schedule import NoiseSchedule
from cryoccd.errors import CryoccdError, UnfitError
from cryoccd.launch import matrix as module
from cryoccd.launch.fits import Fits
from cryoccd.launch.matrix import Matrix, read_matrix, read_profile
from cryoccd.launch.places import Runs
from cryoccd.launch.selection import select
from cryoccd.launch.training import TrainedOn
from cryoccd.launch.variants import Variant, grid

ABLATION = read_matrix(Path("experiments/ablation-demo.yaml"), {})
STEPS = read_matrix(Path("experiments/steps-demo.yaml"), {})
FID = read_matrix(Path("experiments/fid-demo.yaml"), {})
COUNTS = (1, 2, 5, 10, 20, 50, 100)


def test_an_axis_is_merged_into_another():
    rows = grid(
        [
            {"a": {"method": "m", "data": {"x": 1}}, "b": {"method": "n"}},
            {"p": {"data": {"x": 2, "y": 3}}, "q": {"sampling": {"s": 4}}},
        ]
    )
    assert rows == {
        "a_p": {"method": "m", "data": {"x": 2, "y": 3}},
        "a_q": {"method": "m", "data": {"x": 1}, "sampling": {"s": 4}},
        "b_p": {"method": "n", "data": {"x": 2, "y": 3}},
        "b_q": {"method": "n", "sampling": {"s": 4}},
    }
    assert grid([]) == {}


def test_the_steps_table_is_the_whole_grid_and_has_two_fits():
    expected = [
        f"{levels}_{sampler}_{count}"
        for levels in ("t1000", "t10")
        for sampler in ("ddpm", "ddim", "unipc", "dpmpp")
        for count in COUNTS
    ]
    assert STEPS.methods == expected
    assert {STEPS.fit_of(row) for row in expected} == {"cryoccd_t1000", "cryoccd"}
    assert STEPS.sides == [""]
    assert set(STEPS.gallery) <= set(expected)


@pytest.mark.parametrize("levels", [10, 1000])
def test_every_sampler_of_the_steps_table_samples_where_it_has_levels(levels):
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(Sampler, "sampler")
    schedule = NoiseSchedule(levels, 1e-4, 0.2 / levels)
    rows = [row for row in STEPS.methods if row.startswith(f"t{levels}_")]
    assert len(rows) == 4 * len(COUNTS)
    for row in rows:
        sampling = STEPS.variants[row].sampling
        values = {name.removeprefix("sampler.init_args."): v for name, v in sampling.items()}
        sampler = parser.instantiate(parser.parse_object({"sampler": values})).sampler
        if sampler.steps > levels:
            with pytest.raises(UnfitError, match=f"steps = {sampler.steps}.* <= {levels}, the lev"):
                sampler.check(schedule)
        else:
            sampler.check(schedule)


def test_rows_of_the_ablation_share_what_they_do_not_change():
    own = ["full", "no_cycle", "no_mask_nce", "small_defocus", "large_defocus"]
    fits = {row: ABLATION.fit_of(row) for row in ABLATION.methods}
    assert {row: row for row in own} | {
        "no_corrector": "full",
        "global_gradient_ice": "cryoccd",
    } == fits
    assert ABLATION.sides == ["", "small_defocus", "large_defocus"]
    for spec in ABLATION.datasets:
        factors = [spec.recipe_of(side).defocus_factor for side in ABLATION.sides]
        assert factors == [1.0, 0.5, 2.0]
        assert len({spec.recipe_of(side).structure for side in ABLATION.sides}) == 1


def test_the_fit_of_a_plain_row_is_that_of_the_fid_table(tmp_path):
    for name in ("simulated", "simulated.small_defocus", "real"):
        (tmp_path / "data/thin_ice" / name).mkdir(parents=True)
        (tmp_path / "data/thin_ice" / name / "of.txt").write_text(name)

    def hash_of(matrix: Matrix, row: str) -> str:
        trained_on = TrainedOn("per_style", (matrix.datasets[0],))
        return Fits(matrix, Runs(tmp_path), lambda words: None, "cpu").hash(row, trained_on, 0)

    assert hash_of(ABLATION, "global_gradient_ice") == hash_of(FID, "cryoccd")
    assert hash_of(ABLATION, "no_corrector") == hash_of(ABLATION, "full")
    rows = ("global_gradient_ice", "full", "no_cycle", "no_mask_nce", "small_defocus")
    assert len({hash_of(ABLATION, row) for row in rows}) == len(rows)
    same_side = replace(
        ABLATION, variants={**ABLATION.variants, "small_defocus": ABLATION.variants["full"]}
    )
    assert hash_of(same_side, "small_defocus") == hash_of(ABLATION, "full")


def test_all_stands_for_every_variant():
    everything = select(ABLATION, ["all"], None)
    assert everything.methods == ABLATION.methods == list(ABLATION.variants)
    some = select(ABLATION, ["no_corrector", "spectrum"], ["thin_ice"])
    assert some.methods == ["no_corrector", "spectrum"]
    assert some.fit_of("no_corrector") == "full"
    assert some.sides == [""]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"overrides": {"lambda_cycl": 0}},
            "variants: own: .*unknown key lambda_cycl.*lambda_cycle",
        ),
        ({"sampling": {"sampler.init_args.step": 3}}, "variants: own: .*step .is it steps"),
        ({"sampling": {"sampler.init_args.steps": "many"}}, "variants: own: .*got many"),
        ({"sampling": {"sampl.init_args.steps": 3}}, "variants: own: .*unknown key sampl"),
        ({"data": {"ice": "model"}}, "variants: own: .*unknown key (data.)?ice"),
        ({"data": {"ice_source": "snow"}}, "variants: own: .*snow"),
    ],
)
def test_what_a_method_does_not_take_is_refused_before_any_fit(changes, words):
    broken = replace(FID, variants={"own": Variant("cryoccd", **changes)}, methods=["own"])
    with pytest.raises(CryoccdError, match=words) as caught:
        select(broken, None, None)
    assert "\n" not in str(caught.value)


def test_what_is_taken_passes():
    rows = ["t10_ddim_20", "t1000_dpmpp_100"]  # too many steps are for the cell to say
    assert select(STEPS, rows, None).methods == rows


def written(tmp_path, monkeypatch, **changes) -> None:
    """Write the mini ablation with some keys changed, as the matrix of a profile `own`."""
    values = yaml.safe_load(Path("experiments/ablation-mini.yaml").read_text())
    (tmp_path / "ablation-own.yaml").write_text(yaml.safe_dump(values | changes))
    monkeypatch.setattr(module, "EXPERIMENTS", tmp_path)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"variants": {"own": {"method": "cryoccd", "recipe": {"defocus": 2}}}}, "unknown key def"),
        ({"variants": {"own": {"method": "cryoccd", "cycle": {"a": 1}}}}, "cycle"),
        ({"variants": {"own": {"overrides": {"lambda_cycle": 0.0}}}}, "method"),
        ({"variants": {"cryogem": {"method": "cryoccd"}}}, "cryogem is taken"),
        ({"variants": {"real_floor": {"method": "cryoccd"}}}, "real_floor is taken"),
        ({"variants": {"a__b": {"method": "cryoccd"}}}, "variants is 'a__b', expected letters"),
        ({"variants": [1]}, "variants"),
        ({"axes": [{"a": 3}]}, "axes"),
        ({"table": "fid"}, "table = fid, expected ablation"),
    ],
)
def test_a_broken_matrix_is_refused(changes, words, tmp_path, monkeypatch):
    written(tmp_path, monkeypatch, **changes)
    with pytest.raises(CryoccdError, match=words) as caught:
        read_profile("own", None, None, "ablation")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (
            ["table", "ablation", "--methods", "no_magic"],
            "no such method; known are full, no_cycle",
        ),
        (["table", "steps", "--profile", "desert"], "steps-desert.yaml: no such matrix"),
        (["table", "magic"], "table: 'magic' asked for, expected one of fid, ablation, steps"),
        (["table", "steps", "--table", "fid"], "unknown key table"),
    ],
)
def test_unknown_names_are_refused(argv, words, tmp_path, capsys):
    assert main([*argv, "--runs", str(tmp_path)] if len(argv) > 2 else argv) == 2
    [line] = capsys.readouterr().err.splitlines()
    assert words in line
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("table", ["ablation", "steps"])
def test_help(table, capsys):
    assert main(["table", table, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"usage: cryoccd table {table}")
    assert "--table" not in text
