"""Faults of growing strength in simulated micrographs.

Labels, clean images and optics stay those of the faultless micrograph. Faults of particles, noise
and camera keep its noise to the last electron; ice and lens are exposed anew with the same seeds,
where counting draws other numbers.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from faultless import DIAMETER_A, Draw, Microscope, chosen, joined
from torch import Tensor

from cryoccd.fourier import radial_frequency
from cryoccd.metrics.measure import Field
from cryoccd.randomness import item_seed


@dataclass(frozen=True)
class Fault:
    """One kind of fault.

    Args:
        name: for tables.
        unit: of its strength, and what that means.
        strengths: growing, without 0.
        apply: micrograph with the fault at a strength.
    """

    name: str
    unit: str
    strengths: tuple[float, ...]
    apply: Callable[[Microscope, Draw, float], Field]


def _white(_: Microscope, draw: Draw, share: float) -> Field:
    return draw.field(draw.image + share * draw.unit * _normal(draw, "white"))


def _tilt(_: Microscope, draw: Draw, db_per_octave: float) -> Field:
    octaves = (radial_frequency(_shape(draw), rfft=True).clamp_min(1e-3) / 0.1).log2()
    return draw.with_noise(_filtered(draw.noise, 10 ** (-db_per_octave * octaves / 20)))


def _blur(_: Microscope, draw: Draw, sigma_px: float) -> Field:
    k = radial_frequency(_shape(draw), rfft=True)
    return draw.field(_filtered(draw.image, torch.exp(-2 * (torch.pi * sigma_px * k) ** 2)))


def _flat_ice(scope: Microscope, draw: Draw, share: float) -> Field:
    ice_A = draw.scene.ice_thickness_A
    return scope.retaken(draw, thickness_A=share * ice_A.mean() + (1 - share) * ice_A)


def _ice_noise(scope: Microscope, draw: Draw, share: float) -> Field:
    # none at all would draw no random numbers, and shift all later ones
    return scope.retaken(draw, ice_noise=max(1 - share, 1e-6))


def _gain_lines(_: Microscope, draw: Draw, rms: float) -> Field:
    columns = torch.randn(_shape(draw)[1], generator=_generator(0, "gain"))
    return draw.field(draw.image * (1 + rms * columns))


def _erased(scope: Microscope, draw: Draw, share: float) -> Field:
    particles = draw.scene.particles
    lots = torch.rand(len(particles), generator=_generator(draw.index, "erased")).numpy()
    return scope.with_particles(draw, chosen(particles, lots >= share))


def _added(scope: Microscope, draw: Draw, share: float) -> Field:
    own, spare = draw.scene.particles, draw.spare
    count = round(share * len(own))
    more = chosen(spare, np.arange(len(spare)) < count)
    return scope.with_particles(draw, joined(own, more))


def _moved(scope: Microscope, draw: Draw, diameters: float) -> Field:
    particles = draw.scene.particles
    turn = 2 * torch.pi * torch.rand(len(particles), generator=_generator(draw.index, "moved"))
    step = diameters * DIAMETER_A * torch.stack([turn.cos(), turn.sin(), 0 * turn], 1).numpy()
    return scope.with_particles(draw, replace(particles, positions_A=particles.positions_A + step))


def _contrast(sign: int, _: Microscope, draw: Draw, share: float) -> Field:
    return draw.field(draw.image + sign * share * draw.level * draw.clean)


def _defocus(scope: Microscope, draw: Draw, shift_A: float) -> Field:
    old = draw.optics
    new = replace(old, defocus_u_A=old.defocus_u_A + shift_A, defocus_v_A=old.defocus_v_A + shift_A)
    return scope.retaken(draw, optics=new)


def _astigmatism(scope: Microscope, draw: Draw, difference_A: float) -> Field:
    old = draw.optics
    mean_A = (old.defocus_u_A + old.defocus_v_A) / 2
    own_A, angle = (old.defocus_u_A - old.defocus_v_A) / 2, np.deg2rad(2 * old.astigmatism_deg)
    vector = own_A * np.exp(1j * angle) + difference_A / 2  # along x
    half_A, turn_deg = float(abs(vector)), float(np.rad2deg(np.angle(vector))) / 2
    lens = {"defocus_u_A": mean_A + half_A, "defocus_v_A": mean_A - half_A}
    return scope.retaken(draw, optics=replace(old, **lens, astigmatism_deg=turn_deg))


def _checkerboard(_: Microscope, draw: Draw, amplitude: float) -> Field:
    rows, columns = (torch.arange(side) for side in _shape(draw))
    board = 1 - 2.0 * ((rows[:, None] + columns) % 2)
    return draw.field(draw.image + amplitude * draw.unit * board)


def _repeated(_: Microscope, draw: Draw, share: float) -> Field:
    other = draw.noise.roll((128, 128), (0, 1))  # independent of what it is mixed with
    coarse = other[::2, ::2].repeat_interleave(2, 0).repeat_interleave(2, 1)
    return draw.with_noise((1 - share**2) ** 0.5 * draw.noise + share * coarse)


def _signal_dependent(_: Microscope, draw: Draw, slope: float) -> Field:
    expected = draw.level * (1 + draw.clean)
    m = (expected - expected.median()) / draw.unit
    return draw.with_noise(draw.noise * torch.exp(slope * m / 2))


def _uneven(_: Microscope, draw: Draw, rms_db: float) -> Field:
    k = radial_frequency(_shape(draw), rfft=True)
    smooth = _filtered(_normal(draw, "uneven"), torch.exp(-((k * 128) ** 2)))
    return draw.with_noise(draw.noise * 10 ** (rms_db * smooth / smooth.std() / 20))


def _skewed(_: Microscope, draw: Draw, share: float) -> Field:
    z = draw.noise / draw.noise.std()
    return draw.with_noise(draw.noise.std() * (z + share * (z**2 - 1)))


def _one_noise(scope: Microscope, draw: Draw, share: float) -> Field:
    return draw.with_noise((1 - share**2) ** 0.5 * draw.noise + share * scope.other.noise)


def _copied(scope: Microscope, draw: Draw, share: float) -> Field:
    lot = float(torch.rand((), generator=_generator(draw.index, "copied")))
    return scope.training[draw.index % len(scope.training)].field() if lot < share else draw.field()


def _gain_and_offset(_: Microscope, draw: Draw, share: float) -> Field:
    return draw.field(draw.image * (1 + share) - share * float(draw.image.mean()) * 3)


_SHARES = (0.25, 0.5, 0.75, 1.0)
FAULTS = (
    Fault("white noise", "of the scaled MAD, added", (0.25, 0.5, 1, 2), _white),
    Fault("noise spectrum", "dB an octave, tilt", (0.25, 0.5, 1, 2), _tilt),
    Fault("blur", "px, sigma", (0.25, 0.5, 1, 2), _blur),
    Fault("ice field missing", "of the slow change of thickness", _SHARES, _flat_ice),
    Fault("ice noise missing", "of its amplitude, Thon rings with it", _SHARES, _ice_noise),
    Fault("gain lines", "rms of the columns' gain", (0.01, 0.02, 0.04, 0.08), _gain_lines),
    Fault("particles erased", "of the labelled", (0.1, 0.2, 0.4, 0.8), _erased),
    Fault("particles added", "of as many as labelled", (0.1, 0.2, 0.4, 0.8), _added),
    Fault("particles moved", "diameters off their labels", (0.1, 0.2, 0.4, 0.8), _moved),
    Fault("contrast weaker", "of the signal, taken", (0.1, 0.2, 0.4, 0.8), partial(_contrast, -1)),
    Fault("contrast stronger", "of the signal, added", (0.1, 0.2, 0.4, 0.8), partial(_contrast, 1)),
    Fault("defocus shifted", "A beyond the label", (500, 1000, 2000, 4000), _defocus),
    Fault("astigmatism", "A beyond the label, along x", (500, 1000, 2000, 4000), _astigmatism),
    Fault("checkerboard", "of the scaled MAD", (0.05, 0.1, 0.2, 0.4), _checkerboard),
    Fault("repeated pixels", "amplitude of noise doubled in size", _SHARES, _repeated),
    Fault("signal-dependent noise", "d ln variance / d MAD", (0.25, 0.5, 1, 2), _signal_dependent),
    Fault("uneven noise", "dB rms, over 500 A", (0.5, 1, 2, 4), _uneven),
    Fault("skewed noise", "weight of its square", (0.025, 0.05, 0.1, 0.2), _skewed),
    Fault("one noise", "amplitude of a field that all share", _SHARES, _one_noise),
    Fault("memorised", "of the micrographs copied", _SHARES, _copied),
    Fault("gain and offset", "larger gain; a control", _SHARES, _gain_and_offset),
)


def _filtered(image: Tensor, transfer: Tensor) -> Tensor:
    shape = (int(image.shape[0]), int(image.shape[1]))
    filtered: Tensor = torch.fft.irfft2(torch.fft.rfft2(image) * transfer, s=shape)
    return filtered


def _normal(draw: Draw, what: str) -> Tensor:
    return torch.randn(_shape(draw), generator=_generator(draw.index, what))


def _generator(seed: int, what: str) -> torch.Generator:
    return torch.Generator().manual_seed(item_seed(seed, what))


def _shape(draw: Draw) -> tuple[int, int]:
    return draw.scene.shape_px
