"""Which figures of the report card see which fault: a small part of benchmarks/faults.py."""

from dataclasses import replace
from statistics import stdev

import pytest
import torch
from particle_fields import (
    DIAMETER,
    GAIN,
    PIXEL_SIZE_A,
    SIDE,
    clean_of,
    generator,
    lattice,
    noise_of,
)

from cryoccd.fourier import radial_frequency
from cryoccd.metrics.features.crop_features import ScatteringExtractor
from cryoccd.metrics.features.memorisation import training_features
from cryoccd.metrics.images import normalised
from cryoccd.metrics.learnt import Learnt
from cryoccd.metrics.measure import Field
from cryoccd.metrics.protocol import NoiseProtocol
from cryoccd.metrics.signal.calibration import Calibration
from cryoccd.metrics.signal.detectability import Detectability
from cryoccd.metrics.standard import standard_card

N = 8
DETECTABLE = 2.8  # z_0.975 + z_0.8
SHARE = 0.5  # of the signal of `particle_fields`: d' near 5
K = radial_frequency((SIDE, SIDE), rfft=True)
WEDGE = torch.linspace(-1, 1, SIDE)[:, None].expand(SIDE, SIDE)
GAINS = torch.randn(SIDE, generator=generator(7))
BOARD = 1 - 2.0 * ((torch.arange(SIDE)[:, None] + torch.arange(SIDE)) % 2)


class Made:
    """One micrograph in parts: signal, ice and noise."""

    def __init__(self, seed):
        self.seed, self.centres = seed, lattice(seed)
        self.clean, self.noise = clean_of(self.centres, seed), noise_of(seed)
        tilt = torch.randn(2, generator=generator(seed))
        self.ice = 0.3 * (tilt[0] * WEDGE + tilt[1] * WEDGE.T)

    def field(self, image=None, signal=1.0, ice=1.0, noise=None):
        """With its labels, whatever is in the image."""
        if image is None:
            noise = self.noise if noise is None else noise
            image = signal * SHARE * GAIN * self.clean + ice * self.ice + noise
        diameter_A = DIAMETER * PIXEL_SIZE_A
        return Field(normalised(image), PIXEL_SIZE_A, self.centres, diameter_A, self.clean)


def whole(made):
    return SHARE * GAIN * made.clean + made.ice + made.noise


def filtered(image, transfer):
    return torch.fft.irfft2(torch.fft.rfft2(image) * transfer, s=image.shape)


def white(made, sigma):
    return made.field(whole(made) + sigma * torch.randn(SIDE, SIDE, generator=generator(made.seed)))


def tilt(made, slope):
    return made.field(noise=filtered(made.noise, (K.clamp_min(0.01) / 0.1) ** -slope))


def blur(made, sigma_px):
    return made.field(filtered(whole(made), torch.exp(-2 * (torch.pi * sigma_px * K) ** 2)))


def flat(made, share):
    return made.field(ice=1 - share)


def gain_lines(made, rms):
    return made.field(whole(made) + rms * GAINS)


def erased(made, share):
    shown = clean_of(made.centres[: round((1 - share) * len(made.centres))], made.seed)
    return made.field(whole(made) + SHARE * GAIN * (shown - made.clean))


def added(made, share):
    count = round(share * len(made.centres))
    gaps = made.centres[(made.centres < 200).all(1)] + 24  # of the lattice
    more = clean_of(gaps[:count], made.seed)
    return made.field(whole(made) + SHARE * GAIN * more)


def weaker(made, share):
    return made.field(signal=1 - share)


def checkerboard(made, amplitude):
    return made.field(whole(made) + amplitude * BOARD)


def uneven(made, rms_db):
    smooth = filtered(noise_of(made.seed + 500), torch.exp(-((32 * K) ** 2)))
    smooth = smooth - smooth.mean()
    return made.field(noise=made.noise * 10 ** (rms_db * smooth / smooth.std() / 20))


def shot_noise(made, slope):
    return made.field(noise=made.noise * torch.exp(slope * made.ice / 2))


def skewed(made, share):
    z = made.noise / made.noise.std()
    return made.field(noise=made.noise.std() * (z + share * (z**2 - 1)))


