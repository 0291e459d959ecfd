"""The matrix behind a table: rows, data sets and seeds, read from experiments/*.yaml."""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from jsonargparse import ArgumentParser

from cryoccd.data.recipe import DataRecipe, Recipe
from cryoccd.errors import CryoccdError
from cryoccd.io.checked import parse_yaml
from cryoccd.io.refusal import one_line
from cryoccd.launch.picking_settings import PickingSettings
from cryoccd.launch.pose_settings import PoseSettings
from cryoccd.launch.variants import Variant, fit_of, grid, translation_of
from cryoccd.launch.volume_settings import VolumeSettings
from cryoccd.report.anchors import NAMES
from cryoccd.report.cells import check_name

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
        sides: recipes of other simulated sides against the same real one, by the name of the side;
            filled in from the variants.
    """

    name: str
    recipe: DataRecipe
    sides: dict[str, Recipe] = field(default_factory=dict)

    def maker(self, side: str) -> DataRecipe:
        """What makes a simulated side; "" for the common one."""
        return self.sides[side] if side else self.recipe

    def recipe_of(self, side: str) -> Recipe:
        """The same of micrographs.

        Raises:
            CryoccdError: the recipe makes none.
        """
        recipe = self.maker(side)
        if not isinstance(recipe, Recipe):
            raise CryoccdError(
                f"datasets: {self.name}: {type(recipe).__name__} makes no micrographs, expected a "
                "recipe that does, such as OracleRecipe"
            )
        return recipe


@dataclass(frozen=True)
class Matrix:
    """What a table is made of.

    Args:
        table: name of the table.
        profile: name of the profile, a folder under results/ and runs/.
        datasets: column groups.
        metrics: columns of each group.
        trainer: trainer configuration.
        demo_methods: merge the method's file in demo/ on top where there is one.
        data: arguments of the data module beside the folders.
        family: folder of configs/ that methods are in: method, or volume for generators of boxes.
        crop_px: side of the crops that are compared.
        crops_per_micrograph: how many of them.
        tile_px: side of the tiles of the spectra.
        method_overrides: arguments of single methods, by name.
        default_datasets: names of the column groups that are made when none is named; all by
            default.
        methods: rows, by the names of variants or of configs/FAMILY/NAME.yaml; all variants by
            default.
        variants: methods with something changed.
        axes: many of them, see `cryoccd.launch.variants`.
        gallery: rows that the galleries show, all by default.
        picking: how pickers are trained and judged, in a table of picking.
        pose: how pose estimators are, in a table of poses.
        volume: how generated boxes are drawn and judged, in a table of volumes.
    """

    table: str
    profile: str
    datasets: list[DatasetSpec]
    metrics: list[str]
    trainer: Path
    demo_methods: bool
    data: dict[str, Any]
    family: Literal["method", "volume"] = "method"
    crop_px: int = 64
    crops_per_micrograph: int = 16
    tile_px: int = 128
    method_overrides: dict[str, dict[str, Any]] = field(default_factory=dict)
    default_datasets: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    variants: dict[str, Variant] = field(default_factory=dict)
    axes: list[dict[str, dict[str, Any]]] = field(default_factory=list)
    gallery: list[str] = field(default_factory=list)
    picking: PickingSettings = field(default_factory=PickingSettings)
    pose: PoseSettings = field(default_factory=PoseSettings)
    volume: VolumeSettings = field(default_factory=VolumeSettings)

    def variant(self, row: str) -> Variant:
        """What a row is: a variant, or a method as it is."""
        return self.variants.get(row) or Variant(row)

    def fit_of(self, row: str) -> str:
        """Name of a row's fit."""
        return fit_of(row, self.variants)

    def translation_of(self, row: str) -> str:
        """Name of a row's translations."""
        return translation_of(row, self.variants)

    def side_of(self, row: str) -> str:
        """Name of a row's simulated side: that of the first variant with its; "" for the common."""
        recipe = self.variant(row).recipe
        alike = (name for name, each in self.variants.items() if each.recipe == recipe)
        return next(alike) if recipe else ""

    @property
    def sides(self) -> list[str]:
        """Names of the simulated sides of all rows, the common one first."""
        return list(dict.fromkeys(["", *map(self.side_of, self.methods)]))

    def overrides(self, row: str) -> dict[str, Any]:
        """Arguments of the model that a row is fitted with in place of its configuration's."""
        variant = self.variant(row)
        return {**self.method_overrides.get(variant.method, {}), **variant.overrides}

    def method_configs(self, row: str) -> list[Path]:
        """Configuration files of a row's method, in the order in which they are merged."""
        method = self.variant(row).method
        paths = [CONFIGS / self.family / f"{method}.yaml"]
        if not paths[0].is_file():
            known = ", ".join([*self.variants, *known_methods(self.family)])
            raise CryoccdError(f"{paths[0]}: no such method; known are {known}, or {ALL}")
        demo = CONFIGS / self.family / "demo" / f"{method}.yaml"
        if self.demo_methods and demo.is_file():
            paths.append(demo)
        return paths


def read_profile(
    profile: str, data: Path | None, structure: str | None, table: str = "fid"
) -> Matrix:
    """The matrix of a profile, for the user's folder and structure where it asks for them."""
    given = {"DATA": data, "STRUCTURE": structure, "NAME": data and data.resolve().name}
    replacements = {name: str(value) for name, value in given.items() if value is not None}
    path = EXPERIMENTS / f"{table}-{profile}.yaml"
    matrix = read_matrix(path, replacements)
    if matrix.table != table:
        raise CryoccdError(f"{path}: table = {matrix.table}, expected {table}, as its name has it")
    return matrix


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
    parser = ArgumentParser(prog="cryoccd table", exit_on_error=False)
    parser.add_class_arguments(Matrix, as_group=False)
    raw = parse_yaml(text, path)
    with one_line(parser, [path]):
        parser.parse_object(deepcopy(raw))  # it writes there; what comes now trusts the kinds
        rows = {**(raw.pop("variants", None) or {}), **grid(raw.pop("axes", None) or [])}
        parser.parse_object(deepcopy({**raw, "variants": rows}))
        values = vars(parser.instantiate(parser.parse_object(_with_sides(raw, rows))))
    # not by the parser, which would make an object of every class_path in a setting
    variants = {name: Variant(**fields) for name, fields in rows.items()}
    matrix = Matrix(**{**values, "variants": variants})
    for name in matrix.variants:
        check_name("variants", name)
        if name in (*known_methods(matrix.family), ALL, *NAMES):
            raise CryoccdError(f"{path}: variants: {name} is taken; take another name")
    return matrix if matrix.methods else replace(matrix, methods=list(matrix.variants))


def _with_sides(raw: dict[str, Any], rows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The matrix with a recipe of each data set for every variant that changes recipes."""
    changed = {name: fields["recipe"] for name, fields in rows.items() if fields.get("recipe")}
    datasets = [
        {**spec, "sides": {n: _changed(spec["recipe"], c) for n, c in changed.items()}}
        for spec in raw["datasets"]
    ]
    return {**raw, "datasets": datasets}


def _changed(recipe: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {**recipe, "init_args": {**recipe.get("init_args", {}), **changes}}


def known_methods(family: str = "method") -> list[str]:
    """Names of configs/FAMILY/*.yaml."""
    return sorted(path.stem for path in (CONFIGS / family).glob("*.yaml"))
