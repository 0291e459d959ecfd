"""Boxes that a small diffusion learns in seconds: a blob low or high in z, by its class."""

import lightning as L
import torch
from torch.utils.data import DataLoader

from cryoccd.data.epochs import EpochSampler
from cryoccd.randomness import item_seed
from cryoccd.records import VolumeBatch

SIDE = 8


def blobs(centres: torch.Tensor) -> torch.Tensor:
    """(n, 1, 8, 8, 8) bright Gaussian balls about centres (n, 3) z, y, x, from 0 to 1."""
    axes = [torch.arange(SIDE)] * 3
    grid = torch.stack(torch.meshgrid(*axes, indexing="ij"))
    apart = (grid - centres[..., None, None, None]).square().sum(1, keepdim=True)
    return torch.exp(-apart / 6)


def at_class(label: torch.Tensor) -> torch.Tensor:
    """(n, 1, 8, 8, 8) the ball of each class."""
    return blobs(torch.stack([1.5 + 4.0 * label, *2 * [torch.full(label.shape, 3.5)]], 1))


def volumes(density: torch.Tensor, noise: torch.Tensor) -> torch.Tensor:
    """A density in noise, each box at mean 0 and deviation 1."""
    noisy = density + 0.1 * noise
    axes = (1, 2, 3, 4)
    return (noisy - noisy.mean(axes, keepdim=True)) / noisy.std(axes, keepdim=True)


def toy_volumes(numbers: list[int], density: bool = False) -> VolumeBatch:
    """Boxes by number; with a density the ball is anywhere, and only the density tells where."""
    generators = [torch.Generator().manual_seed(item_seed(0, k)) for k in numbers]
    label = torch.tensor([k % 2 for k in numbers])
    position = torch.stack([torch.rand(3, generator=g) for g in generators])
    noise = torch.stack([torch.randn(1, SIDE, SIDE, SIDE, generator=g) for g in generators])
    anywhere = torch.stack([7 * torch.rand(3, generator=g) for g in generators])
    shown = blobs(anywhere) if density else at_class(label)
    return VolumeBatch(volumes(shown, noise), label, position, shown if density else None, 10.0)


class ToyVolumes(L.LightningDataModule):
    classes = ("low", "high")
    box_voxels = SIDE
    voxel_size_A = 10.0
    places = torch.tensor([0, 1, 1]), torch.tensor([[0.5, 0.5, 0.2], [0.1, 0.2, 0.3], [1, 0, 0.5]])

    def __init__(
        self, images_per_epoch: int = 64, batch_size: int = 16, density: bool = False
    ) -> None:
        super().__init__()
        self.images_per_epoch, self.batch_size, self.density = images_per_epoch, batch_size, density

    def train_dataloader(self):
        trainer = self.trainer
        rank, ranks = (trainer.global_rank, trainer.world_size) if trainer else (0, 1)
        return DataLoader(
            range(10**9),
            batch_size=self.batch_size,
            sampler=EpochSampler(self.images_per_epoch, rank, ranks),
            collate_fn=lambda numbers: toy_volumes(numbers, self.density),
        )
