"""The best and the worst row beside a model: two halves of real boxes, and noise of their spectrum.

Noise is made of real boxes by random phases: each keeps the power of its transform, and with it the
spectrum and the missing wedge, and nothing of what is in it. The power of the particle is then all
over the box, and under a window less of it is seen: spectra of windowed boxes do differ.
"""

import numpy as np
import torch

from cryoccd.errors import CryoccdError
from cryoccd.metrics.volume.boxes import BoxSet, standardised
from cryoccd.randomness import item_seed


def halves(real: BoxSet) -> tuple[BoxSet, BoxSet]:
    """Two parts of different tomograms, near one another in number of boxes.

    Raises:
        CryoccdError: boxes of one tomogram, which cannot be parted.
    """
    names, counts = np.unique(real.groups, return_counts=True)
    if len(names) < 2:
        raise CryoccdError(
            f"boxes: all real ones of {names[0]}, expected two tomograms or more to part them"
        )
    parts: tuple[list[str], list[str]] = ([], [])
    held = [0, 0]
    for index in np.argsort(-counts, kind="stable"):  # the largest first, to the emptier part
        place = int(held[1] < held[0])
        parts[place].append(str(names[index]))
        held[place] += int(counts[index])
    one, two = (
        real.take(torch.from_numpy(np.flatnonzero(np.isin(real.groups, part)))) for part in parts
    )
    return one, two


def phase_randomised(boxes: BoxSet, seed: int = 0) -> BoxSet:
    """Noise with the power spectrum of each box, labelled as the box is; each a group of its own.

    Box k depends on the seed and k alone.
    """
    side, noise = boxes.box_px, []
    for number, volume in enumerate(boxes.volumes):
        draw = torch.Generator().manual_seed(item_seed(seed, "phases", number))
        # phases of white noise keep the symmetry of the transform of real values
        white = torch.fft.rfftn(torch.randn((side,) * 3, generator=draw))
        spectrum = torch.fft.rfftn(volume).abs() * torch.polar(torch.ones(()), white.angle())
        noise.append(torch.fft.irfftn(spectrum, s=(side,) * 3))
    groups = np.array([str(number) for number in range(len(boxes))])
    return BoxSet(
        standardised(torch.stack(noise)), boxes.labels, groups, boxes.voxel_size_A, boxes.classes
    )
