"""The two ways to train: a model for each column of the table, or one for several styles mixed.

The CryoCCD tables have both. A method without a training step (an analytic one) describes the noise
of one acquisition, so it has no mixed model: its rows are fitted to each column's own training
split in either table, and every cell says which it is.
"""

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from cryoccd.errors import CryoccdError
from cryoccd.io.checked import read_yaml
from cryoccd.launch.matrix import DatasetSpec, Matrix
from cryoccd.launch.selection import chosen
from cryoccd.methods.base import Translator

Way = Literal["per_style", "mixed"]


@dataclass(frozen=True)
class TrainedOn:
    """What one model is fitted on.

    Args:
        way: whether it serves one column or all.
        specs: the data sets; the place in this list is the index of a style.
    """

    way: Way
    specs: tuple[DatasetSpec, ...]

    @property
    def styles(self) -> list[str]:
        """Names of the data sets."""
        return [spec.name for spec in self.specs]

    @property
    def label(self) -> str:
        """Name for folders: that of the one style, or `mixed_` and those of all."""
        names = "-".join(self.styles)
        return names if self.way == "per_style" else f"mixed_{names}"

    def style(self, dataset: str) -> int:
        """Index that a data set's style had in training; 0 for one that was not in it."""
        return self.styles.index(dataset) if dataset in self.styles else 0

    def record(self) -> dict[str, Any]:
        """The entries of a cell's protocol."""
        return {"training": self.way, "train_styles": self.styles}


def mixture(
    known: Matrix, selected: Matrix, way: Way, train_styles: Sequence[str] | None
) -> TrainedOn | None:
    """What the mixed models of a table are fitted on; None with a model for each style.

    Args:
        known: the whole matrix; its order of the data sets is that of the styles.
        selected: the rows and columns that are made.
        way: what the user asked for.
        train_styles: names of the data sets to train on, or `all`; by default the columns.

    Raises:
        CryoccdError: train_styles without mixed training, an unknown name, or no row that trains.
    """
    if way == "per_style":
        if train_styles:
            raise CryoccdError(
                "train_styles: each column is trained on itself; add --training mixed "
                "(make: TRAINING=mixed)"
            )
        return None
    if not any(trains(selected.method_configs(method)) for method in selected.methods):
        raise CryoccdError(
            f"training = mixed, but of {', '.join(selected.methods)} none has a training step; "
            "choose per_style, or name a method that trains"
        )
    columns = [spec.name for spec in selected.datasets]
    wanted = chosen("train_styles", train_styles or columns, known.datasets)
    return TrainedOn("mixed", tuple(spec for spec in known.datasets if spec in wanted))


def trains(configs: Sequence[Path]) -> bool:
    """Whether the method of these configuration files has a training step.

    Raises:
        CryoccdError: they name no Translator.
    """
    models = [read_yaml(path).get("model") for path in configs]
    named = [model.get("class_path") if isinstance(model, dict) else model for model in models]
    name = str(next((name for name in reversed(named) if name), ""))
    module, _, attribute = name.rpartition(".")
    try:
        found = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise CryoccdError(f"{configs[0]}: model: class_path {name!r} cannot be loaded") from error
    if not (isinstance(found, type) and issubclass(found, Translator)):
        raise CryoccdError(f"{configs[0]}: model: class_path {name!r} is no Translator")
    return found.training_step is not Translator.training_step
