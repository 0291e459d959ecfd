"""Boxes: where they are cut, what a turn does to them, and that an item depends on its number."""

import pickle
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tomogram_folders import SHAPE, VOXEL_A, tomogram_of, truth_of, write_dataset

from cryoccd.data.subtomograms.boxes import BoxCutter, TrainingBoxes, collate
from cryoccd.data.subtomograms.table import particle_table
from cryoccd.data.subtomograms.turns import (
    MIRRORS,
    TURNS,
    cut_corner,
    draw_flips,
    flipped,
    turned_position,
    turned_rotations,
)
from cryoccd.errors import CryoccdError
from cryoccd.io.tomograms import open_tomograms

SIDE = 16


@pytest.fixture(scope="module")
def cutter(tmp_path_factory) -> BoxCutter:
    source = open_tomograms(write_dataset(tmp_path_factory.mktemp("boxes") / "set").root)
    return BoxCutter(source, particle_table(source), SIDE)


def scored(values: np.ndarray) -> np.ndarray:
    return (values - values.mean()) / (values.std() + 1e-8)


def test_boxes_at_the_rounded_centre_padded_by_zeros(cutter: BoxCutter) -> None:
    padded = {index: np.pad(tomogram_of(index), SIDE) for index in range(2)}
    outside = 0
    for row in range(len(cutter.table)):
        index = int(cutter.table.tomogram[row])
        x, y, z = np.floor(truth_of(index)[1][row % 6] + 0.5).astype(int) + SIDE - SIDE // 2
        expected = padded[index][z : z + SIDE, y : y + SIDE, x : x + SIDE]
        outside += int((expected == 0).any())
        box = cutter.cut(row)
        assert box.volume.shape == (1, SIDE, SIDE, SIDE)
        assert box.volume.dtype == torch.float32
        assert box.volume[0].numpy() == pytest.approx(scored(expected), abs=1e-5)
        assert abs(float(box.volume.mean())) < 1e-6
        assert float(box.volume.std(correction=0)) == pytest.approx(1, abs=1e-5)
        place = (truth_of(index)[1][row % 6] + 0.5) / SHAPE[::-1]
        assert box.position.numpy() == pytest.approx(place, abs=1e-5)
        assert box.label == row % 2
    assert outside > 0


