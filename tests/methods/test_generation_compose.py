"""Composed tomograms: labels exact, units those of the source, refusals, resumption."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from blob_generator import VOXEL_A, BackgroundGenerator, BlobGenerator, fitted, write_checkpoint
from scipy.ndimage import gaussian_filter
from scipy.spatial.distance import cdist
from tomogram_folders import CLASSES, SHAPE, density_of, write_dataset

from cryoccd.errors import CryoccdError
from cryoccd.io.dataset import TomogramSet
from cryoccd.io.tomograms import open_tomograms
from cryoccd.methods.generation import Arrangement, BlendOptions, compose_tomograms
from cryoccd.methods.generation.composer import Composer
from cryoccd.methods.generation.placing import Placed, place_at_random
from cryoccd.methods.generation.surroundings import Scale, Surroundings

DIAMETERS_A = {"bar": 60.0, "hook": 80.0}
WIDE = (24, 70, 80)


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    return write_dataset(tmp_path_factory.mktemp("source") / "set", count=3).root


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("fit"))


def composed(root, checkpoint, output, model=None, **chosen) -> TomogramSet:
    where = {k: chosen.pop(k) for k in ("shape", "count", "particles", "picks") if k in chosen}
    keys = ("diameters_A", "margin_A", "rim_A", "density", "batch_size")
    how = {"diameters_A": DIAMETERS_A, "margin_A": 5.0, "rim_A": 40.0}
    how |= {k: chosen.pop(k) for k in keys if k in chosen}
    labels = chosen.pop("labels", [0, 1])
    compose_tomograms(
        model or fitted(BlobGenerator()),
        checkpoint,
        chosen.pop("source", None) or open_tomograms(root),
        output,
        labels,
        Arrangement(**where),
        BlendOptions(**how),
        **chosen,
    )
    return TomogramSet(output)


def write_picks(path: Path, rows: list[tuple]) -> Path:
    lines = [",".join(map(str, row)) for row in rows]
    path.write_text("\n".join(["tomogram,label,x,y,z", *lines]))
    return path


def files(root: Path) -> dict[str, bytes]:
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in root.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def made(root, checkpoint, tmp_path_factory) -> TomogramSet:
    output = tmp_path_factory.mktemp("composed") / "set"
    return composed(root, checkpoint, output, shape=WIDE, count=2, particles=12, seed=3)


def test_it_is_read_like_a_simulated_set(made, root):
    source = open_tomograms(made.root)
    assert source.kind == "dataset"
    assert source.names == ["composed_00000", "composed_00001"]
    assert [t.shape for t in source.tomograms] == [WIDE] * 2
    assert source.voxel_size_A == pytest.approx(VOXEL_A)
    assert len(source.particles) == 24
    assert set(source.particles["label"]) == set(CLASSES)
    assert source.particles["rot_deg"].isna().all()  # the model was told no pose
    assert set(source.maps) == set(CLASSES)
    header = (made.root / "tomograms/composed_00000.mrc").read_bytes()[:1024]
    assert b"SYNTHETIC cryoccd" in header
    made_by = made.manifest["made_by"]
    assert made_by["evaluations"] == 7
    assert made_by["diameters_A"] == DIAMETERS_A
    assert len(made_by["checkpoint_sha256"]) == 64


def test_particles_are_where_the_labels_say(made):
    source = open_tomograms(made.root)
    for name in source.names:
        volume = made.volume(name)
        found = gaussian_filter(volume, 1.4)  # correlation with a ball
        own = source.particles[source.particles["tomogram"] == name]
        places = np.rint(own[["z_A", "y_A", "x_A"]].to_numpy() / VOXEL_A).astype(int)
        inner = [p for p in places if ((p >= 4) & (p < np.array(WIDE) - 4)).all()]
        assert len(inner) > 4
        for place in inner:
            low = np.maximum(place - 2, 0)
            cut = found[tuple(slice(a, b + 3) for a, b in zip(low, place, strict=True))]
            peak = np.unravel_index(cut.argmin(), cut.shape) + low
            assert peak.tolist() == place.tolist()
        apart = cdist(places, places)
        diameters = own["label"].map(DIAMETERS_A).to_numpy() / VOXEL_A
        hard = (diameters[:, None] + diameters) / 2
        assert (apart >= hard - 1e-6)[~np.eye(len(own), dtype=bool)].all()


def test_two_tomograms_share_no_noise_and_seeds_differ(made, root, checkpoint, tmp_path):
    one, two = (made.volume(name) for name in made.names)
    assert abs(np.corrcoef(one.ravel(), two.ravel())[0, 1]) < 0.1
    other = composed(root, checkpoint, tmp_path / "a", shape=WIDE, particles=12, seed=4)
    assert abs(np.corrcoef(one.ravel(), other.volume("composed_00000").ravel())[0, 1]) < 0.1
    again = composed(root, checkpoint, tmp_path / "b", shape=WIDE, particles=12, seed=3)
    assert np.abs(again.volume("composed_00000") - one).max() == 0  # alone as in a set


def test_the_background_has_the_units_of_the_source(root, checkpoint, tmp_path):
    empty = composed(root, checkpoint, tmp_path / "set", particles=0, shape=(24, 60, 60))
    volume = empty.volume("composed_00000")
    assert volume.mean() == pytest.approx(0, abs=0.01)
    assert volume.std() == pytest.approx(0.05, rel=0.15)  # of tomogram_folders
    assert len(empty.particles) == 0
    usual = composed(root, checkpoint, tmp_path / "usual")
    assert usual.volume("composed_00000").shape == SHAPE
    assert len(usual.particles) == 6  # as many as in each of the source


def test_boxes_of_pure_background_change_nothing():
    """With a generator of background alone, a crowded tomogram is as an empty one."""
    u = torch.fft.fftfreq(12, 1 / 12, dtype=torch.float64)
    fall = torch.exp(-(u**2) / 4) * (u.abs() < 6)  # of a Gaussian of 1 voxel
    lags = fall[:, None, None] * fall[:, None] * fall
    around = Surroundings(lags, 5.0, 2.0, {0: Scale(0.0, 1.0)}, (0.2, 0.8), {0: 1e-3})
    composer = Composer(fitted(BackgroundGenerator(lags)), around, {0: 3.0}, 0.5, 6.0)
    places = np.array(list(product(range(5, 90, 9), range(5, 80, 9), (6, 17, 28))), np.float64)
    crowded = Placed(np.zeros(len(places), np.int64), places)
    empty = Placed(np.zeros(0, np.int64), np.zeros((0, 3)))
    shape = (36, 80, 90)
    full, none = (composer.compose(n, p, shape, 0) for n, p in (("a", crowded), ("b", empty)))
    assert (len(full.particles), len(none.particles)) == (270, 0)
    spread = [item.tomogram.std() for item in (full, none)]
    assert spread == pytest.approx([2.0, 2.0], rel=0.02)
    assert full.tomogram.mean() == pytest.approx(5.0, abs=0.05)
    for axis in range(3):
        for lag in (1, 2, 3):
            found = [_lag(item.tomogram, axis, lag) for item in (full, none)]
            # where 9 voxels part the particles, rims are short and every voxel is in one
            assert found[0] == pytest.approx(found[1], abs=0.06)
            assert found[1] == pytest.approx(float(fall[lag]), abs=0.03)


def _lag(volume: np.ndarray, axis: int, lag: int) -> float:
    moved = np.moveaxis((volume - volume.mean()) / volume.std(), axis, 0)
    return float((moved[:-lag] * moved[lag:]).mean())


def test_picks_and_their_order(root, checkpoint, tmp_path):
    rows = [("b", "hook", 20, 30, 12), ("a", "bar", 50, 40, 8), ("b", "bar", 60.3, 20.6, 14)]
    first = composed(
        root, checkpoint, tmp_path / "one", shape=WIDE, picks=write_picks(tmp_path / "1.csv", rows)
    )
    turned = write_picks(tmp_path / "2.csv", rows[::-1])
    second = composed(root, checkpoint, tmp_path / "two", shape=WIDE, picks=turned)
    assert first.names == second.names == ["a", "b"]
    for name in first.names:
        assert np.array_equal(first.volume(name), second.volume(name))
    source = open_tomograms(first.root).particles
    found = {
        (r.tomogram, r.label, round(r.x_A / 10, 3), round(r.y_A / 10, 3), round(r.z_A / 10, 3))
        for r in source.itertuples()
    }
    assert found == set(rows)


def test_poses_are_labels_where_the_model_is_told(root, checkpoint, tmp_path):
    model = fitted(BlobGenerator(noise=0.02))
    found = composed(
        root, checkpoint, tmp_path / "set", model, shape=WIDE, particles=8, density=True, rim_A=30.0
    )
    source = open_tomograms(found.root)
    own = source.particles
    assert own[["rot_deg", "tilt_deg", "psi_deg"]].notna().all(axis=None)
    assert all(density is not None for _, _, density in model.calls)
    volume = found.volume("composed_00000")
    angles = own[["rot_deg", "tilt_deg", "psi_deg"]].to_numpy()
    places = own[["x_A", "y_A", "z_A"]].to_numpy() / VOXEL_A
    z, y, x = np.indices(WIDE)
    for row in range(len(own)):
        near = sum((a - c) ** 2 for a, c in zip((x, y, z), places[row], strict=True)) < 3.5**2
        scores = [
            np.corrcoef(-volume[near], density_of([label], places[[row]], turn, WIDE)[near])[0, 1]
            for label in CLASSES
            for turn in (angles[[row]], angles[[row]] + [[0, 90, 0]])
        ]
        right = 2 * CLASSES.index(own["label"][row])
        assert scores[right] > 0.9
        assert max(scores[k] for k in range(4) if k != right) < scores[right]


def test_an_interrupted_run_goes_on_to_the_same_bytes(root, checkpoint, tmp_path):
    options = {"shape": WIDE, "count": 2, "particles": 5, "batch_size": 3}
    composed(root, checkpoint, tmp_path / "whole", **options)
    with pytest.raises(KeyboardInterrupt):
        composed(root, checkpoint, tmp_path / "set", fitted(BlobGenerator(fail_at=4)), **options)
    assert not (tmp_path / "set/manifest.json").exists()
    composed(root, checkpoint, tmp_path / "set", resume=True, **options)
    assert files(tmp_path / "set") == files(tmp_path / "whole")
    with pytest.raises(CryoccdError, match="not empty; add --resume"):
        composed(root, checkpoint, tmp_path / "set", **options)


def test_refusals(root, checkpoint, tmp_path):
    output = tmp_path / "set"
    picks = {
        "cat": write_picks(tmp_path / "cat.csv", [("a", "cat", 5, 5, 5)]),
        "out": write_picks(tmp_path / "out.csv", [("a", "bar", 5, 90, 5)]),
        "none": write_picks(tmp_path / "none.csv", []),
        "up": write_picks(tmp_path / "up.csv", [("../..", "bar", 5, 5, 5)]),
    }
    many = fitted(BlobGenerator(), classes=(*CLASSES, "rod"))
    coarse = fitted(BlobGenerator())
    coarse.voxel_size_A.fill_(13.0)
    for chosen, told in [
        ({"picks": picks["cat"]}, "cat.csv: picks of the class cat, expected one of bar, hook"),
        ({"picks": picks["out"]}, r"the centre \(5.0, 90.0, 5.0\) px of a bar lies outside a of"),
        ({"picks": picks["none"]}, "none.csv: no picks"),
        ({"picks": picks["up"]}, r"tomogram '\.\.' cannot name a file"),
        ({"picks": picks["cat"], "particles": 3}, "particles beside picks"),
        ({"particles": -1}, "particles = -1, expected 0 or more"),
        ({"particles": 900}, r"room for \d+ of \d+ particles of 8 voxels in 24 x 44 x 52"),
        ({"count": 0}, "count = 0, expected 1"),
        ({"shape": (2, 50, 50)}, "shape = 2, expected 8"),
        ({"rim_A": -1.0}, "rim_A = -1.0, expected 0"),
        ({"diameters_A": {"cat": 50}}, "diameter: cat is no class"),
        ({"diameters_A": {"bar": 200}}, "bar is 200 A wide, but the model's boxes 160 A"),
        ({"model": coarse}, "voxels of 10 A, but the model's have 13 A"),
        (
            {"model": many, "labels": [2], "diameters_A": DIAMETERS_A | {"rod": 50}},
            "no particle of rod, so its strength beside the background is not known",
        ),
        ({"model": fitted(BlobGenerator(nan=True))}, "the model gave NaN"),
    ]:
        with pytest.raises(CryoccdError, match=told) as caught:
            composed(root, checkpoint, output, **chosen)
        assert "\n" not in str(caught.value)
    assert not output.exists()


def test_places_keep_the_hard_core_and_the_slab():
    rng = np.random.default_rng(0)
    placed = place_at_random({0: 30, 1: 10}, {0: 5.0, 1: 9.0}, (40, 80, 90), (0.25, 0.5), rng)
    x, y, z = placed.xyz_px.T
    assert (z.min(), z.max()) == (10, 20)
    assert x.max() > 80
    assert min(x.min(), y.min()) >= 0
    assert y.max() <= 79
    diameters = np.array([5.0, 9.0])[placed.labels]
    apart = cdist(placed.xyz_px, placed.xyz_px) + 100 * np.eye(40)
    assert (apart >= (diameters[:, None] + diameters) / 2 - 1e-6).all()
    assert np.bincount(placed.labels).tolist() == [30, 10]
