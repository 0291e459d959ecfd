from math import exp

import pytest
import torch
from scipy.integrate import quad

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_average
from cryoccd.imaging.camera import Camera
from cryoccd.imaging.camera_presets import preset
from cryoccd.imaging.dose import DoseConfig
from cryoccd.imaging.gain import PatternConfig
from cryoccd.imaging.motion import MotionConfig
from cryoccd.imaging.observe import least_border_px, observe
from cryoccd.records import Optics

OPTICS = Optics(300, 2.7, 0.1, 1.5, 15000, 15000)
IDEAL, COUNTING = Camera(preset("ideal")), Camera(preset("counting"))


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def look(contrast, border=0, seed=0, dose=None, motion=None, camera=IDEAL, **given):
    fields = dict.fromkeys(("transmission", "ice_contrast", "loss"))
    return observe(
        contrast,
        border,
        optics=OPTICS,
        dose=dose or DoseConfig(),
        motion=motion,
        camera=camera,
        generator=seeded(seed),
        **{**fields, **given},
    )


def spot(shape, x, y, sigma=3.0):
    rows, columns = torch.arange(shape[0])[:, None], torch.arange(shape[1])
    return torch.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * sigma**2))


def test_an_empty_field_has_the_dose_in_electrons_a_pixel():
    image = look(torch.zeros(288, 288), 16, camera=COUNTING).image
    assert image.shape == (256, 256)
    assert float(image.mean()) == pytest.approx(40 * 1.5**2, rel=2e-3)


def test_ice_losses_and_diffuse_electrons_add_up():
    ones = torch.ones(128, 128)
    image = look(
        torch.zeros(160, 160),
        16,
        transmission=0.7 * ones,
        loss=0.5 * ones,
        diffuse=0.2 * ones,
        ice_contrast=0.1 * ones,
    ).image
    expected = 90 * exp(-0.5) * (0.7 * 1.1 + 0.2)
    assert float(image.mean()) == pytest.approx(expected, rel=4e-3)


def test_dark_beyond_black_is_black():
    result = look(torch.full((64, 64), -2.0))
    assert float(result.image.abs().max()) < 1e-3


@pytest.mark.parametrize("cycles", [4, 24, 90])
def test_the_signal_fades_with_the_critical_dose(cycles):
    side = 192
    k_per_A = cycles / (side * 1.5)
    critical = 0.245 * k_per_A**-1.665 + 2.81
    mean = quad(lambda n: exp(-n / (2 * critical)), 10, 60)[0] / 50
    wave = torch.cos(2 * torch.pi * cycles * torch.arange(side) / side).expand(side, side)
    dose = DoseConfig(50, pre_exposure_e_per_A2=10)
    clean = look(0.1 * wave, dose=dose).clean
    assert 2 * float(((clean - 1) * wave).mean()) / 0.1 == pytest.approx(mean, abs=2e-4)
    assert torch.allclose(look(0.1 * wave, dose=DoseConfig(damage=False)).clean, 1 + 0.1 * wave)


def test_frames_sum_to_the_image_that_is_made_at_once():
    """Mean and variance of both ways: motion in the mean alone, since its draw is the seed's."""
    contrast = 0.4 * spot((48, 48), 24, 20) - 0.5 * spot((48, 48), 16, 30, 5)
    ice = 0.2 * torch.randn(48, 48, generator=seeded(9))
    motion = MotionConfig(total_A=6, corrected=False, jitter_A=0)
    dose = DoseConfig(4, frames=3)
    given = {"dose": dose, "motion": motion, "camera": COUNTING, "ice_contrast": ice}

    clean = [look(contrast, 6, 3, movies=movies, **given).clean for movies in (False, True)]
    assert torch.allclose(clean[0], clean[1], atol=1e-5)

    still = {**given, "motion": None}
    at_once, by_frames = (
        torch.stack(
            [look(contrast, 6, s, movies=m, **still).image for s in range(start, start + 400)]
        )
        for m, start in ((False, 0), (True, 1000))
    )
    noise = float(at_once.var(0).mean())
    rest = (at_once.mean(0) - by_frames.mean(0)) / (2 * noise / 400) ** 0.5
    assert float(rest.std()) == pytest.approx(1, abs=0.1)
    assert float(by_frames.var(0).mean()) == pytest.approx(noise, rel=0.02)
    spread = torch.corrcoef(torch.stack([at_once.var(0).flatten(), by_frames.var(0).flatten()]))
    assert float(spread[0, 1]) > 0.1  # variance follows the intensity in both


def test_frames_share_the_electrons_and_sum_to_the_image():
    result = look(torch.zeros(64, 64), dose=DoseConfig(40, frames=5), movies=True)
    assert result.frames.shape == (5, 64, 64)
    assert result.frames.mean((1, 2)).tolist() == pytest.approx([18.0] * 5, rel=0.02)
    assert torch.allclose(result.frames.sum(0), result.image, atol=1e-3)
    assert look(torch.zeros(64, 64)).frames is None


