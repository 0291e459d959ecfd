"""What damage and motion leave of each spatial frequency, the mean over a part of an exposure.

With n steps of equal exposure, amplitudes that fade by the same factor r from step to step, and a
specimen at p_j in step j:

    T(k) = a_0(k) / n sum_j r(k)^j exp(-2 pi i k p_j).
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from cryoccd.fourier import frequency_grid, radial_frequency
from cryoccd.imaging.dose import DoseConfig, amplitude_left
from cryoccd.records import Optics

_ROWS = 64  # blocks of rows stay in the cache of a core


@dataclass(frozen=True)
class Transfers:
    """Transfer of any run of frames of one exposure, in the layout of rfft2.

    Args:
        dose: the exposure and its damage.
        optics: pixel size and voltage.
        positions_A: (frames, steps, 2) x, y of the specimen.
        shape_px: height and width of the field.
        device: where to compute.
    """

    dose: DoseConfig
    optics: Optics
    positions_A: Tensor
    shape_px: tuple[int, int]
    device: torch.device

    @property
    def moving(self) -> bool:
        """Whether the specimen leaves its place."""
        return bool(self.positions_A.any())

    def specimen(self, first: int, count: int) -> Tensor:
        """Mean transfer of damage and motion over `count` frames from `first`."""
        if not self.moving:
            return self._amplitude(first, count, self.dose.frames)
        steps = self.positions_A.shape[1]
        n_steps = self.dose.frames * steps
        start = self._amplitude(first * steps, 1, n_steps)
        return start * self._phases(first, count, self.decay(n_steps))

    def ice(self, first: int, count: int) -> Tensor | None:
        """Mean transfer of motion alone over `count` frames from `first`; None is 1."""
        return self._phases(first, count, None) if self.moving else None

    def decay(self, steps: int) -> Tensor | None:
        """Factor of the amplitude from one of `steps` of the exposure to the next; None is 1."""
        critical = self._critical()
        if critical is None:
            return None
        return torch.exp(-self.dose.dose_e_per_A2 / (2 * steps) / critical)

    def _amplitude(self, first: int, count: int, steps: int) -> Tensor:
        critical = self._critical()
        if critical is None:
            return torch.ones(1, 1, device=self.device)
        step = self.dose.dose_e_per_A2 / steps
        spent = self.dose.pre_exposure_e_per_A2 + first * step
        return amplitude_left(spent, count * step, critical)

    def _critical(self) -> Tensor | None:
        if not self.dose.damage:
            return None
        pixel_size_A, voltage_kV = self.optics.pixel_size_A, self.optics.voltage_kV
        return _critical(self.dose, self.shape_px, pixel_size_A, voltage_kV, self.device)

    def _phases(self, first: int, count: int, decay: Tensor | None) -> Tensor:
        positions_A = self.positions_A[first : first + count].reshape(-1, 2)
        n = len(positions_A)
        k_y, k_x = frequency_grid(self.shape_px, self.optics.pixel_size_A, rfft=True)
        rows, columns = (
            torch.exp(-2j * torch.pi * k.double()[:, None] * places).to(
                self.device, torch.complex64
            )
            for k, places in ((k_y[:, 0], positions_A[:, 1]), (k_x[0], positions_A[:, 0]))
        )
        if decay is None:
            return rows @ columns.T / n
        total = torch.zeros(decay.shape, dtype=torch.complex64, device=self.device)
        height = len(total) if self.device.type != "cpu" else _ROWS
        for start in range(0, len(total), height):
            block = slice(start, start + height)
            for j in reversed(range(n)):
                total[block].mul_(decay[block]).addr_(rows[block, j], columns[:, j])
        return total.div_(n)


@lru_cache(maxsize=1)
def _critical(
    dose: DoseConfig,
    shape_px: tuple[int, int],
    pixel_size_A: float,
    voltage_kV: float,
    device: torch.device,
) -> Tensor:
    k_per_A = radial_frequency(shape_px, rfft=True).to(device) / pixel_size_A
    return dose.critical_e_per_A2(k_per_A, voltage_kV)
