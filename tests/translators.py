"""The learned translators at their demo size, data that they can learn in seconds, and a fit."""

import warnings
from pathlib import Path
from types import SimpleNamespace

import lightning as L
import torch
from jsonargparse import ActionConfigFile, ArgumentParser
from torch.utils.data import DataLoader

from cryoccd.fourier import radial_average, radial_frequency
from cryoccd.io.refusal import one_line
from cryoccd.methods.trained import TrainedTranslator
from cryoccd.records import UnpairedBatch

CONFIGS = Path(__file__).parents[1] / "configs" / "method"
LEARNED = sorted(path.stem for path in (CONFIGS / "demo").glob("*.yaml"))
CONTRAST = 0.05


def built(*names: str, **changes: object) -> TrainedTranslator:
    """A method from configurations merged in their order, and `model.init_args` of one's own."""
    parser = ArgumentParser(parser_mode="omegaconf", exit_on_error=False)
    parser.add_argument("--config", action=ActionConfigFile)
    parser.add_subclass_arguments(TrainedTranslator, "model")
    parser.add_argument("--average.decay", type=float)  # of a callback
    configs = [part for name in names for part in ("--config", str(CONFIGS / f"{name}.yaml"))]
    own = [f"--model.init_args.{key}={value}" for key, value in changes.items()]
    with one_line(parser, []):
        return parser.instantiate(parser.parse_args([*configs, *own])).model


def demo(name: str, seed: int = 0, **changes: object) -> TrainedTranslator:
    """A method at its demo size, with the scales of the toy data."""
    torch.manual_seed(seed)
    changes = {"constant_images": 10_000, "decay_images": 0} | changes
    return calibrated(built(name, f"demo/{name}", **changes), Toy(1))


def lively(model: TrainedTranslator) -> TrainedTranslator:
    """Networks whose result hangs on their input as if they were trained."""
    torch.manual_seed(0)
    for parameter in model.parameters():
        if parameter.ndim > 2:
            torch.nn.init.kaiming_normal_(parameter, a=1)
    return model.eval()


def blobs(count: int, side: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Dark Gaussian particles, one on 600 pixels, and their mask."""
    y, x = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    centres = torch.rand(count, round(side**2 / 600), 2, 1, 1, generator=generator) * side
    shape = torch.exp(-((y - centres[:, :, 0]) ** 2 + (x - centres[:, :, 1]) ** 2) / 18).amax(1)
    return -CONTRAST * shape[:, None], (shape[:, None] > 0.3).float()


def toy_batch(count: int, side: int, seed: int) -> UnpairedBatch:
    """Blobs, and other blobs in coloured noise as the real side."""
    generator = torch.Generator().manual_seed(seed)
    clean, mask = blobs(count, side, generator)
    transfer = (1 + (radial_frequency((side, side)) / 0.1) ** 2) ** -0.5 + 0.3
    white = torch.randn(count, 1, side, side, generator=generator)
    noise = torch.fft.ifft2(torch.fft.fft2(white) * transfer).real / transfer.square().mean().sqrt()
    real = noise + blobs(count, side, generator)[0] / CONTRAST
    real = (real - real.median()) / (1.4826 * (real - real.median()).abs().median())
    ones, zeros = torch.ones(count), torch.zeros(count, dtype=torch.int64)
    return UnpairedBatch(clean, mask, torch.ones_like(clean), real, None, ones, zeros)


class Toy(L.LightningDataModule):
    ice_source = "real"

    def __init__(self, batches: int, size: int = 8, side: int = 32) -> None:
        super().__init__()
        self.batches = [toy_batch(size, side, seed) for seed in range(batches)]

    def train_dataloader(self):
        return DataLoader(self.batches, batch_size=None)

    def train_simulated(self):
        batch = self.batches[0]
        return [
            SimpleNamespace(clean=c[0], ice=i[0])
            for c, i in zip(batch.clean, batch.ice, strict=True)
        ]


class CountImages(L.Callback):
    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        pl_module.images_seen += len(batch)


def calibrated(model: TrainedTranslator, data: Toy) -> TrainedTranslator:
    with torch.no_grad():
        model.calibrate(data)
    model.calibrated.fill_(True)
    return model


def fit(
    model: TrainedTranslator, data: Toy, *callbacks: L.Callback, root: Path | None = None
) -> TrainedTranslator:
    trainer = L.Trainer(
        default_root_dir=root,
        max_epochs=1,
        accelerator="cpu",
        callbacks=[CountImages(), *callbacks],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*num_workers.*")  # batches wait in memory
        warnings.filterwarnings("ignore", message=".*LeafSpec.*")  # Lightning 2.6 on torch 2.15
        trainer.fit(model, train_dataloaders=data.train_dataloader())
    return model.eval()


def seeded(seed: int, count: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed + 100 * i) for i in range(count)]


def translated(model: TrainedTranslator, batch: UnpairedBatch, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return model.translate(batch.clean, batch.mask, batch.ice, batch.style, generator)


def spectrum_error_db(image: torch.Tensor, real: torch.Tensor) -> float:
    window = torch.hann_window(image.shape[-1])

    def spectrum(x: torch.Tensor) -> torch.Tensor:
        x = (x - x.mean((-1, -2), keepdim=True)) * torch.outer(window, window)
        return radial_average(torch.fft.fft2(x).abs().square()).mean((0, 1))

    ratio_db = 10 * torch.log10(spectrum(image) / spectrum(real))
    return float(ratio_db[3 : int(0.9 * len(ratio_db))].abs().mean())
