"""Envelopes and coma against their closed forms."""

from dataclasses import replace
from math import exp, pi

import pytest
import torch

from cryoccd.imaging.ctf import ctf
from cryoccd.imaging.transfer import coma_phase, envelope, transfer
from cryoccd.records import Optics

OPTICS = Optics(300, 2.7, 0.1, 1.0, 12000, 12000)
SHAPE = (100, 100)
ROW, K = 20, 0.2  # frequency along columns of this index


def at(field: torch.Tensor) -> complex:
    return complex(field[0, ROW])


def test_without_them_the_transfer_is_the_ctf() -> None:
    assert envelope(OPTICS, SHAPE) is None
    assert coma_phase(OPTICS, SHAPE) is None
    assert torch.equal(transfer(OPTICS, SHAPE), ctf(OPTICS, SHAPE))


def test_temporal_envelope() -> None:
    damped = envelope(replace(OPTICS, defocus_spread_A=80.0), SHAPE)
    expected = exp(-((pi * OPTICS.wavelength_A * 80 * K**2) ** 2) / 2)
    assert at(damped).real == pytest.approx(expected, rel=1e-4)


def test_spatial_envelope_falls_with_defocus_and_vanishes_where_chi_is_flat() -> None:
    spread = replace(OPTICS, convergence_mrad=0.2)
    slope = 2.7e7 * OPTICS.wavelength_A**2 * K**3 - 12000 * K
    assert at(envelope(spread, SHAPE)).real == pytest.approx(
        exp(-((pi * 0.2e-3 * slope) ** 2)), rel=1e-4
    )
    flat_A = 2.7e7 * OPTICS.wavelength_A**2 * K**2  # d chi / dk = 0 at K
    stationary = envelope(replace(spread, defocus_u_A=flat_A, defocus_v_A=flat_A), SHAPE)
    assert at(stationary).real == pytest.approx(1, abs=1e-5)


def test_b_factor() -> None:
    damped = envelope(replace(OPTICS, b_factor_A2=90.0), SHAPE)
    assert at(damped).real == pytest.approx(exp(-90 * K**2 / 4), rel=1e-5)


def test_coma_is_an_odd_phase_of_relions_size() -> None:
    """RELION turns the phase by 0.36 Cs lambda^2 k^2 (k . tilt) degrees, tilt in mrad."""
    tilted = replace(OPTICS, beam_tilt_x_mrad=1.5, beam_tilt_y_mrad=-0.5)
    phase = coma_phase(tilted, SHAPE, rfft=False)
    degrees = 0.36 * 2.7e7 * OPTICS.wavelength_A**2 * K**3 * 1.5
    assert float(torch.rad2deg(phase[0, ROW])) == pytest.approx(degrees, rel=1e-4)
    assert float(phase[0, -ROW]) == pytest.approx(-float(phase[0, ROW]))
    assert float(phase[ROW, 0]) == pytest.approx(-float(phase[0, ROW]) / 3)
    with_coma = transfer(tilted, SHAPE)
    assert torch.allclose(with_coma.abs(), transfer(OPTICS, SHAPE).abs(), atol=1e-5)
    value = at(with_coma) / at(ctf(OPTICS, SHAPE))
    turn = float(torch.deg2rad(torch.tensor(degrees)))
    assert torch.allclose(
        torch.tensor(value, dtype=torch.complex64),
        torch.polar(torch.tensor(1.0), torch.tensor(turn)),
        atol=1e-4,
    )
