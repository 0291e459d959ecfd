"""Small pictures of a fit for W&B: the same crops clean and translated, beside real ones.

Eight bits and 64 pixels: a table of four rows is about 60 kB. Full micrographs, MRC files and
checkpoints never go to W&B.
"""

from typing import Any

import lightning as L
import numpy as np
import torch
from torch import Tensor

from cryoccd.callbacks.held_out import held_out_first
from cryoccd.callbacks.noise_report import NoiseReport
from cryoccd.callbacks.shares import aside, saved_model
from cryoccd.errors import CryoccdError
from cryoccd.methods.base import Translator
from cryoccd.metrics.fields import FieldFolder
from cryoccd.metrics.measure import Field

KEY = "gallery"
COLUMNS = ("clean", "translated", "real")
_REACH_SD = 4.0  # greys of all noisy crops, so that runs and steps compare by eye


class Gallery:
    """Crops of the first micrograph of a noise report, at its particles.

    Args:
        report: what is translated.
        crops: rows of the table.
        side_px: of a crop; that of the micrograph where it is smaller.
    """

    def __init__(self, report: NoiseReport, crops: int, side_px: int) -> None:
        self.report, self.crops, self.side_px = report, crops, side_px
        self._real: list[Tensor] | None = None

    def draw(self, trainer: L.Trainer, model: Translator) -> dict[str, Any]:
        """A table for the log; empty where the model gives no image yet."""
        import wandb
        from PIL import Image

        yardstick, part = self.report.yardstick, self.report.pair
        assert yardstick is not None
        assert part is not None
        saved = saved_model(trainer, model)
        names = yardstick.simulated.names[:1]
        try:
            with aside(saved):
                [made] = yardstick.translated(saved, names, self.report.seed, part.style)
        except CryoccdError:  # the report has told of it
            return {}
        assert made.clean is not None  # of a simulation
        if self._real is None:
            chosen = held_out_first(self.report.name, 1, part.real.held_out, part.real.names)
            [real] = FieldFolder(part.real.folder, chosen, made.diameter_A)
            self._real = _greys(self._cut(real, real.image), 0.0, _REACH_SD)
        middle = float(made.clean.median())
        reach = float((made.clean - middle).abs().max()) or 1.0
        clean = _greys(self._cut(made, made.clean), middle, reach)
        translated = _greys(self._cut(made, made.image), 0.0, _REACH_SD)
        rows: list[Any] = [
            [wandb.Image(Image.fromarray(crop.numpy()), file_type="png") for crop in row]
            for row in zip(clean, translated, self._real, strict=True)
        ]
        return {KEY: wandb.Table(columns=list(COLUMNS), data=rows)}

    def _cut(self, field: Field, image: Tensor) -> list[Tensor]:
        """Crops about the first particles, and along the diagonal where there are too few."""
        side = min(self.side_px, *image.shape)
        spare = np.array(image.shape) - side
        picks = field.centres_px
        points = np.empty((0, 2)) if picks is None else picks.numpy()[:, ::-1] - side / 2
        more = np.linspace(0, 1, self.crops)[:, None] * spare
        corners = np.concatenate([points, more])[: self.crops].clip(0, spare).astype(int)
        return [image[top : top + side, left : left + side] for top, left in corners]


def _greys(crops: list[Tensor], middle: float, reach: float) -> list[Tensor]:
    """Values within `reach` of the middle as 0 to 255."""
    scaled = [(crop.detach().float().cpu() - middle) / reach for crop in crops]
    return [(127.5 + 127.5 * crop).clamp(0, 255).to(torch.uint8) for crop in scaled]
