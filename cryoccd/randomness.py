"""Randomness per image, so that no image depends on the batch or the process that it is in."""

from collections.abc import Sequence

import torch
from torch import Tensor


def image_generators(generator: torch.Generator, count: int) -> list[torch.Generator]:
    """A generator for each image, seeded by one draw each."""
    seeds = torch.randint(2**62, (count,), generator=generator, device=generator.device)
    return [torch.Generator().manual_seed(int(seed)) for seed in seeds]


def noise_like(images: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
    """White Gaussian noise of unit variance in the shape of (b, ...) images."""
    shape = images.shape[1:]
    noise = [
        torch.randn(shape, generator=each, device=each.device)
        for each, _ in zip(generators, images, strict=True)
    ]
    return torch.stack(noise).to(images)


def levels_of(generators: Sequence[torch.Generator], count: int, device: torch.device) -> Tensor:
    """(b,) int64 uniform on 0 .. count - 1."""
    draws = [torch.randint(count, (1,), generator=each, device=each.device) for each in generators]
    return torch.cat(draws).to(device)
