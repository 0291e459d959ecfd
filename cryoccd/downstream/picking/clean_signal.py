"""The signal in a simulated micrograph, from its clean image: so that its contrast can be changed.

A noisy image is a C + noise in units that only its noise model knows. With z what a picker sees of
it and u the clean image treated alike (the local mean removed, divided by the local standard
deviation of z), least squares gives a = <z, u> / <u, u>, and the signal is a u. A method that
repaints particles does not make image = signal + noise; what is scaled is then the part of the
image that follows the clean one.
"""

from math import sqrt

import torch
from torch import Tensor

from cryoccd.downstream.picking.front import Front
from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import Dataset
from cryoccd.io.folder import MicrographFolder

_LEAST = 3.0  # correlation of image and signal, in standard deviations of chance


def clean_images(folder: MicrographFolder) -> Dataset:
    """The simulated set in a folder.

    Raises:
        CryoccdError: the folder is none, or has no clean images.
    """
    if not (folder.root / "manifest.json").is_file() or not (folder.root / "clean").is_dir():
        raise CryoccdError(
            f"picker: contrast: {folder.root} has no clean images, expected a simulated set; "
            "leave contrast out"
        )
    return Dataset(folder.root)


def signal_in(seen: Tensor, sd: Tensor, clean: Tensor, front: Front, name: str) -> Tensor:
    """(h, w) signal in what a picker sees; 0 where the clean image is blank.

    Args:
        seen: (h, w) what it sees.
        sd: (h, w) local standard deviation that was divided by.
        clean: (h, w) clean image on the same pixels.
        front: what made it.
        name: for the message.

    Raises:
        CryoccdError: the micrograph does not hold its clean image.
    """
    everywhere = torch.ones_like(clean, dtype=torch.bool)
    shape = (clean - front.average(clean, everywhere)) / sd
    power = float(shape.square().sum())
    if power <= 1e-12 * shape.numel():
        return torch.zeros_like(seen)
    product = float((seen * shape).sum())
    if product < _LEAST * sqrt(power * float(seen.square().mean())):
        raise CryoccdError(
            f"picker: contrast: {name} does not hold its clean image, expected "
            "image = clean + noise; leave contrast out"
        )
    return product / power * shape
