"""Cost of training steps and of sampling, as ratios taken in one run.

    python benchmarks/training.py steps [--repeats 5] [--device cpu] [--crop_px 256]
    python benchmarks/training.py sampling [--repeats 5] [--device cpu]

`steps`: one CryoGEM step at the paper's widths on a crop (the U-Net without its two
innermost levels, which cost next to nothing): ours, with the feature pass of the public recipe,
which runs the whole U-Net on both images, and with a discriminator of 64 channels. The three take
turns, so that a slow minute of the machine meets all. `sampling`: `translate` of a micrograph of
1024 pixels by CryoCCD's demo network with ten UniPC steps, against ten passes of the network, both
in one tile as at the paper's size.
"""

import argparse
import logging
import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import lightning as L
import torch
from jsonargparse import ActionConfigFile, ArgumentParser
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader

from cryoccd.methods.base import Translator
from cryoccd.methods.cryogem import CryoGEM
from cryoccd.nn.feature_head import FeatureHead
from cryoccd.nn.patch_discriminator import PatchDiscriminator
from cryoccd.nn.unet_generator import UNetGenerator
from cryoccd.records import UnpairedBatch

CONFIGS = Path(__file__).parents[1] / "configs/method"


class WholePass(UNetGenerator):
    """A generator whose features come, as in the public recipe, of a pass through the whole net."""

    def encode(self, image: Tensor, n_levels: int) -> list[Tensor]:
        """Features of the first levels; the decoder runs and its result is thrown away."""
        features = super().encode(image, self.depth)
        if n_levels < self.depth:
            decoded = features[-1]
            for level in range(self.depth - 1, -1, -1):
                decoded = self.ups[level](functional.relu(decoded))
                if level > 0:
                    decoded = torch.cat([features[level - 1], decoded], dim=1)
        return features[:n_levels]


def main() -> None:
    """Print the figures of one part."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("part", choices=["steps", "sampling"])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--crop_px", type=int, default=256, help="of the steps")
    options = parser.parse_args()
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    if options.part == "steps":
        steps(options.repeats, options.device, options.crop_px)
    else:
        sampling(options.repeats, options.device)


def steps(repeats: int, device: str, crop_px: int) -> None:
    """Steps of the three recipes, taking turns."""
    recipes = {
        "ours": cryogem(UNetGenerator, 128),
        "public feature pass": cryogem(WholePass, 128),
        "ours, ndf 64": cryogem(UNetGenerator, 64),
    }
    runs = {name: partial(step_seconds, model, device, crop_px) for name, model in recipes.items()}
    report(take_turns(runs, repeats), "ours")


def sampling(repeats: int, device: str) -> None:
    """A whole translation against bare passes of its network."""
    parser = ArgumentParser(parser_mode="omegaconf")
    parser.add_argument("--config", action=ActionConfigFile)
    parser.add_subclass_arguments(Translator, "model")
    files = [CONFIGS / "cryoccd.yaml", CONFIGS / "demo/cryoccd.yaml"]
    arguments = [f"--config={path}" for path in files]
    arguments += ["--model.init_args.tile_px=1024", "--model.init_args.overlap_px=256"]
    model = parser.instantiate(parser.parse_args(arguments)).model.to(device).eval()
    model.calibrated.fill_(True)
    field = torch.rand(1, 1, 1024, 1024, device=device)
    style = torch.zeros(1, dtype=torch.int64, device=device)
    condition = model.condition(field, field, field)
    level = torch.ones(1, device=device)

    @torch.no_grad()
    def passes() -> float:
        started = time.perf_counter()
        for _ in range(10):
            model.forward_net(field, level, condition, style)
        return finish(started, device)

    def whole() -> float:
        started = time.perf_counter()
        model.translate(field - 1, field, field, style, torch.Generator().manual_seed(0))
        return finish(started, device)

    report(take_turns({"ten passes": passes, "ten UniPC steps": whole}, repeats), "ten passes")


def cryogem(generator: type[UNetGenerator], ndf: int) -> CryoGEM:
    """The paper's method with a U-Net of eight levels."""
    torch.manual_seed(0)
    net = generator(depth=8, base_channels=64)
    return CryoGEM(
        net,
        PatchDiscriminator(ndf),
        FeatureHead(net.widths[:5]),
        optimizer=partial(torch.optim.Adam, lr=1e-4, betas=(0.5, 0.999)),
        constant_images=1000,
        decay_images=0,
    )


def step_seconds(model: CryoGEM, device: str, crop_px: int) -> float:
    """Seconds of the second step of a short run; the first allocates."""
    clock = Clock(device)
    model.calibrated.fill_(True)
    trainer = L.Trainer(
        max_steps=4,  # Lightning counts optimizer steps, two a batch
        accelerator="gpu" if device == "cuda" else "cpu",
        devices=1,
        callbacks=[clock],
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(model, DataLoader([batch(crop_px), batch(crop_px)], batch_size=None))
    return clock.seconds[-1]


class Clock(L.Callback):
    """Seconds of each step."""

    def __init__(self, device: str) -> None:
        self.seconds: list[float] = []
        self._device, self._started = device, 0.0

    def on_train_batch_start(self, *args: object) -> None:
        """Begin."""
        self._started = time.perf_counter()

    def on_train_batch_end(self, *args: object) -> None:
        """End."""
        self.seconds.append(finish(self._started, self._device))


def batch(crop_px: int) -> UnpairedBatch:
    """One crop of noise with a disc in it."""
    side = torch.linspace(-1, 1, crop_px)
    mask = (side[:, None] ** 2 + side**2 < 0.3).float()[None, None]
    real = torch.randn(1, 1, crop_px, crop_px, generator=torch.Generator().manual_seed(0))
    zeros = torch.zeros(1, dtype=torch.int64)
    return UnpairedBatch(-0.1 * mask, mask, torch.ones_like(mask), real, None, torch.ones(1), zeros)


def finish(started: float, device: str) -> float:
    """Seconds since then, when the device has done its work."""
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - started


def take_turns(runs: dict[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    """Seconds of each run; one turn first that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(repeats + 1):
        for name, run in runs.items():
            taken = run()
            if turn:
                seconds[name].append(taken)
    return seconds


def report(seconds: dict[str, list[float]], unit: str) -> None:
    """Median seconds, and the median and range of the ratios to `unit` in the same turn."""
    for name, taken in seconds.items():
        ratios = [a / b for a, b in zip(taken, seconds[unit], strict=True)]
        print(
            f"{name}: {statistics.median(taken):.2f} s, {statistics.median(ratios):.2f} of {unit} "
            f"({min(ratios):.2f} to {max(ratios):.2f}, {len(ratios)} turns)"
        )


if __name__ == "__main__":
    main()
