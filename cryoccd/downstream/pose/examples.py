"""Training examples of a pose estimator: an image, moved, and its pose, moved with it."""

import torch
from torch import Tensor
from torch.utils.data import Dataset

from cryoccd.downstream.pose.augment import draw_motion
from cryoccd.downstream.pose.config import PoseConfig
from cryoccd.downstream.pose.images import ParticleImages, with_noise
from cryoccd.randomness import item_seed

Example = tuple[Tensor, Tensor, Tensor]
"""(b, b) image, (3, 3) rotation, (2,) shift in pixels."""


class PoseExamples(Dataset[Example]):
    """Example k of the budget is the same in any batch, with any number of workers.

    Every pass through the particles has an order of its own.

    Args:
        particles: images and poses.
        config: budget, shifts and noise.
        seed: of order, motions and noise.
    """

    def __init__(self, particles: ParticleImages, config: PoseConfig, seed: int) -> None:
        self.particles, self.config, self.seed = particles, config, seed
        self._shifts_px = particles.shifts_px
        self._pass, self._order = -1, torch.empty(0, dtype=torch.int64)

    def __len__(self) -> int:
        return self.config.steps * self.config.batch_size

    def __getitem__(self, number: int) -> Example:
        row = self._row(number)
        generator = torch.Generator().manual_seed(item_seed(self.seed, "example", number))
        motion = draw_motion(generator, self.config.max_shift_px)
        image = motion.image(self.particles.images[row])
        if self.config.snr is not None:
            image = with_noise(image[None], self.config.snr, [generator])[0]
        rotation = motion.rotation(self.particles.poses.rotations[row])
        return image, rotation, motion.shift(self._shifts_px[row])

    def _row(self, number: int) -> int:
        passed, place = divmod(number, len(self.particles))
        if passed != self._pass:
            generator = torch.Generator().manual_seed(item_seed(self.seed, "pass", passed))
            self._order = torch.randperm(len(self.particles), generator=generator)
            self._pass = passed
        return int(self._order[place])
