"""What a volume network is told in one vector: noise level, class and place in the tomogram.

    time      MLP(sin, cos of 1000 level at 64 rates from 1 to 10⁻⁴)
    class     W onehot + b; of no class, b alone
    position  MLP(x, y, z in [0, 1]); of no position, 0

each of 128 channels, and their sum (as the authors' code has it) or all three side by side (as
their paper has it; Passi and Cohen 2025). No class and no position is the condition of
classifier-free guidance (Ho and Salimans, arXiv:2207.12598).
"""

from math import log
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

Joining = Literal["sum", "concatenate"]
WIDTH = 128
"""Channels of each of the three."""


class VolumeCondition(nn.Module):
    """The embedding that all blocks share.

    Args:
        n_classes: classes of particles.
        joining: whether the three are summed or put side by side.
    """

    def __init__(self, n_classes: int, joining: Joining = "sum") -> None:
        super().__init__()
        self.n_classes, self.joining = n_classes, joining
        self.width = WIDTH if joining == "sum" else 3 * WIDTH
        self.time = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH))
        self.label = nn.Linear(n_classes, WIDTH)
        self.position = nn.Sequential(nn.Linear(3, WIDTH), nn.SiLU(), nn.Linear(WIDTH, WIDTH))

    def forward(self, level: Tensor, label: Tensor, position: Tensor, known: Tensor) -> Tensor:
        """(n, width) of what is known.

        Args:
            level: (n,) place of t in the schedule, in (0, 1].
            label: (n,) int64 class.
            position: (n, 3) x, y, z as shares of the tomogram's extent.
            known: (n,) bool, false where neither class nor position is told.
        """
        told = known[:, None].to(position)
        rates = torch.exp(-log(1e4) * torch.arange(WIDTH // 2, device=level.device) / (WIDTH // 2))
        phases = 1000 * level[:, None].float() * rates
        parts = [
            self.time(torch.cat([phases.sin(), phases.cos()], 1)),
            self.label(told * functional.one_hot(label, self.n_classes).to(position)),
            told * self.position(position),
        ]
        return torch.stack(parts).sum(0) if self.joining == "sum" else torch.cat(parts, 1)
