"""Motion of the specimen under the beam.

The specimen drifts fast at first and settles (Brilot et al. 2012, J. Struct. Biol. 177, 630): its
place after an exposure of N electrons per square angstrom is

    p(N) = total (1 - exp(-N / decay)) / (1 - exp(-N_end / decay))

along a random direction, plus a random walk. The whole field moves as one; its bending is not
modelled. The exposure is cut into steps that are at most a frame and at most 1/32 of the whole, so
that motion inside a frame blurs it.

Truth: the mean position over the exposure is zero. The labels give the place of a particle in the
sum, with corrected and with uncorrected frames.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError, check_within

_STEPS = 32


@dataclass(frozen=True)
class MotionConfig:
    """Beam-induced motion.

    Args:
        total_A: distance from the start to the end of the drift.
        decay_e_per_A2: exposure over which the speed falls to 1/e.
        jitter_A: standard deviation along x and along y of a random walk over the exposure.
        corrected: whether the frames are aligned; what moves inside a frame stays.
        residual_A: standard deviation along x and along y of the error of each aligned frame.
    """

    total_A: float = 10.0
    decay_e_per_A2: float = 8.0
    jitter_A: float = 0.5
    corrected: bool = True
    residual_A: float = 0.2

    def __post_init__(self) -> None:
        check_within("motion: total_A", self.total_A, 0, 1e3, "angstrom, for example 10")
        check_within("motion: decay_e_per_A2", self.decay_e_per_A2, 0.01, 1e4, "e/A^2")
        check_within("motion: jitter_A", self.jitter_A, 0, 100, "angstrom")
        check_within("motion: residual_A", self.residual_A, 0, 100, "angstrom")

    @property
    def largest_shift_A(self) -> float:
        """A distance from the mean position that is hardly ever passed."""
        return self.total_A + 5 * (self.jitter_A + (self.residual_A if self.corrected else 0))


def draw_positions_A(
    config: MotionConfig | None, frames: int, dose_e_per_A2: float, generator: torch.Generator
) -> Tensor:
    """Position of the specimen in every step of the exposure.

    Args:
        config: the motion; None is a specimen at rest, in one step a frame.
        frames: number of frames.
        dose_e_per_A2: exposure of all of them.
        generator: source of direction, walk and residues.

    Returns:
        (frames, steps, 2) x, y in angstrom, float64, of mean 0; steps have equal exposures.
    """
    if frames < 1:
        raise CryoccdError(f"motion: frames = {frames}, expected 1 or more")
    if config is None:
        return torch.zeros(frames, 1, 2, dtype=torch.float64)
    steps = -(-_STEPS // frames)
    n = frames * steps

    def normal(*shape: int) -> Tensor:
        drawn = torch.randn(shape, generator=generator, device=generator.device)
        return drawn.to("cpu", torch.float64)

    direction = normal(2)
    direction /= direction.norm().clamp_min(1e-12)
    ends = torch.arange(n + 1, dtype=torch.float64) * (dose_e_per_A2 / config.decay_e_per_A2 / n)
    # the mean of exp(-u) over each step, u = N / decay
    remaining = (torch.exp(-ends[:-1]) - torch.exp(-ends[1:])) / ends.diff()
    travelled = (1 - remaining) / -torch.expm1(-ends[-1])
    walk = normal(n, 2).cumsum(0) * (config.jitter_A / n**0.5)
    path = (config.total_A * travelled[:, None] * direction + walk).view(frames, steps, 2)
    if config.corrected:
        residual = config.residual_A * normal(frames, 1, 2)
        path = path - path.mean(1, keepdim=True) + residual
    centred: Tensor = path - path.mean((0, 1))
    return centred
