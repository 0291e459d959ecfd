"""Sweep files and the jobs that they stand for."""

import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sweeps import write_sweep

from cryoccd.errors import CryoccdError
from cryoccd.launch.sweep.axes import draws, points
from cryoccd.launch.sweep.config import read_sweep
from cryoccd.launch.sweep.dotted import flat, nested
from cryoccd.launch.sweep.expand import expand
from cryoccd.launch.sweep.naming import LONGEST, names_of, text_of

NONE = {"draws": 0, "seed": 0, "flags": {}}
FLAGS = st.from_regex(r"[a-z]{1,3}(\.[a-z]{1,3}){0,2}", fullmatch=True)
VALUES = st.one_of(
    st.integers(), st.floats(allow_nan=False), st.text(max_size=12), st.booleans(), st.none()
)


def axes(grid=None, entries=(), random=None):
    return {"grid": grid or {}, "list": list(entries), "random": random or NONE}


def jobs_of(tmp_path, *changes, **file):
    sweep = read_sweep(write_sweep(tmp_path, **file), changes)
    return expand(sweep, tmp_path / "results", tmp_path / "runs")


@given(st.lists(st.integers(1, 4), max_size=3), st.integers(0, 3), st.integers(0, 3))
def test_the_number_of_jobs_is_the_product_of_all_axes(sides, entries, drawn):
    grid = {f"g{i}": list(range(n)) for i, n in enumerate(sides)}
    law = {"draws": drawn, "seed": 1, "flags": {"x": {"uniform": [0, 1]}} if drawn else {}}
    found = points(axes(grid, [{"k": i} for i in range(entries)], law))
    assert len(found) == math.prod(sides) * max(entries, 1) * max(drawn, 1)
    assert len({repr(point) for point in found}) == len(found)


@given(st.lists(st.dictionaries(FLAGS, VALUES, min_size=1, max_size=4), min_size=1, max_size=8))
def test_names_are_unique_short_and_those_of_the_values(chosen):
    chosen = points(axes(entries=chosen))
    names = names_of(chosen)
    assert len({name.casefold() for name in names}) == len(chosen)
    assert all(0 < len(name) <= LONGEST and "/" not in name for name in names)
    assert names_of([dict(reversed(list(point.items()))) for point in chosen]) == names


def test_names_tell_the_values():
    chosen = [{"model.init_args.lr": 1e-05, "seed": 0}, {"model.init_args.lr": 0.1, "seed": 1}]
    assert names_of(chosen) == ["lr-1.0e-05__seed-0", "lr-0.1__seed-1"]
    [one, other] = names_of([{"a.lr": 1, "b.lr": 2}, {"a.lr": 2, "b.lr": 1}])
    assert (one, other) == ("a.lr-1__b.lr-2", "a.lr-2__b.lr-1")
    [changed] = names_of([{"file": "a/b.yaml"}])
    assert changed.startswith("file-a-b.yaml-")  # with a hash: it could be a-b.yaml too


@pytest.mark.parametrize(("value", "text"), [(1e-5, "1.0e-05"), (True, "true"), ("a b", "a b")])
def test_values_on_the_command_line_are_yaml(value, text):
    import yaml

    assert text_of(value) == text
    assert yaml.safe_load(text) == value


def test_draws_are_reproducible_and_independent_of_one_another():
    flags = {"lr": {"log_uniform": [1e-5, 1e-2]}, "kind": {"choice": ["a", "b", "c"]}}
    few = draws({"draws": 5, "seed": 3, "flags": flags})
    many = draws({"draws": 50, "seed": 3, "flags": {"more": {"uniform": [2, 3]}, **flags}})
    assert [{k: each[k] for k in flags} for each in many[:5]] == few
    assert draws({"draws": 5, "seed": 4, "flags": flags}) != few
    assert all(1e-5 <= each["lr"] <= 1e-2 and 2 <= each["more"] <= 3 for each in many)
    below = sum(each["lr"] < 10**-3.5 for each in many)  # half of a logarithmic law
    assert 15 <= below <= 35
    assert {each["kind"] for each in many} == {"a", "b", "c"}


