"""What is measured of tomograms: the background between particles, boxes, slab, crowding."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from cryoccd.data.subtomograms.table import particle_table
from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import write_mrc
from cryoccd.io.tomograms import open_tomograms
from cryoccd.methods.generation.background import find_background
from cryoccd.methods.generation.extents import class_diameters_A
from cryoccd.methods.generation.surroundings import measure
from cryoccd.records import Volume
from cryoccd.specimen.species import diameter_A

SHAPE, SIDE = (36, 60, 64), 12
RADIUS, DEPTH_SD = 4.0, (0.8, 0.0, 1.6)  # of the smoothing along z, y, x
MEANS, DEVIATIONS = (3.0, -50.0), (2.0, 0.5)


def particles(number: int) -> np.ndarray:
    """(n, 3) voxels x, y, z within slices 10 to 25."""
    rng = np.random.default_rng(number)
    return rng.integers([8, 8, 10], [56, 52, 26], (25, 3))


def ball(power: float) -> np.ndarray:
    z, y, x = np.indices((SIDE,) * 3) - SIDE // 2
    return power * (x**2 + y**2 + z**2 <= 9)


def write_folder(root: Path) -> Path:
    """Two tomograms of other mean and strength; balls of 10 deviations in noise of a spectrum."""
    lines = ["tomogram,label,x,y,z"]
    for number, (mean, deviation) in enumerate(zip(MEANS, DEVIATIONS, strict=True)):
        noise = np.random.default_rng(50 + number).normal(size=(60, 84, 88))
        field = gaussian_filter(noise, DEPTH_SD)[12:48, 12:72, 12:76]
        field = (field - field.mean()) / field.std()
        for x, y, z in particles(number):
            low = z - SIDE // 2, y - SIDE // 2, x - SIDE // 2
            cut = tuple(slice(c, c + SIDE) for c in low)
            field[cut] += ball(10)
            lines.append(f"t{number},{'big' if x % 2 else 'small'},{x},{y},{z}")
        values = (mean + deviation * field).astype(np.float32)
        write_mrc(root / "tomograms" / f"t{number}.mrc", values, 10.0, "test")
    (root / "picks.csv").write_text("\n".join(lines))
    return root


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    source = open_tomograms(write_folder(tmp_path_factory.mktemp("surroundings")))
    table = particle_table(source)
    return measure(source, table, {0: RADIUS, 1: RADIUS}, SIDE), table, source


def test_the_background_is_that_between_the_particles(found):
    around, _, _ = found
    assert around.mean == pytest.approx(np.mean(MEANS), abs=0.3)
    assert around.deviation == pytest.approx(np.mean(DEVIATIONS), rel=0.03)
    lags = around.autocorrelation
    assert lags.shape == (2 * SIDE,) * 3
    assert float(lags[0, 0, 0]) == pytest.approx(1, abs=0.04)
    hann = np.hanning(SIDE + 1)[:-1]
    window = np.correlate(hann, hann, "full")[SIDE - 1 :] / (hann**2).sum()
    for axis, sd in enumerate(DEPTH_SD):
        for lag in (1, 2, 3):
            # a Gaussian of deviation s smooths to exp(-u^2 / 4 s^2), less what the window takes
            known = window[lag] * np.exp(-(lag**2) / (4 * sd**2)) if sd else 0.0
            place = tuple(lag if a == axis else 0 for a in range(3))
            assert float(lags[place]) == pytest.approx(known, abs=0.04)


def test_boxes_are_told_over_the_background(found):
    around, table, source = found
    voxels = {n: t.open().block((0, 0, 0), t.shape) for n, t in enumerate(source.tomograms)}
    for label in (0, 1):
        means, deviations = [], []
        for row in np.flatnonzero(table.label == label):
            x, y, z = table.centres_px[row] - SIDE // 2
            number = table.tomogram[row]
            box = voxels[number][z : z + SIDE, y : y + SIDE, x : x + SIDE].astype(float)
            means.append((box.mean() - MEANS[number]) / DEVIATIONS[number])
            deviations.append(box.std() / DEVIATIONS[number])
        scale = around.scales[label]
        assert scale.mean == pytest.approx(np.mean(means), rel=0.02, abs=0.05)
        assert scale.deviation == pytest.approx(np.mean(deviations), rel=0.02)
        assert scale.deviation > 1.5


def test_slab_and_crowding_are_those_of_the_picks(found):
    around, table, _ = found
    depths = table.xyz_px[:, 2]
    assert around.slab == pytest.approx([(z + 0.5) / 36 for z in (depths.min(), depths.max())])
    rng = np.random.default_rng(0)
    counts = around.counts([0, 1], None, SHAPE, rng)
    assert sum(counts.values()) == 25
    wide = around.counts([0, 1], None, (36, 120, 64), rng)
    assert sum(wide.values()) == 50
    many = around.counts([0, 1], 20000, SHAPE, rng)
    share = np.mean(table.label == 0)
    assert many[0] / 20000 == pytest.approx(share, abs=0.02)
    assert around.counts([1], 7, SHAPE, rng) == {1: 7}
    assert around.counts([0, 1], 0, SHAPE, rng) == {0: 0, 1: 0}


def test_too_little_background_is_refused(found):
    _, table, source = found
    with pytest.raises(CryoccdError, match="voxels of t0 lie between its particles"):
        measure(source, table, {0: 40.0, 1: 40.0}, SIDE)
    with pytest.raises(CryoccdError, match="cubes of 36 voxels are mostly background, expected 8"):
        measure(source, table, {0: 9.0, 1: 9.0}, 36)


def test_beads_that_nobody_picked_are_no_background():
    rng = np.random.default_rng(0)
    values = rng.normal(2.0, 0.5, (30, 40, 50)).astype(np.float32)
    plain = find_background("a", values, np.empty((0, 3)), np.empty(0))
    assert (plain.mean, plain.deviation) == pytest.approx((2.0, 0.5), abs=0.01)
    assert plain.weight.min() == 1
    values[10:14, 20:24, 30:34] = 60.0
    kept = find_background("a", values, np.empty((0, 3)), np.empty(0))
    assert (kept.mean, kept.deviation) == pytest.approx((2.0, 0.5), abs=0.01)
    assert kept.weight[7:17, 17:27, 27:37].max() == 0
    assert (kept.weight == 1).mean() > 0.7
    cubes = list(kept.cubes(10))
    assert cubes[0][1].min() == 1  # the freest come first
    assert np.abs(np.diff(kept.weight[12, 22])).max() < 0.5  # soft
    with pytest.raises(CryoccdError, match="background: a is constant between its particles"):
        find_background("a", np.ones((20, 20, 20), np.float32), np.empty((0, 3)), np.empty(0))


def test_diameters_are_those_of_the_maps_or_told(tmp_path, found):
    _, _, source = found
    with pytest.raises(CryoccdError, match="no map of big to measure it; give --diameter big="):
        class_diameters_A(source, ["big"], {})
    with pytest.raises(CryoccdError, match="diameter: cat is no class, expected big, small"):
        class_diameters_A(source, ["big", "small"], {"cat": 100})
    with pytest.raises(CryoccdError, match="big = 'wide', expected a number"):
        class_diameters_A(source, ["big"], {"big": "wide"})
    with pytest.raises(CryoccdError, match="diameter of big = -3, expected 1 to"):
        class_diameters_A(source, ["big"], {"big": -3})
    root = write_folder(tmp_path / "with")
    small, large = ball(1.0), ball(1.0)
    large[2, 6, 6] = 3.0
    for name, values in {"big": small, "big-1": large, "big-b": large * 0 + 1}.items():
        write_mrc(root / "maps" / f"{name}.mrc", values.astype(np.float32), 10.0, "test")
    known = class_diameters_A(open_tomograms(root), ["big", "small"], {"small": 60})
    expected = diameter_A(Volume(torch.from_numpy(large).float(), 10.0))
    assert known == {"small": 60.0, "big": pytest.approx(expected)}
