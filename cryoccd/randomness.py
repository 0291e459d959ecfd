"""Randomness per item, so that none depends on the batch or the process that it is in."""

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor


def item_seed(seed: int, *keys: int | str) -> int:
    """A 63-bit seed of one item: the same alone, in any batch, with any number of workers."""
    text = ":".join(str(part) for part in (seed, *keys)).encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "little") >> 1


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