@given(st.dictionaries(FLAGS, st.integers(), max_size=4))
def test_dotted_names_and_nested_mappings_are_the_same(values):
    try:
        assert flat(nested(values)) == values
    except CryoccdError:  # a and a.b
        assert any(f"{one}." in other for one in values for other in values)


def test_interpolations_are_resolved_for_each_job(tmp_path, monkeypatch):
    monkeypatch.setenv("SCRATCH", "/scratch")
    found = jobs_of(
        tmp_path,
        command="table fid --data=${oc.env:SCRATCH} --profile=p${values.seeds}",
        axes={"grid": {"seeds": [1, 2]}, "list": [{"methods": "m${values.seeds}"}]},
        makes=["${results}/${job.name}.json"],
        reduce="table fid --allow-missing",
    )
    [one, two] = found.jobs
    assert one.argv[3:7] == ["table", "fid", "--data=/scratch", "--profile=p1"]
    assert set(one.argv[7:]) == {
        "--seeds=1",
        "--methods=m1",
        f"--results={tmp_path}/results",
        f"--runs={tmp_path}/runs",
        "--jobs=1",
    }
    assert two.makes == [f"{tmp_path}/results/methods-m2__seeds-2.json"]
    assert found.reduce.argv[3:6] == ["table", "fid", "--allow-missing"]
    assert found.reduce.after == [str(job.folder) for job in found.jobs]


def test_a_fit_writes_into_the_folder_of_its_job(tmp_path):
    [job] = jobs_of(tmp_path, axes={"grid": {"seed_everything": [4]}}).jobs
    assert job.folder == tmp_path / "runs/sweep/ticks/seed_everything-4"
    assert job.argv[3:] == [
        "fit",
        "--seed_everything=4",
        f"--trainer.default_root_dir={job.folder}",
        f"--trainer.logger.init_args.save_dir={job.folder}",
    ]
    [own] = jobs_of(tmp_path, command="fit --trainer.default_root_dir=/x").jobs
    assert "--trainer.default_root_dir=/x" in own.argv
    assert len([w for w in own.argv if w.startswith("--trainer.default_root_dir")]) == 1
    [silent] = jobs_of(tmp_path, command="fit --trainer.logger=false").jobs
    assert silent.argv[4:] == [
        "--trainer.logger=false",
        f"--trainer.default_root_dir={silent.folder}",
    ]


def test_the_order_of_axes_changes_neither_names_nor_hashes(tmp_path):
    one = jobs_of(tmp_path, axes={"grid": {"a": [1, 2], "b": [3]}}).jobs
    other = jobs_of(tmp_path, axes={"grid": {"b": [3], "a": [2, 1]}}).jobs
    assert {job.name: job.hash for job in one} == {job.name: job.hash for job in other}


def test_a_changed_configuration_file_changes_the_job(tmp_path):
    config = tmp_path / "method.yaml"
    config.write_text("model: a")
    file = {"command": f"fit --config={config}"}
    [before] = jobs_of(tmp_path, **file).jobs
    config.write_text("model: b")
    [after] = jobs_of(tmp_path, **file).jobs
    assert before.name == after.name
    assert before.hash != after.hash


