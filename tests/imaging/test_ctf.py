import numpy as np
import pytest
import torch

from cryoccd.imaging.ctf import ctf
from cryoccd.records import Optics

SHAPE = (96, 120)


def optics(**changes):
    values = {
        "voltage_kV": 300.0,
        "cs_mm": 2.7,
        "amplitude_contrast": 0.1,
        "pixel_size_A": 1.5,
        "defocus_u_A": 15000.0,
        "defocus_v_A": 15000.0,
    }
    return Optics(**(values | changes))


def closed_form(o, shape=SHAPE):
    """-sin(chi - asin A - phase shift) in float64, angle counter-clockwise from x, y along rows."""
    k_y = np.fft.fftfreq(shape[0], o.pixel_size_A)[:, None]
    k_x = np.fft.rfftfreq(shape[1], o.pixel_size_A)[None]
    k2, angle = k_x**2 + k_y**2, np.arctan2(k_y, k_x)
    mean, half = (o.defocus_u_A + o.defocus_v_A) / 2, (o.defocus_u_A - o.defocus_v_A) / 2
    defocus = mean + half * np.cos(2 * (angle - np.deg2rad(o.astigmatism_deg)))
    wavelength = o.wavelength_A
    chi = -np.pi * wavelength * defocus * k2 + np.pi / 2 * o.cs_mm * 1e7 * wavelength**3 * k2**2
    return -np.sin(chi - np.arcsin(o.amplitude_contrast) - np.deg2rad(o.phase_shift_deg))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"defocus_u_A": 18000.0, "astigmatism_deg": 0.0},
        {"defocus_u_A": 18000.0, "astigmatism_deg": 33.0},
        {"defocus_u_A": 12000.0, "astigmatism_deg": 33.0},  # u below v
        {"phase_shift_deg": 60.0, "voltage_kV": 200.0, "cs_mm": 0.01},
        {"defocus_u_A": -5000.0, "defocus_v_A": -5000.0},
    ],
)
def test_closed_form(changes):
    o = optics(**changes)
    assert np.abs(ctf(o, SHAPE).numpy() - closed_form(o)).max() < 2e-3


def test_the_astigmatism_angle_is_not_mirrored():
    o, mirrored = (optics(defocus_u_A=18000.0, astigmatism_deg=angle) for angle in (33.0, -33.0))
    assert np.abs(ctf(o, SHAPE).numpy() - closed_form(mirrored)).max() > 0.5


def test_dc_is_the_amplitude_contrast():
    for amplitude in (0.0, 0.07, 0.3):
        value = float(ctf(optics(amplitude_contrast=amplitude), SHAPE)[0, 0])
        assert value == pytest.approx(amplitude, abs=1e-6)


def test_zeros_at_the_predicted_radii():
    """Without aberration and amplitude contrast, zeros lie at k^2 = n / (lambda defocus)."""
    o = optics(cs_mm=0.0, amplitude_contrast=0.0)
    row = ctf(o, (8, 4000))[0].numpy()
    k = np.fft.rfftfreq(4000, o.pixel_size_A)
    crossings = k[:-1][row[:-1] * row[1:] < 0]
    n = np.arange(1, len(crossings) + 1)
    assert len(crossings) > 20
    assert crossings == pytest.approx(np.sqrt(n / (o.wavelength_A * 15000)), abs=k[1])


def test_a_batch_of_defoci():
    o = optics(astigmatism_deg=20.0)
    u_A, v_A = torch.tensor([9000.0, 15000.0, 12000.0]), torch.tensor([8000.0, 15000.0, 14000.0])
    batch = ctf(o, SHAPE, u_A, v_A)
    assert batch.shape == (3, 96, 61)
    for one, u, v in zip(batch, u_A, v_A, strict=True):
        alone = optics(defocus_u_A=float(u), defocus_v_A=float(v), astigmatism_deg=20.0)
        assert torch.allclose(one, ctf(alone, SHAPE), atol=1e-4)
