"""The matrix behind a table: methods, data sets and seeds, read from experiments/*.yaml."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser

from cryoccd.data.recipe import Recipe
from cryoccd.errors import CryoccdError
from cryoccd.io.checked import parse_yaml
from cryoccd.io.refusal import one_line
from cryoccd.metrics.standard import standard_figures

CONFIGS = Path("configs")
EXPERIMENTS = Path("experiments")

ALL = "all"
"""Stands for every name, where it stands alone."""


@dataclass(frozen=True)
class DatasetSpec:
    """One column group: a data set and the recipe that makes it.

    Args:
        name: name of the column group.
        recipe: makes the folders.
    """

    name: str
    recipe: Recipe


@dataclass(frozen=True)
class Matrix:
    """What a table is made of.

    Args:
        table: name of the table.
        profile: name of the profile, a folder under results/ and runs/.
        methods: rows, by the names of configs/method/NAME.yaml.
        datasets: column groups.
        metrics: columns of each group.
        trainer: trainer configuration.
        demo_methods: merge configs/method/demo/NAME.yaml on top where there is one.
        data: arguments of CryoDataModule beside the folders.
        crop_px: side of the crops that are compared.
        crops_per_micrograph: how many of them.
        tile_px: side of the tiles of the spectra.
        method_overrides: arguments of single methods, by name.
        default_datasets: names of the column groups that are made when none is named; all by
            default.
    """

    table: str
    profile: str
    methods: list[str]
    datasets: list[DatasetSpec]
    metrics: list[str]
    trainer: Path
    demo_methods: bool
    data: dict[str, Any]
    crop_px: int
    crops_per_micrograph: int
    tile_px: int
    method_overrides: dict[str, dict[str, Any]] = field(default_factory=dict)
    default_datasets: list[str] = field(default_factory=list)

    def method_configs(self, method: str) -> list[Path]:
        """Configuration files of a method, in the order in which they are merged."""
        paths = [CONFIGS / "method" / f"{method}.yaml"]
        if not paths[0].is_file():
            known = ", ".join(known_methods())
            raise CryoccdError(f"{paths[0]}: no such method; known are {known}, or {ALL}")
        demo = CONFIGS / "method" / "demo" / f"{method}.yaml"
        if self.demo_methods and demo.is_file():
            paths.append(demo)
        return paths


def read_profile(profile: str, data: Path | None, structure: str | None) -> Matrix:
    """The matrix of a profile, for the user's folder and structure where it asks for them."""
    given = {"DATA": data, "STRUCTURE": structure, "NAME": data and data.resolve().name}
    replacements = {name: str(value) for name, value in given.items() if value is not None}
    return read_matrix(EXPERIMENTS / f"fid-{profile}.yaml", replacements)


def read_matrix(path: Path, replacements: dict[str, str]) -> Matrix:
    """Read a matrix file; `{NAME}` in it stands for a value of the command line.

    Raises:
        CryoccdError: the file is absent, malformed, or needs a value that was not given.
    """
    if not path.is_file():
        raise CryoccdError(f"{path}: no such matrix; run from the top folder of the project")
    text = path.read_text(encoding="utf8")
    for name, value in replacements.items():
        text = text.replace("{" + name + "}", value)
    for name in ("DATA", "STRUCTURE"):
        if "{" + name + "}" in text:
            raise CryoccdError(f"{path}: needs {name}; add --{name.lower()} (make: {name}=...)")
    parser = ArgumentParser(prog="cryoccd table fid", exit_on_error=False)
    parser.add_class_arguments(Matrix, as_group=False)
    with one_line(parser, [path]):
        values = parser.instantiate(parser.parse_object(parse_yaml(text, path)))
    return Matrix(**vars(values))


def choose_metrics(wanted: Sequence[str], added: Sequence[str]) -> list[str]:
    """Columns of each group: those of networks whose weights are given, then the wanted ones.

    Raises:
        CryoccdError: a name that no figure has.
    """
    known = {*standard_figures(), *added}
    if unknown := [name for name in wanted if name not in known]:
        raise CryoccdError(
            f"metrics: {', '.join(unknown)} unknown; known are {', '.join(sorted(known))}"
        )
    return list(dict.fromkeys([*added, *wanted]))


def select(matrix: Matrix, methods: Sequence[str] | None, datasets: Sequence[str] | None) -> Matrix:
    """The matrix with some of its rows and column groups.

    Args:
        matrix: the whole.
        methods: any methods, also such as the matrix does not name; ["all"] for every one that has
            a configuration; None for those of the matrix.
        datasets: some of its data sets; ["all"] for all; None for its default.

    Raises:
        CryoccdError: a name is unknown.
    """
    if methods is None:
        methods = matrix.methods
    elif list(methods) == [ALL]:
        # those of the matrix first, in its order
        methods = list(dict.fromkeys([*matrix.methods, *known_methods()]))
    columns = chosen("styles", datasets or matrix.default_datasets or [ALL], matrix.datasets)
    selected = replace(matrix, methods=list(methods), datasets=columns)
    for method in selected.methods:
        selected.method_configs(method)
    return selected


def chosen(field: str, names: Sequence[str], specs: Sequence[DatasetSpec]) -> list[DatasetSpec]:
    """The data sets of some names, or of ["all"], in the order of the names.

    Raises:
        CryoccdError: a name is unknown.
    """
    if list(names) == [ALL]:
        return list(specs)
    known = {spec.name: spec for spec in specs}
    for name in names:
        if name not in known:
            raise CryoccdError(
                f"{field}: {name!r} is unknown, expected of {', '.join(known)}, or {ALL}"
            )
    return [known[name] for name in names]


def known_methods() -> list[str]:
    """Names of configs/method/*.yaml."""
    return sorted(path.stem for path in (CONFIGS / "method").glob("*.yaml"))