@pytest.mark.parametrize("flips", [*TURNS, *MIRRORS])
def test_a_turn_goes_about_the_middle_voxel(cutter: BoxCutter, flips: np.ndarray) -> None:
    """By brute force: voxel b // 2 + d of the turned box is voxel c + D d of the tomogram."""
    row, signs = 2, np.where(flips, -1, 1)
    volume = np.pad(tomogram_of(0), 2 * SIDE)
    centre = cutter.table.centres_px[row] + 2 * SIDE
    expected = np.empty((SIDE,) * 3)
    for z, y, x in product(range(SIDE), repeat=3):
        a, b, c = centre + signs * (np.array([x, y, z]) - SIDE // 2)
        expected[z, y, x] = volume[c, b, a]
    seen = cutter.cut(row, flips).volume[0].numpy()
    assert seen == pytest.approx(scored(expected), abs=1e-5)
    middle = SIDE // 2
    assert expected[middle, middle, middle] == volume[tuple(centre[::-1])]


@given(st.integers(2, 9), st.lists(st.booleans(), min_size=3, max_size=3))
@settings(max_examples=40, deadline=None)
def test_the_middle_stays_for_even_and_odd_boxes(side: int, flips: list[bool]) -> None:
    chosen = np.array(flips)
    grid = np.stack(np.indices((30,) * 3)[::-1], -1)  # x, y, z of each voxel
    centre = np.array([14, 15, 16])
    x, y, z = cut_corner(centre, side, chosen)
    cut = grid[z : z + side, y : y + side, x : x + side]
    turned = np.stack([flipped(cut[..., axis], chosen) for axis in range(3)], -1)
    assert turned[(side // 2,) * 3].tolist() == centre.tolist()


def test_a_plain_flip_of_an_even_box_would_miss_the_middle() -> None:
    """The fault that cut_corner prevents."""
    values = np.zeros((8, 8, 8), np.float32)
    values[4, 4, 4] = 1
    assert flipped(values, TURNS[1])[4, 4, 4] == 0
    assert flipped(values, TURNS[1])[3, 3, 4] == 1


def test_turns_are_a_group_of_rotations_and_mirrors_complete_it() -> None:
    def products(flips: np.ndarray) -> set[tuple[bool, ...]]:
        return {tuple((a ^ b).tolist()) for a in flips for b in flips}

    assert products(TURNS) == {tuple(flips.tolist()) for flips in TURNS}
    every = np.concatenate([TURNS, MIRRORS])
    assert len(products(every)) == 8
    for flips in every:
        determinant = np.prod(np.where(flips, -1, 1))
        assert (determinant > 0) == any((flips == turn).all() for turn in TURNS)


def test_all_turns_are_drawn_alike_and_mirrors_only_where_allowed() -> None:
    rng = np.random.default_rng(0)

    def share(turns: bool, mirrors: bool) -> dict[tuple[bool, ...], int]:
        drawn = [tuple(draw_flips(rng, turns, mirrors).tolist()) for _ in range(4000)]
        return {flips: drawn.count(flips) for flips in set(drawn)}

    assert len(share(False, False)) == 1
    only = share(True, False)
    assert set(only) == {tuple(flips.tolist()) for flips in TURNS}
    assert all(900 < count < 1100 for count in only.values())
    every = share(True, True)
    assert len(every) == 8
    assert all(420 < count < 580 for count in every.values())
    with pytest.raises(CryoccdError, match="mirrors without augment"):
        draw_flips(rng, False, True)


def test_positions_turn_with_the_tomogram(cutter: BoxCutter) -> None:
    """A particle's place after the turn is its place in the turned tomogram."""
    assert turned_position(np.array([0.1, 0.2, 0.3]), TURNS[3]).tolist() == [0.9, 0.8, 0.3]
    whole = tomogram_of(0)
    marked = np.zeros_like(whole)
    x, y, z = cutter.table.centres_px[0]
    marked[z, y, x] = 1
    for flips in TURNS:
        found = np.argwhere(flipped(marked, flips))[0][::-1]
        place = (np.array([x, y, z]) + 0.5) / SHAPE[::-1]
        assert (found + 0.5) / SHAPE[::-1] == pytest.approx(turned_position(place, flips))


def test_poses_of_a_turned_box_are_rotations_and_mirrors_have_none(cutter: BoxCutter) -> None:
    rotations = cutter.table.rotations
    for flips in TURNS:
        turned = turned_rotations(rotations, flips)
        assert np.linalg.det(turned) == pytest.approx(1)
        point = np.array([1.0, 2.0, 3.0])
        moved = np.where(flips, -1, 1) * (rotations[0] @ point)
        assert turned[0] @ point == pytest.approx(moved)
    with pytest.raises(CryoccdError, match="mirror image has no pose"):
        turned_rotations(rotations, MIRRORS[0])


def test_the_missing_wedge_stays_under_turns_and_not_under_a_quarter_turn() -> None:
    side = 24
    kz, _, kx = np.meshgrid(*[np.fft.fftfreq(side)] * 3, indexing="ij")
    covered = np.abs(kz) <= np.abs(kx) * np.tan(np.deg2rad(60))
    noise = np.random.default_rng(3).normal(size=(side,) * 3)
    box = np.fft.ifftn(np.fft.fftn(noise) * covered).real.astype(np.float32)

    def missing(values: np.ndarray) -> float:
        power = np.abs(np.fft.fftn(values)) ** 2
        return float(power[~covered].sum() / power.sum())

    assert missing(box) < 1e-10
    for flips in [*TURNS, *MIRRORS]:
        assert missing(flipped(box, flips)) < 1e-10
    assert missing(np.rot90(box, axes=(0, 2)).copy()) > 0.1  # about y


def test_jitter_cuts_elsewhere_and_does_not_roll(cutter: BoxCutter) -> None:
    shift = np.array([2, -1, 1])
    padded = np.pad(tomogram_of(0), SIDE)
    x, y, z = cutter.table.centres_px[3] + shift + SIDE - SIDE // 2
    expected = scored(padded[z : z + SIDE, y : y + SIDE, x : x + SIDE])
    box = cutter.cut(3, shift_px=shift)
    assert box.volume[0].numpy() == pytest.approx(expected, abs=1e-5)
    still = cutter.cut(3)
    moved = (box.position - still.position).numpy() * SHAPE[::-1]
    assert moved == pytest.approx(shift, abs=1e-4)
    rolled = np.roll(still.volume[0].numpy(), -shift[::-1], (0, 1, 2))
    assert not np.allclose(rolled, expected, atol=0.5)


def test_items_depend_on_their_number_alone(cutter: BoxCutter) -> None:
    rows = np.array([0, 3, 4, 7, 9])

    def boxes(seed: int = 0, **options: object) -> TrainingBoxes:
        chosen = {"augment": True, "mirrors": False, "jitter_voxels": 2} | options
        return TrainingBoxes(cutter, rows, seed, **chosen)  # type: ignore[arg-type]

    forth = [boxes()[k].volume for k in range(20)]
    same = boxes()
    back = [same[k].volume for k in reversed(range(20))][::-1]
    assert all(torch.equal(a, b) for a, b in zip(forth, back, strict=True))
    other = boxes(seed=1)
    assert not all(torch.equal(a, other[k].volume) for k, a in enumerate(forth))
    # each pass has every row once, in an order of its own
    plain = boxes(augment=False, jitter_voxels=0)
    known = [cutter.cut(int(row)).volume for row in rows]
    order = [
        next(k for k, volume in enumerate(known) if torch.equal(volume, plain[item].volume))
        for item in range(25)
    ]
    passes = [order[k : k + 5] for k in range(0, 25, 5)]
    assert all(sorted(one) == list(range(5)) for one in passes)
    assert len({tuple(one) for one in passes}) > 1


def test_another_process_opens_its_own_files(cutter: BoxCutter) -> None:
    before = cutter.cut(0).volume
    sent = pickle.dumps(cutter)
    assert len(sent) < 20_000  # no voxels
    assert torch.equal(pickle.loads(sent).cut(0).volume, before)


def test_a_batch(cutter: BoxCutter) -> None:
    batch = collate([cutter.cut(row) for row in (1, 2, 5)])
    assert batch.volume.shape == (3, 1, SIDE, SIDE, SIDE)
    assert batch.label.tolist() == [1, 0, 1]
    assert batch.label.dtype == torch.int64
    assert batch.density is None
    assert batch.voxel_size_A == pytest.approx(VOXEL_A)


def test_unknown_classes_are_refused(tmp_path: Path) -> None:
    source = open_tomograms(write_dataset(tmp_path / "set").root)
    assert particle_table(source, ["hook", "bar"]).label[:2].tolist() == [1, 0]
    only = particle_table(source, leave_out=["hook"])
    assert only.classes == ("bar",)
    assert len(only) == 6
    for options, told in (
        ({"classes": ["bar"]}, "particles of the class hook, but classes are bar; add"),
        ({"classes": ["bar", "hook", "bar"]}, "classes names one twice"),
        ({"leave_out": ["rod"]}, "leave_out names rod, known are bar, hook"),
        ({"leave_out": ["bar", "hook"]}, "no particles"),
    ):
        with pytest.raises(CryoccdError, match=told):
            particle_table(source, **options)  # type: ignore[arg-type]
