import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.imaging.camera import Camera
from cryoccd.imaging.camera_presets import preset
from cryoccd.imaging.gain import PatternConfig, fixed_pattern

CPU = torch.device("cpu")


def flat(pattern, seed=0, side=96, dose=1e4, binning=1):
    camera = Camera(preset("ideal"), binning, pattern)
    image = camera.expose(torch.full((side, side), dose), torch.Generator().manual_seed(seed))
    return image / dose


def test_gain_is_the_cameras_and_the_reference_removes_it():
    raw = [flat(PatternConfig(gain_rms=0.05, gain_corrected=False), s) for s in (0, 1)]
    assert float(raw[0].std()) == pytest.approx((0.05**2 + 1e-4) ** 0.5, rel=0.05)
    both = torch.stack([image.flatten() for image in raw])
    assert float(torch.corrcoef(both)[0, 1]) > 0.9
    assert float(flat(PatternConfig(gain_rms=0.05)).std()) == pytest.approx(0.01, rel=0.05)
    other = flat(PatternConfig(gain_rms=0.05, gain_corrected=False, seed=1))
    assert abs(float(torch.corrcoef(torch.stack([both[0], other.flatten()]))[0, 1])) < 0.05


def test_residue_of_the_reference_stays():
    image = flat(PatternConfig(gain_rms=0.05, gain_residue_rms=0.03))
    assert float(image.std()) == pytest.approx((0.03**2 + 1e-4) ** 0.5, rel=0.05)
    assert float(image.mean()) == pytest.approx(1, abs=0.005)


def test_defects_show_where_they_are_left():
    config = PatternConfig(
        dead_fraction=0.02, hot_fraction=0.01, hot_factor=8, defects_corrected=False
    )
    pattern, image = fixed_pattern(config, (96, 96), CPU), flat(config)
    assert float(pattern.dead.float().mean()) == pytest.approx(0.02, rel=0.3)
    assert float(pattern.hot.float().mean()) == pytest.approx(0.01, rel=0.4)
    assert float(image[pattern.dead].abs().max()) == 0
    assert float(image[pattern.hot].mean()) == pytest.approx(9, rel=0.01)
    good = ~(pattern.dead | pattern.hot)
    assert torch.equal(image[good], flat(PatternConfig())[good])


def test_corrected_defects_are_the_mean_of_their_good_neighbours():
    config = PatternConfig(dead_fraction=0.1, hot_fraction=0.1)
    pattern, image = fixed_pattern(config, (96, 96), CPU), flat(config)
    defects = pattern.dead | pattern.hot
    assert float((image - 1).abs().max()) < 0.06  # six sigma of the shot noise
    for y, x in defects.nonzero()[:50].tolist():
        window = slice(max(y - 1, 0), y + 2), slice(max(x - 1, 0), x + 2)
        good = ~defects[window]
        if good.any():
            assert float(image[y, x]) == pytest.approx(float(image[window][good].mean()), rel=1e-5)


def test_a_defect_without_good_neighbours_gets_the_mean():
    pattern = fixed_pattern(PatternConfig(dead_fraction=0.1), (96, 96), CPU)
    block = torch.zeros(96, 96, dtype=torch.bool)
    block[40:43, 40:43] = True
    image = torch.full((96, 96), 5.0)
    image[41, 41] = 0
    type(pattern)(torch.ones(96, 96), block, ~block & block).imprint(image, PatternConfig())
    assert float(image[41, 41]) == pytest.approx(5, rel=1e-3)


def test_pattern_lies_on_the_physical_pixels():
    config = PatternConfig(gain_rms=0.05, gain_corrected=False)
    binned = flat(config, binning=2)
    assert binned.shape == (96, 96)
    assert float(binned.mean()) == pytest.approx(1, abs=2e-3)
    # the mean over 4 physical pixels halves it
    assert float(binned.std()) == pytest.approx((0.025**2 + 1e-4) ** 0.5, rel=0.05)


def test_the_border_carries_no_pattern():
    config = PatternConfig(dead_fraction=0.05, defects_corrected=False)
    camera = Camera(preset("ideal"), 1, config)
    expected = torch.full((96, 96), 100.0)
    image = camera.expose(expected, torch.Generator().manual_seed(0), border_px=16)
    dead = fixed_pattern(config, (64, 64), CPU).dead
    assert torch.equal(image[16:-16, 16:-16] == 0, dead)
    assert (image[:16] > 0).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"gain_rms": -0.1}, "gain_rms = -0.1"),
        ({"gain_residue_rms": 2}, "gain_residue_rms = 2"),
        ({"dead_fraction": 0.5}, "dead_fraction = 0.5.*fraction of the pixels"),
        ({"hot_fraction": float("nan")}, "hot_fraction"),
        ({"hot_factor": -1}, "hot_factor"),
        ({"gain_residue_rms": 0.01, "gain_corrected": False}, "no reference, no residue"),
    ],
)
def test_impossible_patterns_are_refused(wrong, message):
    with pytest.raises(CryoccdError, match=message):
        PatternConfig(**wrong)
