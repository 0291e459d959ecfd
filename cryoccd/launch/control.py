"""What each method makes of one scene, and of the same scene with a single factor changed.

All images of a method come from one seed, so that what differs between two of them is what the
change brings. Ice is a map that some methods take beside the clean image: the variant's is the
base's, whichever the method uses, times the loss in the added ice.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError, UnfitError
from cryoccd.io.atomic import write_text
from cryoccd.io.folder import open_folder
from cryoccd.launch.control_scene import Rendered, Stage
from cryoccd.launch.matrix import DatasetSpec
from cryoccd.launch.run_table import RunTable
from cryoccd.methods.base import Translator
from cryoccd.methods.checkpoint import load_translator
from cryoccd.metrics.signal.locality import Regions, locality
from cryoccd.randomness import item_seed
from cryoccd.report.control import ControlFigures, ControlRow, control_page, draw_control
from cryoccd.report.provenance import hash_config, provenance

COUNTING = ("poisson", "poisson_gaussian")
"""Methods that draw electrons one pixel after another: any change shifts all later draws."""

_MARGIN = 0.25  # in particle diameters


@dataclass(frozen=True)
class ControlGallery:
    """Fits what is missing, as the table does, then renders, translates, compares and draws.

    Args:
        table: methods, data sets, seeds and folders.
    """

    table: RunTable

    def run(self) -> None:
        """Write a picture of each method and data set, and the figures of all."""
        table = self.table
        started = time.monotonic()
        figures: list[ControlFigures] = []
        hashes = {}
        for spec in table.matrix.datasets:
            table.console.rule(f"control · {spec.name}")
            places = table.fits.runs.data(spec.name)
            spec.recipe_of("").prepare(places.simulated, places.real)
            hashes[spec.name] = places.training_hash
            stage = Stage.of(spec.recipe_of("").structure, open_folder(places.real).optics())
            for method in table.matrix.methods:
                for seed in table.seeds:
                    figures += self._method(stage, spec, method, seed)
        if not figures:
            raise CryoccdError("control: no method could be fitted; nothing to show")
        models = {f"{f.method}__{f.dataset}__{f.seed}": f.model for f in figures}
        record = {
            "profile": table.matrix.profile,
            "figures": [asdict(each) for each in figures],
            "provenance": provenance(
                hash_config(models),
                hash_config(hashes),
                time.monotonic() - started,
                table.device,
            ),
        }
        self._write("control.json", json.dumps(record, indent=1) + "\n")
        self._write("control.md", control_page(figures))

    @property
    def folder(self) -> Path:
        """Where all is written."""
        return self.table.results / self.table.matrix.profile / "control"

    def _method(
        self, stage: Stage, spec: DatasetSpec, method: str, seed: int
    ) -> list[ControlFigures]:
        """Figures of one fit; the picture is that of the first seed."""
        table, trained_on = self.table, self.table.trained_on(method, spec)
        try:
            model = load_translator(table.fits.checkpoint(method, trained_on, seed))
        except UnfitError as error:
            table.console.print(f"left out: {method} · {spec.name}: {error}")
            return []
        number = item_seed(seed, "control", spec.name)
        with table.console.status(f"control · {method} · {spec.name}"):
            rows = list(compare(model.to(table.device), stage, number, table.device))
        if seed == table.seeds[0]:
            path = self.folder / f"control_{method}_{spec.name}.png"
            title = f"{method} · {spec.name} · same seed, one factor changed"
            draw_control(path, rows, stage.base.scene.pixel_size_A, title)
            table.console.print(f"written {path}", style="dim")
        key = table.fits.hash(method, trained_on, seed)
        return [
            ControlFigures(method, spec.name, seed, row.factor, row.change, row.locality, key)
            for row in rows
        ]

    def _write(self, name: str, text: str) -> None:
        write_text(self.folder / name, text)
        self.table.console.print(f"written {self.folder / name}", style="dim")


def compare(
    model: Translator, stage: Stage, seed: int, device: str = "cpu"
) -> Iterator[ControlRow]:
    """Base and variant of every factor through one method, with one seed.

    A model has a style of its own for each column, so its index is 0.
    """
    base = stage.render(stage.base)
    made = translated(model, base, base, seed, device)
    margin_px = _MARGIN * stage.diameter_A / stage.base.scene.pixel_size_A
    for factor in stage.factors:
        variant = stage.render(factor.setting)
        found = translated(model, base, variant, seed, device)
        regions = Regions.of(base.seen, variant.seen, margin_px)
        particles = base.exposure.particle_mask | variant.exposure.particle_mask
        clean = base.seen, variant.seen
        figures = locality(clean, (made, found), regions, particles)
        yield ControlRow(factor.name, factor.change, clean, (made, found), figures)


@torch.inference_mode()
def translated(
    model: Translator, base: Rendered, shown: Rendered, seed: int, device: str = "cpu"
) -> Tensor:
    """(h, w) image of a rendered setting, on the CPU.

    Args:
        model: fitted.
        base: whose ice the method is given, or draws another for.
        shown: what is translated; its ice is thicker than the base's where its map is lower.
        seed: of all randomness of the method.
        device: where the model is.
    """
    generator = torch.Generator().manual_seed(seed)
    ice = model.ice_input(base.ice, generator) * (shown.ice / base.ice)
    mask = shown.exposure.particle_mask.to(torch.float32)
    fields = (shown.exposure.clean - 1, mask, ice)
    clean, mask, ice = (field[None, None].to(device) for field in fields)
    style = torch.zeros(1, dtype=torch.int64, device=device)
    return model.translate(clean, mask, ice, style, generator)[0, 0].cpu()
