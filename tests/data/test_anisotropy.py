"""A direction in the spectrum is found where there is one, and only there."""

from pathlib import Path

import pytest
import torch
import torch.nn.functional as functional

from cryoccd.data.anisotropy import THRESHOLD, spectral_anisotropy
from cryoccd.data.real import RealPool
from cryoccd.io.folder import open_folder


def white(n: int = 4, side: int = 512) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return [torch.randn(side, side, generator=generator) for _ in range(n)]


def smeared(images: list[torch.Tensor], kernel: torch.Tensor) -> list[torch.Tensor]:
    return [functional.conv2d(i[None, None], kernel[None, None])[0, 0] for i in images]


def test_white_noise_has_none() -> None:
    assert spectral_anisotropy(white()) < THRESHOLD


def test_isotropic_colour_has_none() -> None:
    blur = torch.tensor([1.0, 4.0, 6.0, 4.0, 1.0])
    assert spectral_anisotropy(smeared(white(), torch.outer(blur, blur) / 256)) < THRESHOLD


@pytest.mark.parametrize(
    "kernel", [torch.ones(1, 3) / 3, torch.ones(3, 1) / 3, torch.eye(3) / 3, torch.eye(3).flip(0)]
)
def test_drift_in_any_direction_has_some(kernel: torch.Tensor) -> None:
    assert spectral_anisotropy(smeared(white(), kernel)) > 2


def test_the_measure_is_the_ratio_of_perpendicular_sectors() -> None:
    # white noise with every frequency nearer to the x axis than to the y axis at twice the power
    noise = white(8)
    k_y = torch.fft.fftfreq(512)[:, None]
    k_x = torch.fft.fftfreq(512)[None]
    gain = torch.where(k_x.abs() > k_y.abs(), 2**0.5, 1.0)
    images = [torch.fft.ifft2(torch.fft.fft2(image) * gain).real for image in noise]
    assert spectral_anisotropy(images) == pytest.approx(2, rel=0.08)


def test_turned_with_the_pattern_it_is_the_same() -> None:
    images = smeared(white(), torch.ones(1, 3) / 3)
    turned = [image.mT.contiguous() for image in images]
    assert spectral_anisotropy(turned) == pytest.approx(spectral_anisotropy(images), rel=1e-3)


def test_real_micrographs(real_data: Path) -> None:
    pool = RealPool(open_folder(real_data / "empiar-10146"))
    assert spectral_anisotropy(m.image for m in pool) < THRESHOLD
