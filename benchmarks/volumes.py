"""Speed, memory and share of the peak of a training step of the generators of boxes.

    python benchmarks/volumes.py [--method subtomogram_ddpm_plus] [--box 64] [--batch 16]
        [--width 32] [--precision bf16] [--device cuda] [--repeats 20]

One step: loss, gradients, Adam, at random boxes that lie on the device. Operations are counted by
torch and not by hand; the peak is what the product of two large matrices reaches on the same
device in the same precision, so that the share says what convolutions leave of it. On two cores:
`--device cpu --precision fp32 --box 32 --width 8`.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from jsonargparse import ActionConfigFile, ArgumentParser
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from cryoccd.methods.subtomogram_ddpm import SubtomogramDDPM
from cryoccd.records import VolumeBatch

CONFIGS = Path(__file__).parents[1] / "configs/volume"
TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}


def main() -> None:
    """Print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--method", default="subtomogram_ddpm_plus")
    parser.add_argument("--box", type=int, default=64)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--recompute", action="store_true")
    parser.add_argument("--precision", default="bf16", choices=sorted(TYPES))
    parser.add_argument("--device", default="cuda", choices=["cpu", "cuda"])
    parser.add_argument("--repeats", type=int, default=20)
    given = parser.parse_args()
    model = built(given.method, given.width, given.recompute).to(given.device).train()
    batch = boxes(given.batch, given.box, given.device)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    dtype = TYPES[given.precision]

    def step() -> None:
        with torch.autocast(given.device, dtype, enabled=dtype != torch.float32):
            loss = step_loss(model, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    counter = FlopCounterMode(display=False)
    with counter:
        step()
    operations = counter.get_total_flops()
    if given.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    seconds = timed(step, given.repeats, given.device)
    peak = matrix_rate(dtype, given.device)
    found = {
        **vars(given),
        "weights": sum(weights.numel() for weights in model.parameters()),
        "boxes_a_second": round(given.batch / statistics.median(seconds), 3),
        "step_s": [round(each, 4) for each in (min(seconds), statistics.median(seconds))],
        "TFLOP_a_step": round(operations / 1e12, 4),
        "TFLOP_a_second": round(operations / statistics.median(seconds) / 1e12, 4),
        "matrices_TFLOP_a_second": round(peak / 1e12, 3),
        "share_of_peak": round(operations / statistics.median(seconds) / peak, 3),
    }
    if given.device == "cuda":
        found["device_name"] = torch.cuda.get_device_name()
        found["peak_memory_GB"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)
    print(json.dumps(found))


def built(method: str, width: int, recompute: bool) -> SubtomogramDDPM:
    """A method of configs/volume."""
    parser = ArgumentParser(parser_mode="omegaconf")
    parser.add_argument("--config", action=ActionConfigFile)
    parser.add_subclass_arguments(SubtomogramDDPM, "model")
    parser.add_argument("--average", type=dict)
    net = "--model.init_args.net.init_args"
    arguments = [f"--config={CONFIGS / method}.yaml", f"{net}.base_width={width}"]
    arguments.append(f"{net}.recompute={str(recompute).lower()}")
    model = parser.instantiate(parser.parse_args(arguments)).model
    assert isinstance(model, SubtomogramDDPM)
    return model


def boxes(count: int, side: int, device: str) -> VolumeBatch:
    """Random boxes with classes and places."""
    draw = torch.Generator().manual_seed(0)
    return VolumeBatch(
        volume=torch.randn(count, 1, side, side, side, generator=draw),
        label=torch.randint(6, (count,), generator=draw),
        position=torch.rand(count, 3, generator=draw),
        density=None,
        voxel_size_A=10.0,
    ).to(torch.device(device))


def step_loss(model: SubtomogramDDPM, batch: VolumeBatch) -> Tensor:
    """The loss at random levels, as in training."""
    kind, clean = model.parametrisation, batch.volume
    t = torch.randint(model.schedule.steps, (len(clean),), device=clean.device)
    noise = torch.randn_like(clean)
    level = (t.float() + 1) / model.schedule.steps
    predicted = model.net(kind.noised(clean, noise, t), level, batch.label, batch.position)
    error = (predicted.float() - kind.target(clean, noise, t)).square().mean((1, 2, 3, 4))
    return (kind.weight(model.weighting, t) * error).mean()


def timed(work: Callable[[], None], repeats: int, device: str) -> list[float]:
    """Seconds of each run, after three that count for nothing."""
    found = []
    for number in range(repeats + 3):
        started = time.perf_counter()
        work()
        if device == "cuda":
            torch.cuda.synchronize()
        if number >= 3:
            found.append(time.perf_counter() - started)
    return found


def matrix_rate(dtype: torch.dtype, device: str) -> float:
    """Operations a second of the product of two square matrices."""
    side = 8192 if device == "cuda" else 2048
    one, two = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    return 2 * side**3 / statistics.median(timed(lambda: _product(one, two), 5, device))


def _product(one: Tensor, two: Tensor) -> None:
    torch.mm(one, two)


if __name__ == "__main__":
    main()
