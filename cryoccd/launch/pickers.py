"""Picks of real micrographs by a picker trained on a labelled set, or by a baseline."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar

import pandas as pd

import cryoccd
from cryoccd.downstream.picking.base import pick_folder
from cryoccd.downstream.picking.config import PickerConfig
from cryoccd.downstream.picking.front import Front
from cryoccd.downstream.picking.random import RandomPicker
from cryoccd.downstream.picking.seen import Labelled
from cryoccd.downstream.picking.template import TemplatePicker
from cryoccd.downstream.picking.topaz import TopazPicker
from cryoccd.downstream.picking.topaz_config import TopazConfig
from cryoccd.downstream.picking.topaz_train import train_topaz
from cryoccd.downstream.picking.train import fit_picker
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import atomic_path, write_text
from cryoccd.io.folder import MicrographFolder
from cryoccd.metrics.picking.picks import Picks
from cryoccd.metrics.picking.task import PickingTask
from cryoccd.report.provenance import hash_config, hash_folder

PickerKind = Literal["fast", "topaz"]
Settings = TypeVar("Settings", PickerConfig, TopazConfig)

_DETECTOR = "resnet16_u64"  # Topaz's default


@dataclass(frozen=True)
class Pickers:
    """Makes pickers and keeps what they find.

    Args:
        task: the real micrographs.
        work: folder of pickers and picks.
        kind: which picker is trained.
        fast: settings of the fast one.
        topaz: settings of Topaz.
        device: where the fast one is trained.
    """

    task: PickingTask
    work: Path
    kind: PickerKind = "fast"
    fast: PickerConfig = field(default_factory=PickerConfig)
    topaz: TopazConfig = field(default_factory=TopazConfig)
    device: str = "cpu"

    def trained(
        self,
        name: str,
        training: Labelled,
        seed: int,
        changes: Mapping[str, Any] | None = None,
    ) -> dict[str, Picks]:
        """Picks of a picker trained on a labelled set.

        Args:
            name: of the row.
            training: micrographs with particles.
            seed: of the picker.
            changes: settings of the picker in place of the common ones.

        Picks that were made of the same are read again.
        """
        folder = self.folder(name, seed)
        settings: PickerConfig | TopazConfig
        if self.kind == "topaz":
            settings = changed(self.topaz, changes)
        else:
            settings = changed(self.fast, changes)
        made_from = self._made_from(settings, training, seed)
        stamp = folder / "made_from.txt"
        if stamp.is_file() and stamp.read_text(encoding="utf8") == made_from:
            return read_picks(folder / "picks.csv", self.task.names)
        stamp.unlink(missing_ok=True)
        picks = self._kept(folder, self._picks(name, settings, training, seed))
        write_text(stamp, made_from)
        return picks

    def template(self, simulated: Labelled) -> dict[str, Picks]:
        """Picks of plain template matching: the mean clean particle of a simulated set."""
        picker = TemplatePicker.from_clean(simulated, self._front)
        found = pick_folder(picker, self.task.folder, self.task.names, "template")
        return self._kept(self.folder("template", 0), found)

    def random(self, seed: int) -> dict[str, Picks]:
        """Picks of a picker that does not look."""
        picker = RandomPicker(self._front, seed)
        found = pick_folder(picker, self.task.folder, self.task.names, "random")
        return self._kept(self.folder("random_picks", seed), found)

    def pretrained(self) -> dict[str, Picks]:
        """Picks of the detector that comes with Topaz."""
        folder = self.folder("topaz_pretrained", 0)
        diameter_A, device = self.task.protocol.particle_diameter_A, self.topaz.device
        topaz = TopazPicker(_DETECTOR, diameter_A, self.work / "topaz", device=device)
        return self._kept(folder, topaz.pick_files(self.task.folder, self.task.names))

    def folder(self, name: str, seed: int) -> Path:
        """Where a picker and its picks are kept."""
        return self.work / f"{name}__{self.kind}__{seed}"

    def _picks(
        self, name: str, settings: PickerConfig | TopazConfig, training: Labelled, seed: int
    ) -> dict[str, Picks]:
        """Train and pick."""
        task = self.task
        diameter_A = task.protocol.particle_diameter_A
        if isinstance(settings, TopazConfig):
            once = replace(settings, repeat=seed)
            shared = self.work / "topaz"  # it down-samples each micrograph once
            topaz = train_topaz(once, training.folder, training.names, shared, diameter_A)
            return topaz.pick_files(task.folder, task.names)
        picker = fit_picker(
            settings,
            training,
            self.folder(name, seed) / "picker.safetensors",
            seed,
            particle_diameter_A=diameter_A,
            accelerator="gpu" if self.device.startswith("cuda") else "cpu",
        )
        return pick_folder(picker, task.folder, task.names, name)

    def _made_from(
        self, settings: PickerConfig | TopazConfig, training: Labelled, seed: int
    ) -> str:
        """All that decides the picks of a trained picker."""
        return hash_config(
            {
                "version": cryoccd.__version__,
                "settings": {name: str(value) for name, value in vars(settings).items()},
                "seed": seed,
                "training": [hash_folder(training.folder.root), sorted(training.names)],
                "real": [hash_folder(self.task.folder.root), sorted(self.task.names)],
                "diameter_A": self.task.protocol.particle_diameter_A,
            }
        )

    @property
    def _front(self) -> Front:
        return Front(self.task.protocol.particle_diameter_A, self.fast.diameter_px)

    def _kept(self, folder: Path, picks: dict[str, Picks]) -> dict[str, Picks]:
        write_picks(folder / "picks.csv", picks)
        return picks


def labelled(folder: MicrographFolder, split: str | None = None) -> Labelled:
    """The micrographs of a folder, or of one of its splits, with their particles."""
    return Labelled(folder, tuple(folder.names(split)))


def changed(settings: Settings, changes: Mapping[str, Any] | None) -> Settings:
    """Settings with some in place of others.

    Raises:
        CryoccdError: an unknown one.
    """
    if not changes:
        return settings
    known = vars(settings)
    for name in changes:
        if name not in known:
            raise CryoccdError(f"picker: {name} is unknown, expected of {', '.join(known)}")
    values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in changes.items()}
    return replace(settings, **values)


def write_picks(path: Path, picks: Mapping[str, Picks]) -> None:
    """Write micrograph, x_px, y_px and score of every pick."""
    tables = [
        pd.DataFrame(
            {
                "micrograph": name,
                "x_px": each.positions_px[:, 0],
                "y_px": each.positions_px[:, 1],
                "score": each.scores,
            }
        )
        for name, each in picks.items()
    ]
    with atomic_path(path) as temporary:
        pd.concat(tables, ignore_index=True).to_csv(temporary, index=False)


def read_picks(path: Path, names: tuple[str, ...]) -> dict[str, Picks]:
    """Picks of micrographs from the file of `write_picks`; a micrograph may have none."""
    table = pd.read_csv(path, dtype={"micrograph": str})
    found = {}
    for name in names:
        rows = table[table["micrograph"] == name]
        found[name] = Picks(rows[["x_px", "y_px"]].to_numpy(float), rows["score"].to_numpy(float))
    return found
