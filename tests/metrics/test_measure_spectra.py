from math import isnan

import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_average, radial_frequency
from cryoccd.imaging.background import background_mask
from cryoccd.imaging.masked_psd import random_field
from cryoccd.metrics.measure import Field
from cryoccd.metrics.spectral.areas import area_lacks, area_mask
from cryoccd.metrics.spectral.spectra import SpectrumError, fitting_tile_px
from cryoccd.metrics.spectral.spectrum import particle_mask, ring_power, spectrum_error_db
from cryoccd.metrics.spectral.tile_power import tile_power

SIDE, PIXEL_A, DIAMETER_A = 256, 4.0, 160.0
CENTRES = torch.tensor([[x, y] for x in (40.0, 128.0, 216.0) for y in (40.0, 128.0, 216.0)])
EVERYWHERE = torch.ones(SIDE, SIDE, dtype=torch.bool)
AREAS = ("background", "particle", "whole")


def coloured(seed, decibels=None, pixel_A=PIXEL_A):
    """A field of white noise, or of power 10^(decibels / 10), with picks."""
    power = torch.ones(SIDE, SIDE) if decibels is None else 10 ** (decibels / 10)
    image = random_field(power, torch.Generator().manual_seed(seed))
    return Field(image, pixel_A, CENTRES, DIAMETER_A)


def figures(measure, real, made):
    return measure.compare(*([measure.describe(f) for f in side] for side in (real, made)))


def test_each_area_gives_the_error_of_its_mask():
    real = [coloured(i) for i in range(3)]
    made = [coloured(i, 20 * radial_frequency((SIDE, SIDE)).double()) for i in range(3, 6)]
    masks = {
        "background": background_mask,
        "particle": particle_mask,
        "whole": lambda *_: EVERYWHERE,
    }
    for area, mask_of in masks.items():
        sides = (
            [ring_power(f.image, mask_of(f.image, CENTRES, 40.0), 128) for f in side]
            for side in (real, made)
        )
        got = figures(SpectrumError(area), real, made)
        assert got[f"psd_{area}_db"] == spectrum_error_db(*sides)
        assert set(got) == {figure.name for figure in SpectrumError(area).figures}


def test_a_fault_in_one_band_is_seen_in_that_band_with_its_size():
    resolution_A = PIXEL_A / radial_frequency((SIDE, SIDE)).double().clamp_min(1e-9)
    ends = {"200_40": (400, 44), "40_20": (37, 22), "20_10": (18.5, 10.5), "10": (9.7, 1)}
    real = [coloured(i) for i in range(6)]
    for band, (coarse, fine) in ends.items():
        inside = (resolution_A < coarse) & (resolution_A > fine)
        seen = []
        for size in (0.0, 3.0, 6.0):
            made = [coloured(i, size * inside) for i in range(6)]  # the same noise but for it
            got = figures(SpectrumError("whole"), real, made)
            seen.append(got[f"psd_whole_{band}_db"])
            others = [got[f"psd_whole_{b}_db"] for b in ends if b != band]
            assert max(others) < 0.12 * size + 1e-9
        assert seen[0] == 0  # below, the rings at the edges have a part of the fault
        assert 0.7 * 3 < seen[1] < 3.05
        assert 0.7 * 6 < seen[2] < 6.05


def test_two_draws_of_one_process_stay_at_the_floor():
    slope = -30 * radial_frequency((SIDE, SIDE)).double()
    real, made = ([coloured(i, slope) for i in range(k, k + 6)] for k in (0, 6))
    for area in AREAS:
        got = figures(SpectrumError(area, 64), real, made)
        assert 0 < got[f"psd_{area}_db"] < 0.4


def test_bands_without_a_ring_are_undefined_and_the_others_make_up_the_whole():
    def bands(pixel_A):
        real, made = ([coloured(k, pixel_A=pixel_A)] for k in (0, 1))
        got = figures(SpectrumError("whole"), real, made)
        return got.pop("psd_whole_db"), list(got.values())

    whole, at_8 = bands(8.0)  # 0.9 Nyquist is at 18 A
    assert [isnan(x) for x in at_8] == [False, False, False, True]
    ring = torch.arange(4, 58)
    counts = [int(((1024 / ring <= a) & (1024 / ring > b)).sum()) for a, b in ((200, 40), (40, 20))]
    inside = 1024 / 200
    outermost = int((ring < inside).sum())
    assert outermost == 2  # the rings beyond 200 A count in the whole alone
    assert sum(counts) + outermost + int((1024 / ring <= 20).sum()) == len(ring)
    assert [isnan(x) for x in bands(1.0)[1]] == [True, False, False, False]  # ring 4 is at 32 A
    assert whole > 0


def test_an_area_that_no_micrograph_has_is_undefined():
    none = Field(coloured(0).image, PIXEL_A, torch.zeros(0, 2), DIAMETER_A)
    got = figures(SpectrumError("particle"), [none], [coloured(1)])
    assert all(isnan(x) for x in got.values())


def test_only_the_whole_needs_no_picks():
    bare = Field(coloured(0).image, PIXEL_A)
    undiameter = Field(bare.image, PIXEL_A, CENTRES)
    assert SpectrumError("whole").lacks(bare) == ""
    assert figures(SpectrumError("whole"), [bare], [bare])["psd_whole_db"] == 0
    for area in ("background", "particle"):
        assert SpectrumError(area).lacks(coloured(0)) == ""
        assert area_lacks(bare, area).startswith("picks")
        assert SpectrumError(area).lacks(undiameter) == "the particle diameter"
        with pytest.raises(CryoccdError, match="lacks picks"):
            area_mask(bare, area)


def test_order_does_not_matter():
    measure = SpectrumError("background")
    real, made = ([measure.describe(coloured(i)) for i in range(k, k + 4)] for k in (0, 4))
    assert measure.compare(real[::-1], made[::-1]) == pytest.approx(measure.compare(real, made))


def test_a_tile_fits_the_smallest_micrograph():
    assert fitting_tile_px([(4096, 4096), (512, 256)], 128) == 128
    assert fitting_tile_px([(4096, 4096), (512, 101)], 128) == 100
    with pytest.raises(CryoccdError, match="300 px, expected 16 to"):
        SpectrumError("whole", 300).describe(coloured(0))


def test_tile_power_has_the_power_of_the_rings():
    field = coloured(0)
    mask = area_mask(field, "background")
    rings = ring_power(field.image, mask, 64)
    power = tile_power(field.image, mask, 64)
    expected = (rings.power / rings.weight).to(power)
    torch.testing.assert_close(radial_average(power)[4:29], expected)
    assert bool(tile_power(field.image, ~EVERYWHERE, 64).isnan().all())
    with pytest.raises(CryoccdError, match="300 px, expected 16 to"):
        tile_power(field.image, mask, 300)
