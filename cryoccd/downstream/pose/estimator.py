"""The amortised pose estimator: one pass of a network from an image to its pose.

The pose of a particle is the mean of that of its image and that of its mirror image, taken back
(see augment.py). Quarter turns would add nothing: the network turns with its image.
"""

from math import cos, pi
from typing import Any

import lightning as L
import torch
from torch import Tensor
from torch.optim import AdamW
from torch.optim.lr_scheduler import LambdaLR

from cryoccd.downstream.pose.augment import Motion, square_motion
from cryoccd.downstream.pose.config import PoseConfig
from cryoccd.downstream.pose.consensus import consensus
from cryoccd.downstream.pose.examples import Example
from cryoccd.downstream.pose.images import ParticleImages
from cryoccd.downstream.pose.loss import rotation_distance, shift_loss
from cryoccd.downstream.pose.network import PoseEncoder
from cryoccd.errors import CryoccdError
from cryoccd.metrics.pose.poses import Poses
from cryoccd.randomness import item_seed
from cryoccd.specimen.symmetry import point_group

_AT_ONCE = 256
_SCALES_AGREE = 0.01


class PoseEstimator(L.LightningModule):
    """Learns poses in the frame of the map that the training particles are views of.

    Args:
        config: how it is trained.
        pixel_size_A: of the images that it is trained on.
        seed: of the starting weights.
    """

    operators: Tensor

    def __init__(self, config: PoseConfig, pixel_size_A: float, seed: int = 0) -> None:
        super().__init__()
        self.config, self.pixel_size_A = config, pixel_size_A
        operators = torch.from_numpy(point_group(config.symmetry)).float()
        self.register_buffer("operators", operators, persistent=False)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(item_seed(seed, "pose"))
            self.encoder = PoseEncoder(config.boxes.box_px, config.width)

    def training_step(self, batch: Example, batch_idx: int) -> Tensor:
        """Loss of a batch of images, rotations and shifts in pixels.

        Raises:
            CryoccdError: it is not finite.
        """
        images, rotations, shifts_px = batch
        found, found_px = self.encoder(images)
        loss = rotation_distance(found, rotations, self.operators).mean()
        loss = loss + self.config.shift_weight * shift_loss(found_px, shifts_px).mean()
        if not bool(loss.detach().isfinite()):
            raise CryoccdError(
                f"pose: the loss is not finite at step {batch_idx}, with learning_rate = "
                f"{self.config.learning_rate:g}; lower it"
            )
        return loss

    def configure_optimizers(self) -> Any:
        """AdamW; its rate rises over a twentieth of the budget and falls as a cosine to 0."""
        optimizer = AdamW(self.encoder.parameters(), self.config.learning_rate, weight_decay=1e-2)
        schedule = LambdaLR(optimizer, self._rate)
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _rate(self, step: int) -> float:
        rise = 0.05 * self.config.steps
        if step < rise:
            return (step + 1) / (rise + 1)
        return 0.5 + 0.5 * cos(pi * min(1, (step - rise) / (self.config.steps - rise)))

    @torch.no_grad()
    def estimate(self, particles: ParticleImages) -> Poses:
        """Poses of images; each depends on its own image alone.

        Args:
            particles: images of the box, the pixel size and the phases of those trained on; their
                poses are not looked at.

        Raises:
            CryoccdError: the images are of another box, pixel size or phase.
        """
        self._check(particles)
        training = self.training
        self.eval()
        motions = [square_motion(0, mirror) for mirror in (False, True)]
        rotations, shifts_px = [], []
        for images in torch.split(particles.images, _AT_ONCE):
            found = [self._undone(images.to(self.device), motion) for motion in motions]
            each = torch.stack([rotation for rotation, _ in found], dim=1)
            rotations.append(consensus(each, self.operators).cpu())
            shifts_px.append(torch.stack([shift for _, shift in found]).mean(0).cpu())
        self.train(training)
        return Poses(torch.cat(rotations), particles.pixel_size_A * torch.cat(shifts_px))

    def _undone(self, images: Tensor, motion: Motion) -> tuple[Tensor, Tensor]:
        rotations, shifts_px = self.encoder(motion.image(images))
        return motion.undo(rotations), shifts_px @ motion.matrix.to(shifts_px)

    def _check(self, particles: ParticleImages) -> None:
        boxes = self.config.boxes
        apart = abs(particles.pixel_size_A / self.pixel_size_A - 1)
        if particles.box_px != boxes.box_px or apart > _SCALES_AGREE:
            raise CryoccdError(
                f"pose: images of {particles.box_px} px of {particles.pixel_size_A:.3f} A, but the "
                f"estimator was trained on {boxes.box_px} px of {self.pixel_size_A:.3f} A; give "
                f"box_px: {boxes.box_px}, box_A: {boxes.box_px * self.pixel_size_A:g}"
            )
        if particles.phase_flipped != boxes.phase_flip:
            raise CryoccdError(
                f"pose: images with phase_flip = {particles.phase_flipped}, but the estimator was "
                f"trained with {boxes.phase_flip}; read them so"
            )
