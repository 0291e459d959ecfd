"""The density condition: against a closed form, with neighbours, turned as the box is."""

import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.ndimage import affine_transform
from tomogram_folders import (
    BOX,
    CLASSES,
    SHAPE,
    VOXEL_A,
    class_map,
    density_of,
    truth_of,
    write_dataset,
)

from cryoccd.data.subtomograms.boxes import BoxCutter
from cryoccd.data.subtomograms.density import ClassDensity, _Map
from cryoccd.data.subtomograms.maps import read_maps
from cryoccd.data.subtomograms.table import ParticleTable, particle_table
from cryoccd.data.subtomograms.turns import TURNS, turned_rotations
from cryoccd.errors import CryoccdError
from cryoccd.geometry import euler_to_matrix
from cryoccd.io.mrc import write_mrc
from cryoccd.io.tomograms import TomogramSource, open_tomograms
from cryoccd.records import Volume

SIDE = 24
MAPS = {name: Volume(torch.from_numpy(class_map(name)), VOXEL_A) for name in CLASSES}


@pytest.fixture(scope="module")
def source(tmp_path_factory) -> TomogramSource:
    return open_tomograms(write_dataset(tmp_path_factory.mktemp("density") / "set").root)


@pytest.fixture(scope="module")
def table(source: TomogramSource) -> ParticleTable:
    return particle_table(source)


def correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.corrcoef(one.ravel(), other.ravel())[0, 1])


def rotations_of(eulers_deg: np.ndarray) -> np.ndarray:
    return euler_to_matrix(torch.from_numpy(eulers_deg)).numpy()


def test_a_whole_tomogram_is_the_closed_form(table: ParticleTable) -> None:
    """Gaussian blobs at place + A c; the transposed rotation is another picture."""
    species, places, eulers = truth_of(0)
    kinds, turns = np.array(species), rotations_of(eulers)
    density = ClassDensity(MAPS, VOXEL_A)
    for name in CLASSES:
        own = kinds == name
        expected = density_of(kinds[own], places[own], eulers[own])
        names = [name] * int(own.sum())
        drawn, wrong = (
            density.draw(np.zeros(3, int), SHAPE, places[own], turn[own], names).numpy()
            for turn in (turns, turns.transpose(0, 2, 1))
        )
        assert drawn.shape == SHAPE
        # the highest value of a map is 1, and may lie between its voxels
        scale = (drawn * expected).sum() / (drawn**2).sum()
        assert 1 <= scale / class_map(name).max() < 1.02
        assert np.abs(scale * drawn - expected).max() < 0.04
        assert correlation(drawn, expected) > 0.999
        assert correlation(wrong, expected) < 0.9


def test_a_box_is_the_part_of_the_whole(source: TomogramSource, table: ParticleTable) -> None:
    density = ClassDensity(MAPS, VOXEL_A)
    cutter = BoxCutter(source, table, SIDE, density)
    rows = np.flatnonzero(table.tomogram == 0)
    names = [table.map_keys[row] for row in rows]
    whole = density.draw(
        np.zeros(3, int), SHAPE, table.xyz_px[rows], table.rotations[rows], names
    ).numpy()
    padded = np.pad(whole, SIDE)  # beyond the tomogram there is nothing, as in the box
    for row in rows:
        x, y, z = table.centres_px[row] + SIDE - SIDE // 2
        drawn = cutter.cut(int(row)).density
        assert drawn is not None
        expected = padded[z : z + SIDE, y : y + SIDE, x : x + SIDE]
        assert drawn[0].numpy() == pytest.approx(expected, abs=1e-5)


def test_neighbours_that_reach_into_the_box_count() -> None:
    density = ClassDensity(MAPS, VOXEL_A)
    places, turns = np.array([[0.0, 0, 0], [9, 0, 0]]), rotations_of(np.zeros((2, 3)))
    corner = np.array([-8, -8, -8])
    both = density.draw(corner, (16,) * 3, places, turns, ["bar", "hook"])
    alone = density.draw(corner, (16,) * 3, places[:1], turns[:1], ["bar"])
    beside = both - alone
    assert float(beside[:, :, 12:].max()) > 0.05
    assert float(beside[:, :, :4].abs().max()) < 1e-6
    assert not density.draw(corner + 100, (16,) * 3, places, turns, ["bar", "hook"]).any()