# fault, two strengths, what sees it (and the sign of its change), what does not
CASES = {
    "white noise": (
        white,
        (1.0, 2.0),
        {"psd_background_db": 1, "acf_rmse": 1, "signal_slope_200_40": -1},
        {"psd_anisotropy_db", "lattice_peak_db", "variance_map_db"},
    ),
    "noise spectrum": (
        tilt,
        (0.2, 0.4),
        {"psd_background_db": 1, "acf_rmse": 1, "fd_scattering": 1, "kid_scattering": 1},
        {"psd_anisotropy_db", "lattice_peak_db", "variance_map_db"},
    ),
    "blur": (
        blur,
        (0.7, 1.4),
        {"psd_background_10_db": 1, "psd_particle_10_db": 1, "acf_rmse": 1},
        {"psd_anisotropy_db", "contrast_error_db"},
    ),
    "ice field missing": (
        flat,
        (0.5, 1.0),
        {"low_frequency_db": -1},
        {"acf_rmse", "lattice_peak_db", "variance_map_db", "signal_slope_40_20"},
    ),
    "gain lines": (
        gain_lines,
        (0.3, 0.6),
        {"psd_anisotropy_db": 1, "acf_rmse": 1, "lattice_peak_db": 1},
        {"lattice_dip_db", "low_frequency_db"},
    ),
    "particles erased": (
        erased,
        (0.4, 0.8),
        {"erasure_rate": 1, "contrast_error_db": -1, "signal_slope_200_40": -1},
        {"acf_rmse", "psd_anisotropy_db", "lattice_peak_db", "low_frequency_db"},
    ),
    "particles added": (
        added,
        (0.4, 0.8),
        {"hallucination_rate": 1},
        {"erasure_rate", "psd_anisotropy_db", "lattice_peak_db", "signal_slope_40_20"},
    ),
    "contrast weaker": (
        weaker,
        (0.3, 0.6),
        {"contrast_error_db": -1, "particle_snr_error_db": -1, "signal_slope_40_20": -1},
        {"acf_rmse", "lattice_peak_db", "low_frequency_db", "variance_map_db"},
    ),
    "checkerboard": (
        checkerboard,
        (0.2, 0.4),
        {"lattice_peak_db": 1, "acf_rmse": 1},
        {"lattice_dip_db", "psd_anisotropy_db", "low_frequency_db", "variance_map_db"},
    ),
    "uneven noise": (
        uneven,
        (1.5, 3.0),
        {"variance_map_db": 1, "kurtosis_error": 1},
        {"psd_anisotropy_db", "lattice_peak_db", "acf_rmse"},
    ),
    "signal-dependent noise": (
        shot_noise,
        (0.5, 1.0),
        {"variance_slope_error": 1, "variance_correlation_error": 1, "skew_error": 1},
        {"psd_anisotropy_db", "lattice_peak_db", "acf_rmse"},
    ),
    "skewed noise": (
        skewed,
        (0.1, 0.2),
        {"skew_error": 1, "histogram_w1": 1},
        {"psd_anisotropy_db", "lattice_peak_db", "low_frequency_db"},
    ),
}
USED = {name for _, _, seeing, blind in CASES.values() for name in (*seeing, *blind)}


@pytest.fixture(scope="module")
def bench():
    """The card, its real side, the parts of the generated one, floor and detectable changes."""
    sides = [[Made(1000 * k + i) for i in range(N)] for k in (1, 2, 3)]
    training, real, made = ([each.field() for each in side] for side in sides)
    images, centres = [f.image for f in training], [f.centres_px for f in training]
    found = Detectability.fit(images, centres, DIAMETER)
    clean = [f.clean for f in made], [f.centres_px for f in made]
    calibration = Calibration.fit(found, (images, centres), clean)
    scattering = ScatteringExtractor(64)
    learnt = Learnt(found, calibration, training_features(scattering, training, 64, 4), "", "")
    protocol = NoiseProtocol(crops_per_micrograph=4, particle_diameter_A=DIAMETER * PIXEL_SIZE_A)
    card = standard_card(protocol, learnt, scattering).only(USED)
    described = card.describe(real, "real")
    other = card.describe(made, "generated")
    return (
        card,
        described,
        sides[2],
        values(card, described, other),
        spreads(card, described, other),
    )


def values(card, real, made):
    """Figures without intervals."""
    found = {}
    for measure, a, b in zip(card.measures, real.statistics, made.statistics, strict=True):
        found |= measure.compare(a, b)
    return found


def spreads(card, real, made):
    """Standard deviations under exchange, and for what takes no real ones over left-out ones."""
    tests = card.exchanged(real, made, 49, 0, list(card.figures))
    found = {name: stdev(test.null) for name, test in tests.items()}
    for measure, parts in zip(card.measures, made.statistics, strict=True):
        if "real" not in measure.sides:
            left = [measure.compare([], parts[:i] + parts[i + 1 :]) for i in range(N)]
            for name in left[0]:  # jackknife
                found[name] = (N - 1) / N**0.5 * stdev(each[name] for each in left)
    return found


def only(card, real, names):
    """The card of some figures and its real side."""
    some = card.only(names)
    pairs = zip(card.measures, real.statistics, strict=True)
    return some, replace(real, statistics=tuple(x for m, x in pairs if m in some.measures))


@pytest.mark.parametrize("name", CASES)
def test_a_fault_is_seen_by_what_is_meant_for_it_and_not_by_others(bench, name):
    card, real, made, floor, spread = bench
    fault, strengths, seeing, blind = CASES[name]
    some, kept = only(card, real, {*seeing, *blind})
    found = [
        values(some, kept, some.describe([fault(each, strength) for each in made], "generated"))
        for strength in strengths
    ]
    change = {
        figure: [(f[figure] - floor[figure]) / (DETECTABLE * spread[figure]) for f in found]
        for figure in {*seeing, *blind}
    }
    for figure, sign in seeing.items():
        first, second = (sign * x for x in change[figure])
        assert 0 < first < second, figure
        assert second >= 1, figure
    for figure in blind:
        assert abs(change[figure][1]) < 1, figure


def test_gain_and_offset_are_no_fault(bench):
    card, real, made, floor, spread = bench
    names = {"acf_rmse", "skew_error", "psd_background_db", "signal_slope_40_20"}
    some, kept = only(card, real, names)
    other = some.describe([each.field(4 * whole(each) + 30) for each in made], "generated")
    for figure, value in values(some, kept, other).items():
        assert value == pytest.approx(floor[figure], abs=0.01 * spread[figure]), figure
