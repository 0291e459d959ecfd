"""Generators of boxes with known answers, and checkpoints of them."""

from pathlib import Path
from types import SimpleNamespace

import torch
import yaml

from cryoccd.imaging.volume_psd import random_volume
from cryoccd.methods.volume_generator import VolumeGenerator
from cryoccd.randomness import noise_like

SIDE = 16
VOXEL_A = 10.0
CLASSES = ("bar", "hook")
PLACES = torch.tensor([0, 0, 1]), torch.tensor([[0.5, 0.5, 0.2], [0.1, 0.2, 0.3], [1, 0, 0.5]])


def standardised(boxes: torch.Tensor) -> torch.Tensor:
    axes = (1, 2, 3, 4)
    return (boxes - boxes.mean(axes, keepdim=True)) / boxes.std(axes, correction=0, keepdim=True)


class BlobGenerator(VolumeGenerator):
    """A dark ball on voxel b // 2, wider for each class, in weak noise; or the density it is told.

    Args:
        noise: deviation of the noise.
        fail_at: call that raises, to play an interruption.
        nan: gives NaN.
    """

    def __init__(self, noise: float = 0.1, fail_at: int = 0, nan: bool = False) -> None:
        super().__init__()
        self.noise, self.fail_at, self.nan = noise, fail_at, nan
        self.calls: list[tuple] = []

    @property
    def evaluations(self) -> int:
        return 7

    def sample(self, label, position, generators, density=None):
        self.calls.append((label, position, density))
        if len(self.calls) == self.fail_at:
            raise KeyboardInterrupt
        side = int(self.box_voxels)
        axis = torch.arange(side) - side // 2
        squared = axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2
        width = 1.2 + 0.4 * label[:, None, None, None, None]
        shown = torch.exp(-squared / (2 * width**2)) if density is None else density
        boxes = self.noise * noise_like(shown.expand(len(label), 1, side, side, side), generators)
        return standardised(boxes - shown) * (float("nan") if self.nan else 1)


class BackgroundGenerator(VolumeGenerator):
    """Boxes of nothing but a background of a known autocorrelation."""

    def __init__(self, autocorrelation: torch.Tensor) -> None:
        super().__init__()
        self.autocorrelation = autocorrelation

    def sample(self, label, position, generators, density=None):
        sides = (int(self.box_voxels),) * 3
        boxes = [random_volume(self.autocorrelation, sides, each) for each in generators]
        return torch.stack(boxes)[:, None]


def fitted(model: VolumeGenerator, classes=CLASSES, side: int = SIDE) -> VolumeGenerator:
    """The model as if it were fitted."""
    data = {"classes": classes, "box_voxels": side, "voxel_size_A": VOXEL_A, "places": PLACES}
    model.calibrate(SimpleNamespace(**data))
    model.calibrated.fill_(True)
    return model.eval()


def write_checkpoint(folder: Path, model: VolumeGenerator | None = None, **settings) -> Path:
    """last.ckpt and config.yaml of a fitted BlobGenerator."""
    folder.mkdir(parents=True, exist_ok=True)
    model = model or fitted(BlobGenerator(**settings))
    kind = f"{type(model).__module__}.{type(model).__name__}"
    config = {"model": {"class_path": kind, "init_args": settings}}
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    torch.save({"state_dict": model.state_dict()}, folder / "last.ckpt")
    return folder / "last.ckpt"
