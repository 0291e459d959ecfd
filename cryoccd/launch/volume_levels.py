"""How well a diffusion sees held-out boxes through noise: |x_0 - x̂_0|², level by level.

At the same ratio of signal to noise models of any schedule and prediction compare, which pooled
training losses do not: those are ruled by which levels were drawn.
"""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils.data import Dataset

from cryoccd.data.subtomograms import Box, collate
from cryoccd.methods.volume_generator import VolumeGenerator
from cryoccd.randomness import item_seed


@torch.inference_mode()
def level_errors(
    model: VolumeGenerator,
    boxes: Dataset[Box],
    numbers: Sequence[int],
    snr_dB: Sequence[float],
    seed: int = 0,
    batch_size: int = 16,
) -> Tensor | None:
    """(n, levels) float64 mean square error of the clean box, which has variance 1.

    Args:
        model: fitted; it is told class, position, and the density where it takes one.
        boxes: as they are, with densities where the model takes them.
        numbers: (n,) which of them.
        snr_dB: power of the box over that of the noise.
        seed: of the noise; that of a box is the same in any batch.
        batch_size: boxes at once.

    Returns:
        None for a model that is no diffusion.
    """
    found = []
    for part in (numbers[k : k + batch_size] for k in range(0, len(numbers), batch_size)):
        batch = collate([boxes[number] for number in part]).to(model.device)
        errors = []
        for level in snr_dB:
            seeds = [item_seed(seed, "level", f"{level:g}", number) for number in part]
            draws = [torch.Generator().manual_seed(each) for each in seeds]
            error = model.clean_errors(batch, level, draws)
            if error is None:
                return None
            errors.append(error.double().cpu())
        found.append(torch.stack(errors, 1))
    return torch.cat(found)
