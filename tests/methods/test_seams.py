"""Whole micrographs of odd, oblong size, tiled and in one pass, for every learned method."""

import importlib
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from translators import LEARNED, demo, lively, toy_batch, translated

from cryoccd.nn import tiling
from cryoccd.records import UnpairedBatch

SHAPE = (139, 203)
TILE, OVERLAP = 96, 32
TWO = {"sampler.init_args.steps": 2}
FEW_STEPS = {
    "cryoccd": TWO,
    "cryoccd_t1000": TWO,
    "cryoccd_v1": TWO,
    "sdedit": TWO,
    "cyclediffusion": {"steps": 2, "refine_steps": 1},
}


def micrographs() -> UnpairedBatch:
    square = toy_batch(2, max(SHAPE), 0)
    fields = {
        name: getattr(square, name)[..., : SHAPE[0], : SHAPE[1]].contiguous()
        for name in ("clean", "mask", "ice", "real")
    }
    return replace(square, **fields)


def hand_overs(side: int, align_px: int) -> Tensor:
    """(side,) bool, where one tile hands over to the next."""
    (first, _), (step, weights), *_ = tiling._cut(side, TILE, OVERLAP, align_px)
    assert first == 0
    origins = torch.arange(step, side - len(weights) + step, step)
    middle = origins + (TILE - step) / 2
    return ((torch.arange(side)[:, None] + 0.5 - middle).abs() < OVERLAP / 4).any(1)


def border_variance(tiled: Tensor, whole: Tensor, align_px: int) -> float:
    """Variance where tiles meet over that elsewhere, both over the untiled; of the worse axis."""
    ratios = []
    for one, other in ((tiled, whole), (tiled.mT, whole.mT)):
        band = hand_overs(one.shape[-1], align_px)
        assert 0.1 < float(band.float().mean()) < 0.5
        there, elsewhere = (one[..., b].var() / other[..., b].var() for b in (band, ~band))
        ratios.append(float(there / elsewhere))
    return max(ratios, key=lambda ratio: abs(ratio - 1))


def correlation(one: Tensor, other: Tensor) -> float:
    return float(torch.corrcoef(torch.stack([one.flatten(), other.flatten()]))[0, 1])


def pair(name: str) -> tuple[Tensor, Tensor, int]:
    """Tiled, in one pass, and the grid of the tiles."""
    model = lively(demo(name, tile_px=TILE, overlap_px=OVERLAP, **FEW_STEPS.get(name, {})))
    grids, tiles = [], model.tiles
    model.tiles = lambda align_px: grids.append(tiles(align_px)) or grids[-1]
    tiled = translated(model, micrographs())
    model.tile_px = 512
    return tiled, translated(model, micrographs()), grids[0][2]


GANS = ("cryogem", "cryogem_ndf64", "cyclegan", "cut", "fastcut")


def least_correlation(name: str) -> float:
    # norms over a tile and over the whole differ, those of one channel more than those of a group
    return 0.9 if name in GANS else 0.99


@pytest.mark.parametrize("name", LEARNED)
def test_no_seam_is_seen_in_whole_micrographs(name):
    tiled, whole, align_px = pair(name)
    assert tiled.shape == (2, 1, *SHAPE)
    assert not torch.equal(tiled, whole)
    assert correlation(tiled, whole) > least_correlation(name)
    assert border_variance(tiled, whole, align_px) == pytest.approx(1, abs=0.07)


def own_noise(function, inputs, *sizes):
    """Each tile with noise of its own, as of a network that draws it itself."""
    torch.manual_seed(0)

    def noisy(tile):
        return function(torch.cat([torch.randn_like(tile[:, :1]) / 6, tile[:, 1:]], 1))

    return tiling.translate_tiled(noisy, inputs, *sizes)


def butted(function, inputs, tile_px, overlap_px, align_px):
    """Each pixel of one tile alone."""
    rows = [
        torch.cat([function(tile) for tile in row.split(tile_px - overlap_px, -1)], -1)
        for row in inputs.split(tile_px - overlap_px, -2)
    ]
    return torch.cat(rows, -2)


@pytest.mark.parametrize(
    ("name", "module"), [("cyclegan", "cyclegan"), ("sdedit", "noise_prediction")]
)
def test_the_measures_see_seams_where_there_are_some(name, module, monkeypatch):
    _, whole, align_px = pair(name)
    found = []
    for tiles in (own_noise, butted):
        with monkeypatch.context() as patch:
            place = importlib.import_module(f"cryoccd.methods.{module}")
            patch.setattr(place, "translate_tiled", tiles)
            found.append(pair(name)[0])
    for seamed in found:
        assert correlation(seamed, whole) < least_correlation(name) - 0.005
    if name == "cyclegan":  # a diffusion keeps most of its source
        assert border_variance(found[0], whole, align_px) < 0.85