def test_values_of_the_file_are_changed_by_the_command_line(tmp_path):
    file = {"axes": {"grid": {"model.init_args.snr": [1, 2]}}}
    changes = ("axes.grid.model.init_args.snr=[5]", "resources.hours=3", "resources.partition=gpu")
    [job] = jobs_of(tmp_path, *changes, **file).jobs
    assert job.values == {"model.init_args.snr": 5}
    assert (job.resources.hours, job.resources.partition) == (3, "gpu")


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ({"nmae": "x"}, "nmae"),
        ({"axes": {"gird": {}}}, "axes.gird"),
        ({"axes": {"grid": {"a": 1}}}, "grid.a = 1, expected a list"),
        ({"axes": {"grid": {"a": []}}}, "grid.a = [], expected a list"),
        ({"axes": {"grid": {"a": [1]}, "list": [{"a": 2}]}}, "a stands on two axes"),
        ({"axes": {"list": ["a"]}}, "list[0] = a, expected flags"),
        ({"axes": {"random": {"draws": 2}}}, "random.draws = 2 of 0 flags"),
        ({"axes": {"random": {"draws": 1, "flags": {"a": {"normal": [0, 1]}}}}}, "flags.a"),
        ({"axes": {"random": {"draws": 1, "flags": {"a": {"uniform": [1, 0]}}}}}, "[low, high]"),
        ({"axes": {"random": {"draws": 1, "flags": {"a": {"log_uniform": [0, 1]}}}}}, "above 0"),
        ({"name": "a/b"}, "name = 'a/b'"),
        ({"command": ""}, "command is empty"),
        ({"command": "destroy"}, "'destroy', expected one of fit, table"),
        ({"command": "fit --a=${values.b}"}, "values"),
        ({"resources": {"cpus": 0}}, "resources.cpus = 0, expected 1 or more"),
        ({"resources": {"turns": 0}}, "resources.turns = 0, expected 1 or more"),
        ({"resources": {"hours": float("inf")}}, "resources.hours = inf, expected above 0, finite"),
        ({"resources": {"hours": "long"}}, "resources.hours"),
    ],
)
def test_a_fault_of_the_file_is_one_line(file, words, tmp_path):
    with pytest.raises(CryoccdError) as refused:
        jobs_of(tmp_path, **file)
    assert words in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_expansion_imports_nothing_heavy():
    code = (
        "import sys, cryoccd.launch.sweep.run as r; print({'torch', 'lightning'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# those that W&B's own agent takes are of another form
SWEEPS = sorted(
    set(Path("configs/sweep").glob("*.yaml")) - set(Path("configs/sweep").glob("wandb-*"))
)


@pytest.mark.parametrize("path", SWEEPS, ids=lambda p: p.stem)
def test_every_sweep_file_expands(path, tmp_path):
    found = expand(read_sweep(path), tmp_path / "results", tmp_path / "runs")
    assert found.jobs
    if path.stem == "smoke":
        assert len(found.jobs) == 4
        assert found.reduce is not None


def test_sets_are_made_in_shares_that_go_on(tmp_path):
    found = expand(
        read_sweep(Path("configs/sweep/simulate.yaml")), tmp_path / "r", tmp_path / "runs"
    )
    assert [job.name for job in found.jobs] == [f"share-{number}of4" for number in (1, 2, 3, 4)]
    for job in found.jobs:
        assert "--resume" in job.argv
        assert f"--output={tmp_path}/runs/shared/demo" in job.argv
    assert len({job.argv[-2] for job in found.jobs}) == 4


def test_an_evaluation_writes_into_the_folder_of_its_job(tmp_path):
    file = {"command": "evaluate noise --real=r", "axes": {"grid": {"generated": ["a", "b"]}}}
    [one, other] = jobs_of(tmp_path, **file).jobs
    assert one.argv[-1] == f"--output={one.folder}/card.json"
    assert other.argv[-1] == f"--output={other.folder}/card.json"
    [own] = jobs_of(tmp_path, command="evaluate picking --output c.json").jobs
    assert own.argv[3:] == ["evaluate", "picking", "--output", "c.json"]
    for share in jobs_of(tmp_path, **file | {"axes": {"grid": {"share": ["1of2", "2of2"]}}}).jobs:
        assert not [word for word in share.argv if word.startswith("--output")]


def test_a_changed_file_of_the_reduction_changes_it(tmp_path):
    config = tmp_path / "reduce.yaml"
    config.write_text("a: 1")
    before = jobs_of(tmp_path, reduce=f"fit --config={config}").reduce
    config.write_text("a: 2")
    after = jobs_of(tmp_path, reduce=f"fit --config={config}").reduce
    assert before.hash != after.hash
    assert jobs_of(tmp_path, reduce="  ").reduce is None


@pytest.mark.parametrize("word", ["axes.grid.a=[1", "resources.hours=${"])
def test_a_fault_of_a_change_names_the_change(word, tmp_path):
    with pytest.raises(CryoccdError) as refused:
        jobs_of(tmp_path, word)
    assert str(refused.value).startswith(f"set = {word!r}: ")