def test_one_frame_blurs_like_many():
    contrast = 0.3 * spot((96, 96), 48, 48, 1.5)
    motion = MotionConfig(total_A=15, jitter_A=0, corrected=False)
    one, many = (
        look(contrast, 16, dose=DoseConfig(40, frames=n), motion=motion).clean for n in (1, 64)
    )
    still = look(contrast, 16).clean
    assert float((one - many).abs().max()) < 0.02 * float((still - one).abs().max())


def test_dose_weighting_keeps_the_noise_and_raises_the_signal():
    side, cycles = 96, 36
    wave = torch.cos(2 * torch.pi * cycles * torch.arange(side) / side).expand(side, side)
    plain, weighted = (DoseConfig(60, frames=6, dose_weighting=w) for w in (False, True))
    flat = torch.zeros(side, side)

    def rings(dose):
        noise = torch.stack(
            [look(flat, seed=s, dose=dose, camera=COUNTING).image for s in range(24)]
        )
        assert float(noise.mean()) == pytest.approx(135, rel=1e-3)
        return radial_average(torch.fft.fft2(noise - 135).abs() ** 2).mean(0)

    bands = (rings(weighted) / rings(plain))[3:48].view(5, 9).mean(1)
    assert float((bands - 1).abs().max()) < 0.06

    def amplitude(dose):
        return 2 * float(((look(0.2 * wave, dose=dose).clean - 1) * wave).mean()) / 0.2

    critical = 0.245 * (cycles / (side * 1.5)) ** -1.665 + 2.81
    left = torch.tensor(
        [quad(lambda n: exp(-n / (2 * critical)), 10 * f, 10 * f + 10)[0] / 10 for f in range(6)]
    )
    assert amplitude(plain) == pytest.approx(float(left.mean()), rel=1e-3)
    best = float((left.square().sum() / 6).sqrt())
    assert amplitude(weighted) == pytest.approx(best, rel=1e-3)
    assert best > 1.25 * float(left.mean())


@pytest.mark.parametrize("weighted", [False, True])
def test_image_of_frames_is_what_its_clean_field_promises(weighted):
    side, cycles = 96, 36
    wave = torch.cos(2 * torch.pi * cycles * torch.arange(side) / side).expand(side, side)
    given = {"dose": DoseConfig(60, frames=6, dose_weighting=weighted), "movies": True}
    clean = look(0.2 * wave, **given).clean
    promised = 2 * float(((clean - 1) * wave).mean())
    image = torch.stack([look(0.2 * wave, seed=s, **given).image for s in range(16)]).mean(0)
    # standard error of the amplitude: (2 / 135 / 16) ** 0.5 / 96 = 0.0003
    assert 2 * float((image * wave).mean()) / 135 == pytest.approx(promised, abs=0.0012)
    assert promised > 0.03


@pytest.mark.parametrize("corrected", [False, True])
def test_labels_stay_true_under_motion(corrected):
    contrast = spot((160, 160), 83.0, 77.0)
    motion = MotionConfig(total_A=30, jitter_A=1, residual_A=1, corrected=corrected)
    border = least_border_px(motion, 1.5)
    field = torch.nn.functional.pad(contrast, [border] * 4)
    dose = DoseConfig(40, frames=8, damage=False)
    clean = look(field, border, dose=dose, motion=motion).clean - 1
    columns, rows = torch.arange(160.0), torch.arange(160.0)
    assert float((clean.sum(0) * columns).sum() / clean.sum()) == pytest.approx(83, abs=0.02)
    assert float((clean.sum(1) * rows).sum() / clean.sum()) == pytest.approx(77, abs=0.02)
    assert float(clean.max()) < (0.75 if not corrected else 0.99)  # it did move


def test_motion_wraps_nothing_into_the_view():
    motion = MotionConfig(total_A=24, jitter_A=0, corrected=False)
    border = least_border_px(motion, 1.5)
    wide = torch.zeros(64 + 2 * border, 64 + 2 * border)
    wide[:, -4:] = 1.0  # the far end of the border
    assert float((look(wide, border, motion=motion).clean - 1).abs().max()) < 0.02
    with pytest.raises(CryoccdError, match=r"motion: total_A = 24.*border of 2 px"):
        look(wide, 2, motion=motion)


def test_same_seed_same_bytes():
    camera = Camera(preset("counting"), 2, PatternConfig(gain_residue_rms=0.01))
    contrast = 0.1 * spot((96, 96), 40, 50)
    given = {"motion": MotionConfig(total_A=5), "camera": camera, "dose": DoseConfig(40, frames=4)}
    first, again = (look(contrast, 16, 7, **given).image for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, look(contrast, 16, 8, **given).image)
    assert first.dtype == torch.float32


def test_maps_of_another_size_are_refused():
    with pytest.raises(CryoccdError, match=r"transmission \(30, 32\), expected \(32, 32\)"):
        look(torch.zeros(48, 48), 8, transmission=torch.ones(30, 32))