@pytest.mark.parametrize("flips", TURNS)
def test_the_density_turns_with_the_box(
    source: TomogramSource, table: ParticleTable, flips: np.ndarray
) -> None:
    """Flipping the drawn box is the same as drawing the turned poses at the turned places."""
    density = ClassDensity(MAPS, VOXEL_A)
    row, shift = 4, np.array([1, -2, 0])
    inner = replace(table, shapes_px=np.full_like(table.shapes_px, 10_000))  # no border here
    box = BoxCutter(source, inner, SIDE, density).cut(row, flips, shift)
    middle = table.centres_px[row] + shift
    rows = np.flatnonzero(table.tomogram == table.tomogram[row])
    signs = np.where(flips, -1, 1)
    drawn = density.draw(
        np.full(3, -SIDE // 2),
        (SIDE,) * 3,
        (table.xyz_px[rows] - middle) * signs,
        turned_rotations(table.rotations[rows], flips),
        [table.map_keys[k] for k in rows],
    )
    assert box.density is not None
    inside = np.ones((SIDE,) * 3, bool)
    for axis, (first, flip) in enumerate(zip(middle, flips, strict=True)):
        along = np.arange(SIDE) - SIDE // 2
        absolute = first + (-along if flip else along)
        inside &= np.expand_dims(absolute >= 0, [k for k in range(3) if k != 2 - axis])
    assert box.density[0].numpy() == pytest.approx(drawn.numpy() * inside, abs=1e-4)


def test_the_density_lies_where_the_tomogram_is_dark(
    source: TomogramSource, table: ParticleTable
) -> None:
    cutter = BoxCutter(source, table, SIDE, ClassDensity(MAPS, VOXEL_A))
    seen, mirrored = [], []
    for row in range(len(table)):
        for flips in TURNS:
            box = cutter.cut(row, flips, np.array([2, 1, -2]))
            assert box.density is not None
            seen.append(correlation(box.volume.numpy(), box.density.numpy()))
            mirrored.append(correlation(box.volume.flip(1).numpy(), box.density.numpy()))
    assert max(seen) < -0.6
    assert np.mean(seen) < -0.8
    assert np.mean(mirrored) > -0.5


def test_a_particle_is_drawn_once_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """And the picture is the same with room for none, for two, or in another process."""
    places = np.array([[0.0, 0, 0], [9, 0, 0], [0, 7.3, 0]])
    turns = rotations_of(np.array([[0.0, 0, 0], [30, 60, 80], [5, 5, 5]]))
    drawn: list[_Map] = []
    seen = _Map.seen

    def counted(self: _Map, *where: Any) -> torch.Tensor:
        drawn.append(self)
        return seen(self, *where)

    monkeypatch.setattr(_Map, "seen", counted)

    def views(density: ClassDensity) -> list[torch.Tensor]:
        corners = [np.full(3, at) for at in (-8, -5, -8, -13)]
        return [
            density.draw(each, (16,) * 3, places, turns, ["bar", "hook", "bar"]) for each in corners
        ]

    density = ClassDensity(MAPS, VOXEL_A)
    expected = views(density)
    assert len(drawn) == 3
    assert all(view.any() for view in expected)
    voxels = density._shelf.voxels
    for room, calls in ((voxels, 3), (voxels - 1, 12), (0, 12)):
        other = pickle.loads(pickle.dumps(density))
        assert len(other._shelf) == 0
        other._shelf.room = room
        drawn.clear()
        for view, one in zip(views(other), expected, strict=True):
            assert torch.equal(view, one)
        assert len(drawn) == calls
        assert other._shelf.voxels <= room


def test_maps_of_another_voxel_size() -> None:
    """The same object on half the voxel size, an odd or an even box."""
    place, turn = np.array([[12.3, 11.8, 12.1]]), rotations_of(np.array([[20.0, 50, 75]]))
    expected = ClassDensity({"bar": MAPS["bar"]}, VOXEL_A).draw(
        np.zeros(3, int), (SIDE,) * 3, place, turn, ["bar"]
    )
    for side in (2 * BOX, 2 * BOX + 1):
        offset = np.full(3, BOX // 2 - side // 2 / 2)
        fine = affine_transform(class_map("bar"), np.eye(3) / 2, offset, (side,) * 3, order=3)
        volume = Volume(torch.from_numpy(fine.astype(np.float32)), VOXEL_A / 2)
        drawn = ClassDensity({"bar": volume}, VOXEL_A).draw(
            np.zeros(3, int), (SIDE,) * 3, place, turn, ["bar"]
        )
        assert float((drawn - expected).abs().max()) < 0.03


def test_what_cannot_be_drawn(source: TomogramSource, tmp_path: Path) -> None:
    empty = Volume(torch.zeros(8, 8, 8), 10.0)
    with pytest.raises(CryoccdError, match="the map of bar has no value above 0"):
        ClassDensity({"bar": empty}, VOXEL_A)
    with pytest.raises(CryoccdError, match="no maps"):
        ClassDensity({}, VOXEL_A)
    density = ClassDensity(MAPS, VOXEL_A)
    place, turn = np.zeros((1, 3)), np.full((1, 3, 3), np.nan)
    with pytest.raises(CryoccdError, match="no map of rod, known are"):
        density.draw(np.zeros(3, int), (4, 4, 4), place, turn, ["rod"])
    with pytest.raises(CryoccdError, match="a particle of bar has no pose"):
        density.draw(np.zeros(3, int), (4, 4, 4), place, turn, ["bar"])
    assert set(read_maps(source, CLASSES)) == set(CLASSES)
    with pytest.raises(CryoccdError, match=r"no map of bar; give maps, a folder with bar\.mrc"):
        read_maps(source, CLASSES, tmp_path)
    write_mrc(tmp_path / "bar.mrc", np.zeros((4, 5, 6), np.float32), 10.0, "test")
    with pytest.raises(CryoccdError, match=r"bar\.mrc: volume: expected a cube"):
        read_maps(source, ["bar"], tmp_path)
