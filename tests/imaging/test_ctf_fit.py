import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_frequency
from cryoccd.imaging.ctf import ctf
from cryoccd.imaging.ctf_fit import estimate_defocus_A, radial_spectrum
from cryoccd.records import Optics

MICROSCOPE = (300.0, 2.7, 0.1)


def thon(defocus_A, shape_px=(256, 256), pixel_size_A=4.0, seed=0, floor=0.3, optics=MICROSCOPE):
    """Coloured noise through the CTF, on coloured noise that never met it."""
    generator = torch.Generator().manual_seed(seed)
    k = radial_frequency(shape_px, rfft=True)
    settings = Optics(*optics, pixel_size_A, defocus_A, defocus_A)
    through = torch.fft.rfft2(torch.randn(shape_px, generator=generator)) * ctf(settings, shape_px)
    around = torch.fft.rfft2(torch.randn(shape_px, generator=generator)) * floor**0.5
    fall = torch.exp(-3 * k) + 0.02 / (k + 0.01)
    return 100 + torch.fft.irfft2((through + around) * fall, s=shape_px)


@pytest.mark.parametrize("defocus_A", [7000, 12000, 20000, 32000, 48000])
def test_known_defocus_is_recovered_within_three_percent(defocus_A):
    fit = estimate_defocus_A(thon(defocus_A, seed=defocus_A), *MICROSCOPE, 4.0)
    assert fit.defocus_A == pytest.approx(defocus_A, rel=0.03)
    assert 0.4 < fit.score <= 1


def test_other_microscope_other_shape():
    optics = (200.0, 1.4, 0.07)
    image = thon(15000, (700, 600), 2.0, seed=1, optics=optics)
    fit = estimate_defocus_A(image, *optics, 2.0)
    assert fit.defocus_A == pytest.approx(15000, rel=0.01)


def test_scale_and_offset_do_not_matter():
    image = thon(18000).double()
    first = estimate_defocus_A(image, *MICROSCOPE, 4.0)
    second = estimate_defocus_A(-7 * image + 3, *MICROSCOPE, 4.0)
    assert second.defocus_A == first.defocus_A
    assert second.score == pytest.approx(first.score, abs=1e-6)


def test_noise_without_rings_scores_low():
    image = torch.randn(256, 256, generator=torch.Generator().manual_seed(5))
    assert estimate_defocus_A(image, *MICROSCOPE, 4.0).score < 0.5


def test_spectrum_of_white_noise_is_flat():
    image = torch.randn(600, 512, generator=torch.Generator().manual_seed(6))
    spectrum = radial_spectrum(image)
    assert spectrum.shape == (257,)
    assert float(spectrum[20:120].mean() / spectrum[130:250].mean()) == pytest.approx(1, abs=0.05)


def test_bad_input_is_refused():
    with pytest.raises(CryoccdError, match="64 px"):
        estimate_defocus_A(torch.zeros(32, 32), *MICROSCOPE, 4.0)
    with pytest.raises(CryoccdError, match="constant"):
        estimate_defocus_A(torch.zeros(128, 128), *MICROSCOPE, 4.0)
    with pytest.raises(CryoccdError, match="range_A"):
        estimate_defocus_A(thon(9000), *MICROSCOPE, 4.0, range_A=(3000, 2000))
