"""History of generated images for a discriminator (Shrivastava et al. 2017, arXiv:1612.07828).

CycleGAN (Zhu et al. 2017, arXiv:1703.10593, section 4) keeps 50: while the pool fills, images are
stored and passed on; then each is passed on with probability 1/2, else it takes the place of a
stored one, which is returned instead.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cryoccd.errors import CryoccdError


class ImagePool(nn.Module):
    """Up to `size` generated images; 0 makes it the identity.

    The images are extra state of the module, not buffers: a checkpoint of what contains the pool
    restores them exactly, yet nothing averages or synchronises them as it does weights.

    Args:
        size: number of images kept.

    Raises:
        CryoccdError: size below 0.
    """

    def __init__(self, size: int = 50) -> None:
        super().__init__()
        if size < 0:
            raise CryoccdError(f"image pool: size = {size}, expected 0 or more")
        self.size = size
        self.images: list[Tensor] = []

    def forward(self, images: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
        """Images (b, c, h, w) for the discriminator, without gradient.

        Args:
            images: (b, c, h, w) newly generated, in the order in which they enter.
            generators: one per image, the only source of randomness.

        Raises:
            CryoccdError: the pool holds images of another size.
        """
        if self.images and self.images[0].shape != images.shape[1:]:
            held, given = (list(image.shape) for image in (self.images[0], images[0]))
            raise CryoccdError(
                f"image pool: holds images of shape {held}, got {given}; resume with the crop size "
                "that the fit began with"
            )
        pairs = zip(images.detach(), generators, strict=True)
        return torch.stack([self._exchange(image, random) for image, random in pairs])

    def get_extra_state(self) -> Tensor:
        """The stored images (k, c, h, w) by place, on the CPU; (0,) of an empty pool."""
        # those of a resumed run may still be on the CPU, later ones on the device
        images = [image.cpu() for image in self.images]
        return torch.stack(images) if images else torch.empty(0)

    def set_extra_state(self, state: Tensor) -> None:
        """Take over the images of a checkpoint.

        Raises:
            CryoccdError: more images than this pool may hold.
        """
        if len(state) > self.size:
            raise CryoccdError(
                f"image pool: size = {self.size}, but the checkpoint holds {len(state)} images; "
                "resume with the size that the fit began with"
            )
        self.images = [image.clone() for image in state]

    def _exchange(self, image: Tensor, random: torch.Generator) -> Tensor:
        if self.size == 0:
            return image
        if len(self.images) < self.size:
            self.images.append(image.clone())
            return image
        if int(torch.randint(2, (1,), generator=random, device=random.device)) == 0:
            return image
        place = int(torch.randint(self.size, (1,), generator=random, device=random.device))
        stored = self.images[place].to(image)
        self.images[place] = image.clone()
        return stored
