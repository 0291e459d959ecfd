"""Rows of a table that are a method with something changed, and grids of such rows.

    variants:
      no_cycle: {method: cryoccd, overrides: {lambda_cycle: 0.0}}

Axes write many at once: a row takes one entry of every axis, and its name joins theirs. So

    axes:
      - t10: {method: cryoccd}
        t1000: {method: cryoccd_t1000}
      - few: {sampling: {sampler.init_args.steps: 2}}
        many: {sampling: {sampler.init_args.steps: 10}}

has the rows t10_few, t10_many, t1000_few and t1000_many, which share two fits.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import reduce
from itertools import product
from pathlib import Path
from typing import Any

from jsonargparse import ArgumentParser

from cryoccd.data.datamodule import CryoDataModule
from cryoccd.data.subtomograms import SubtomogramDataModule
from cryoccd.errors import CryoccdError
from cryoccd.io.checked import read_yaml
from cryoccd.io.dotted import with_dotted
from cryoccd.io.refusal import one_line
from cryoccd.methods.base import Translator
from cryoccd.methods.volume_generator import VolumeGenerator

MODEL = "model.init_args."
"""Where the names of `overrides` and `sampling` stand in the configuration of a fit."""


@dataclass(frozen=True)
class Variant:
    """A method with something changed; names may be dotted.

    Args:
        method: by the name of configs/FAMILY/NAME.yaml.
        overrides: arguments of the model that it is fitted with.
        data: arguments of the data module that it is fitted with.
        recipe: arguments of the recipe of every data set: another simulated side, to be fitted on
            and to be translated, against the same real side.
        sampling: arguments of the model that only its translation or sampling has; rows that
            differ in nothing else share one fit.
        picker: settings of the picker that is trained on its translations.
    """

    method: str
    overrides: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
    sampling: dict[str, Any] = field(default_factory=dict)
    picker: dict[str, Any] = field(default_factory=dict)

    @property
    def translated(self) -> "Variant":
        """What its translations know of it."""
        return replace(self, picker={})

    @property
    def fitted(self) -> "Variant":
        """What its fit knows of it."""
        return Variant(self.method, self.overrides, self.data, self.recipe)

    @property
    def settings(self) -> dict[str, Any]:
        """What `cryoccd translate --set` is given."""
        return {MODEL + name: value for name, value in self.sampling.items()}

    def record(self) -> dict[str, Any]:
        """What is changed, for the protocol of its cells."""
        return {key: value for key, value in asdict(self).items() if value}


def fit_of(row: str, variants: Mapping[str, Variant]) -> str:
    """Name of a row's fit: its method's, or that of the first variant that is fitted alike."""
    fitted = variants.get(row, Variant(row)).fitted
    alike = (name for name, each in variants.items() if each.fitted == fitted)
    return fitted.method if fitted == Variant(fitted.method) else next(alike)


def translation_of(row: str, variants: Mapping[str, Variant]) -> str:
    """Name of a row's translations: its own, or of the first variant translated alike."""
    made = variants.get(row, Variant(row)).translated
    alike = (name for name, each in variants.items() if each.translated == made)
    return made.method if made == Variant(made.method) else next(alike, row)


def grid(axes: Sequence[Mapping[str, Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Name to the fields of a variant for every choice of one entry of each axis.

    Fields of a later axis rule; mappings are merged.
    """
    choices = product(*(axis.items() for axis in axes)) if axes else ()
    return {
        "_".join(name for name, _ in chosen): reduce(_merged, (each for _, each in chosen), {})
        for chosen in choices
    }


_KINDS: dict[str, tuple[type, type, set[str]]] = {
    "method": (Translator, CryoDataModule, {"simulated", "real"}),
    "volume": (VolumeGenerator, SubtomogramDataModule, {"root"}),
}
"""Model, data module, and the folders that the table gives, by the folder of configs/."""


class Check:
    """Refuses what model and data module do not take, before anything is fitted.

    Args:
        family: folder of configs/ that methods are in.
    """

    def __init__(self, family: str = "method") -> None:
        model, data, given = _KINDS[family]
        self._parser = ArgumentParser(prog="cryoccd fit", exit_on_error=False)
        self._parser.add_subclass_arguments(model, "model")
        self._parser.add_class_arguments(data, "data", skip=given)
        self._known: dict[tuple[Path, ...], dict[str, Any]] = {}

    def __call__(self, row: str, variant: Variant, configs: Sequence[Path]) -> None:
        """Check one row.

        Args:
            row: its name.
            variant: what it changes.
            configs: files of the method, in the order in which they are merged.

        Raises:
            CryoccdError: an unknown name, or a value of another kind.
        """
        changes = {f"data.{name}": value for name, value in variant.data.items()}
        changes |= {MODEL + name: value for name, value in variant.overrides.items()}
        try:
            with one_line(self._parser):
                known = self._method(tuple(configs))
                self._parser.parse_object(with_dotted(known, changes | variant.settings))
        except CryoccdError as error:
            raise CryoccdError(f"variants: {row}: {error}") from error

    def _method(self, configs: tuple[Path, ...]) -> dict[str, Any]:
        """Settings of a method as it is; a later file says what it changes alone."""
        if configs not in self._known:
            merged = None
            for path in configs:
                merged = self._parser.parse_object({"model": read_yaml(path)["model"]}, merged)
            self._known[configs] = merged.as_dict() if merged else {}
        return self._known[configs]


def _merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    both = {k: {**one[k], **other[k]} for k in one if isinstance(one[k], dict) and k in other}
    return {**one, **other, **both}
