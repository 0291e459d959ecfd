"""Camera: sharpness, counting, noise colour, fixed pattern and binning.

Vulovic et al. 2013 (J. Struct. Biol. 183, 19), eq. 15 and 16, with DQE = DQE0 MTF^2 / NNPS:

    counts = Poisson(DQE0 F^-1[(MTF / sqrt(NNPS)) F[expected]])
    image = F^-1[sqrt(NNPS) F[counts]] / DQE0

on the physical pixels, which are `binning` times smaller than those of the image: the expected
electrons are Fourier interpolated, counted and Fourier cropped. Expected and image are in incident
electrons a pixel of the image: an empty field has the mean dose * pixel area, its counts DQE0 times
that over binning^2 a physical pixel, its noise power mean / DQE0 * NNPS.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from cryoccd.errors import CryoccdError, check_within
from cryoccd.fourier import radial_frequency
from cryoccd.imaging.camera_presets import preset
from cryoccd.imaging.camera_response import Response, join
from cryoccd.imaging.gain import PatternConfig, fixed_pattern
from cryoccd.io.curves import read_curve


@dataclass(frozen=True)
class Camera:
    """A camera.

    Args:
        response: MTF, NNPS and DQE.
        binning: physical pixels along the edge of a pixel of the image.
        pattern: gain and defects of the physical pixels.
    """

    response: Response
    binning: int = 1
    pattern: PatternConfig = field(default_factory=PatternConfig)

    def __post_init__(self) -> None:
        check_within("camera: binning", self.binning, 1, 8, "physical pixels a pixel")

    def expectation(self, expected: Tensor) -> Tensor:
        """Mean of `expose` without pattern: (h, w) expected electrons seen with the MTF."""
        shape = _shape(expected)
        sharpness = self.response.mtf(radial_frequency(shape, rfft=True) * 2 / self.binning)
        seen: Tensor = torch.fft.irfft2(
            torch.fft.rfft2(expected) * sharpness.to(expected.device), s=shape
        )
        return seen

    def count(self, expected: Tensor, generator: torch.Generator) -> Tensor:
        """Counts of the physical pixels, (binning h, binning w); variance equals mean.

        Args:
            expected: (h, w) expected electrons a pixel, 0 or more; the field counts as periodic.
            generator: source of the shot noise.
        """
        shape, factor = _shape(expected), self.binning
        before, _ = _transfers(self.response, shape, factor, expected.device)
        spectrum = torch.fft.rfft2(expected).mul_(before)
        if factor > 1:
            spectrum = resize_spectrum(spectrum, shape, (shape[0] * factor, shape[1] * factor))
        rate: Tensor = torch.fft.irfft2(spectrum, s=(shape[0] * factor, shape[1] * factor))
        del spectrum
        counts = torch.poisson(rate.clamp_(min=0).to(generator.device), generator=generator)
        return counts.to(expected)

    def expose(self, expected: Tensor, generator: torch.Generator, border_px: int = 0) -> Tensor:
        """One noisy image in incident electrons a pixel.

        Args:
            expected: (h, w) expected electrons a pixel, 0 or more; the field counts as periodic.
            generator: source of the shot noise.
            border_px: what lies around the camera and carries no pattern, in pixels of the image.

        Returns:
            (h, w), the border with it.
        """
        if expected.ndim != 2 or float(expected.min()) < 0:
            raise CryoccdError(
                f"camera: expected electrons {tuple(expected.shape)} with minimum "
                f"{float(expected.min()):.3g}, expected an (h, w) image of values >= 0"
            )
        shape, factor = _shape(expected), self.binning
        counts = self.count(expected, generator)
        full = _shape(counts)
        spectrum = torch.fft.rfft2(counts)
        del counts
        if not self.pattern.flawless:
            _, after = _transfers(self.response, full, 1, expected.device)
            image: Tensor = torch.fft.irfft2(spectrum.mul_(after), s=full)
            edge = border_px * factor
            camera = image[edge : full[0] - edge, edge : full[1] - edge]
            pattern = fixed_pattern(self.pattern, _shape(camera), expected.device)
            pattern.imprint(camera, self.pattern)
            if factor == 1:
                return image
            binned: Tensor = torch.fft.irfft2(
                resize_spectrum(torch.fft.rfft2(image), full, shape), s=shape
            )
            return binned
        if factor > 1:
            spectrum = resize_spectrum(spectrum, full, shape)
        _, after = _transfers(self.response, shape, factor, expected.device)
        smooth: Tensor = torch.fft.irfft2(spectrum.mul_(after), s=shape)
        return smooth


@dataclass(frozen=True)
class CameraConfig:
    """The camera: a preset, or two of three measured curves.

    Curves are CSV files of two columns, fraction of the physical pixel's Nyquist frequency and
    value; the third follows from DQE = DQE(0) MTF^2 / NNPS.

    Args:
        preset: ideal, square_pixel, counting, integrating or scintillator; counting where neither
            it nor a curve is given.
        mtf: file of the modulation transfer.
        dqe: file of the detective quantum efficiency.
        nnps: file of the normalised noise power.
        dqe0: DQE at frequency 0; by default the first point of dqe.
        binning: physical pixels along the edge of a pixel of the image.
        pattern: gain and defects.
    """

    preset: str | None = None
    mtf: Path | None = None
    dqe: Path | None = None
    nnps: Path | None = None
    dqe0: float | None = None
    binning: int = 1
    pattern: PatternConfig = field(default_factory=PatternConfig)

    def __post_init__(self) -> None:
        if self.preset is not None and self._measured:
            raise CryoccdError(
                f"camera: preset = {self.preset} beside {', '.join(self._measured)}, expected a "
                "preset or curves, not both"
            )
        self.build()  # refuses what does not fit before anything is simulated

    def build(self) -> Camera:
        """The camera.

        Raises:
            CryoccdError: a file that is no curve, curves that contradict, an unknown preset.
        """
        return Camera(self._response(), self.binning, self.pattern)

    def _response(self) -> Response:
        if self.preset is not None or not self._measured:
            return preset(self.preset or "counting")
        mtf, dqe, nnps = (
            None if path is None else read_curve(Path(path))
            for path in (self.mtf, self.dqe, self.nnps)
        )
        return join(mtf, dqe, nnps, self.dqe0)

    @property
    def _measured(self) -> list[str]:
        return [name for name in ("mtf", "dqe", "nnps", "dqe0") if getattr(self, name) is not None]


def resize_spectrum(spectrum: Tensor, shape: tuple[int, int], new: tuple[int, int]) -> Tensor:
    """Cut or extend the rfft2 of a field of `shape` to one of `new`; values a pixel keep.

    The frequencies that both fields hold without partner at Nyquist are kept, the rest is 0. The
    transform's scale stays: a sum over the field is the same before and after.
    """
    rows, columns = ((min(a, b) - 1) // 2 for a, b in zip(shape, new, strict=True))
    resized = spectrum.new_zeros(new[0], new[1] // 2 + 1)
    resized[: rows + 1, : columns + 1] = spectrum[: rows + 1, : columns + 1]
    if rows:
        resized[-rows:, : columns + 1] = spectrum[-rows:, : columns + 1]
    return resized


@lru_cache(maxsize=2)
def _transfers(
    response: Response, shape: tuple[int, int], edge: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Filters before and after the counting, on pixels of `edge` physical pixels."""
    fraction = radial_frequency(shape, rfft=True) * (2 / edge)
    mtf, colour = response.mtf(fraction), response.nnps(fraction).sqrt_()
    before = (mtf / colour).mul_(response.dqe0)
    return before.to(device), colour.div_(response.dqe0).to(device)


def _shape(image: Tensor) -> tuple[int, int]:
    return int(image.shape[-2]), int(image.shape[-1])
