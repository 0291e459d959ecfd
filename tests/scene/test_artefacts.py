"""Artefacts: absolute potentials, losses and heights, kinds, what they refuse."""

from functools import partial

import numpy as np
import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.fourier import radial_average, radial_frequency
from cryoccd.scene.artefacts import (
    Aggregates,
    BrokenParticles,
    Candidates,
    CarbonEdge,
    CrystallinePatches,
    EthaneBlobs,
    GoldBeads,
    IceCrystals,
)
from cryoccd.scene.field import Field

CANDIDATES = Candidates(
    diameters_A=np.array([100.0, 60.0]),
    shares=np.array([0.25, 0.75]),
    conformations=np.array([1, 3]),
    broken=((2, 4), (3, 4)),
)
BODIES = {
    "gold_bead": partial(GoldBeads, radius_A=(30.0, 60.0)),
    "carbon_edge": CarbonEdge,
    "ethane_blob": partial(EthaneBlobs, mean=2.0),
    "ice_crystal": partial(IceCrystals, mean=2.0),
    "crystalline_ice": partial(CrystallinePatches, mean=2.0),
}


def field(pixel_size_A=4.0, side=256, thickness_A=400.0):
    thickness = np.full((side // 8, side // 8), thickness_A, dtype=np.float32)
    return Field((side, side), pixel_size_A, thickness, 50.0)


def draw(law, seed=0, room=None, candidates=CANDIDATES):
    return law.draw(room or field(), candidates, np.random.default_rng(seed))


def first(law, room=None):
    return next(drawn[0] for seed in range(20) if (drawn := draw(law, seed, room)))


@pytest.mark.parametrize("kind", BODIES)
def test_kinds_faces_and_repetition(kind):
    room = field(1.5)
    body = first(BODIES[kind](), room)
    assert body.kind == kind
    assert abs(body.position_A[2]) == pytest.approx(200)
    assert body.footprint.any()
    assert torch.isfinite(body.potential_V_A).all()
    again = first(BODIES[kind](), room)
    assert torch.equal(body.potential_V_A, again.potential_V_A)
    if body.loss is not None:
        assert float(body.loss.min()) >= 0
        assert float(body.loss[body.footprint].mean()) > 0


@pytest.mark.parametrize("law", [GoldBeads, EthaneBlobs, IceCrystals, BrokenParticles, Aggregates])
def test_numbers_are_poisson(law):
    room = field(thickness_A=800.0)
    counts = [len(draw(law(mean=2.0), seed, room)) for seed in range(200)]
    assert np.mean(counts) == pytest.approx(2, abs=4 * np.sqrt(2 / 200))
    assert np.var(counts) == pytest.approx(2, rel=0.5)
    assert draw(law(mean=0.0)) == ()


@pytest.mark.parametrize("pixel_size_A", [1.0, 4.0])
def test_a_bead_holds_its_volume_of_gold_and_stops_electrons(pixel_size_A):
    body = first(GoldBeads(radius_A=(50.0, 50.0)), field(pixel_size_A))
    volts = float(body.potential_V_A.double().sum()) * pixel_size_A**2 / (4 / 3 * np.pi * 50**3)
    assert 20 < volts < 26  # gold of 25 to 30 V less the ice
    assert float(body.potential_V_A.max()) == pytest.approx(100 * volts, rel=0.02)
    assert 0.2 < float(body.loss.max()) < 1
    rows, columns = np.nonzero(body.footprint.numpy())
    middle = [
        (columns.mean() + body.left_px) * pixel_size_A,
        (rows.mean() + body.top_px) * pixel_size_A,
    ]
    assert middle == pytest.approx(body.position_A[:2], abs=pixel_size_A)


def test_carbon_covers_its_share_with_its_inner_potential_and_grain():
    shares, room = [], field()
    for seed in range(20):
        (body,) = draw(CarbonEdge(coverage=(0.2, 0.2), thickness_A=(150, 150)), seed)
        inner = slice(-body.top_px, 256 - body.top_px)
        covered = body.footprint[inner, inner]
        shares.append(float(covered.float().mean()))
        potential = body.potential_V_A[0][body.footprint]
        assert float(potential.mean()) == pytest.approx(150 * (9.1 - 4.53), rel=0.05)
        assert 0.01 < float(potential.std() / potential.mean()) < 0.5
        assert float(body.loss.max()) == pytest.approx(150 / 2000)
        # its outer end lies where the CTF does not bring its fringes into the field
        assert -body.top_px * room.pixel_size_A >= 500
    assert 0.05 < np.mean(shares) < 0.3
    assert draw(CarbonEdge(probability=0.0)) == ()


def test_the_rim_is_an_arc_of_the_holes_radius():
    """The covered side is concave: the middle of the chord lies in the hole."""
    (body,) = draw(CarbonEdge(coverage=(0.3, 0.3), hole_radius_A=900.0), 3)
    edge = body.footprint.float()
    boundary = (edge[:-1, :-1] - edge[1:, 1:]).abs() > 0
    y, x = (v.double() for v in torch.nonzero(boundary, as_tuple=True))
    design = torch.stack([x, y, torch.ones_like(x)], dim=1)
    fit = torch.linalg.lstsq(design, (x**2 + y**2)[:, None]).solution[:, 0]
    radius = float((fit[2] + fit[0] ** 2 / 4 + fit[1] ** 2 / 4).sqrt()) * 4.0
    assert radius == pytest.approx(900, rel=0.02)


def test_ethane_and_frost_are_soft_and_facetted():
    blob = first(EthaneBlobs(radius_A=(300.0, 300.0), aspect=0.4))
    image = blob.potential_V_A[0]
    assert float(image.max()) == pytest.approx(120 * 5.1, rel=0.02)
    steps = (image[:, 1:] - image[:, :-1]).abs().max()
    assert float(steps) < 0.05 * float(image.max())
    crystal = first(IceCrystals())
    assert float(crystal.potential_V_A.max()) / 300 < 4.6  # no thicker than wide, of ice
    slope = crystal.potential_V_A[0][:, 1:] - crystal.potential_V_A[0][:, :-1]
    inside = crystal.footprint[:, 1:] & crystal.footprint[:, :-1]
    bends = (slope[:, 1:] - slope[:, :-1]).abs() > 1e-2
    assert float(bends[inside[:, 1:] & inside[:, :-1]].float().mean()) < 0.3  # flat facets


def test_crystalline_ice_rings_at_its_spacings_and_nowhere_else():
    pixel_size_A = 1.4
    total = torch.zeros(256, 256, dtype=torch.float64)
    for seed in range(6):
        law = CrystallinePatches(mean=2.0, radius_A=(120.0, 160.0), grain_A=50.0)
        for body in draw(law, seed, field(pixel_size_A)):
            image = body.potential_V_A[0].double()
            padded = torch.zeros(256, 256, dtype=torch.float64)
            padded[: image.shape[0], : image.shape[1]] = image
            total += torch.fft.fft2(padded).abs() ** 2
    radius = radial_frequency((256, 256)).double() / pixel_size_A
    near = torch.zeros_like(total, dtype=torch.bool)
    for spacing_A in (3.90, 3.67, 3.44):
        ring = (radius - 1 / spacing_A).abs() < 0.006
        elsewhere = (radius > 0.15) & (radius < 0.22)
        assert float(total[ring].mean()) > 10 * float(total[elsewhere].mean())  # grains have edges
        near |= (radius - 1 / spacing_A).abs() < 0.02
    assert float(total[near].sum() / total.sum()) > 0.9
    rings = radial_average(total) / radial_average(total).max()
    assert int(rings.argmax()) == pytest.approx(256 * pixel_size_A / 3.90, abs=2)


def test_too_large_pixels_cannot_carry_the_fringes():
    with pytest.raises(CryoccdError, match=r"pixel_size_A = 1\.9.*1\.8"):
        draw(CrystallinePatches(), room=field(1.9))


def test_broken_pieces_index_the_broken_species_and_their_variants():
    pieces = draw(BrokenParticles(mean=200.0))
    members = [piece.members for piece in pieces]
    species = np.concatenate([each.species for each in members])
    variant = np.concatenate([each.conformation for each in members])
    assert {piece.kind for piece in pieces} == {"broken"}
    assert (species == 2).mean() == pytest.approx(0.25, abs=0.15)
    assert set(species) == {2, 3}
    assert set(variant) == {1, 2, 3, 4}
    z = np.concatenate([each.positions_A[:, 2] for each in members])
    assert np.abs(z).max() <= 170


def test_clumps_touch_and_lie_in_the_ice():
    room = field(thickness_A=600.0)
    clumps = draw(Aggregates(mean=20.0, size=(3, 12)), 1, room)
    for clump in clumps:
        at_A, kinds = clump.members.positions_A, clump.members.species
        assert clump.kind == "aggregate"
        assert len(set(kinds)) == 1
        assert 1 <= len(at_A) <= 12
        diameter_A = CANDIDATES.diameters_A[kinds[0]]
        apart = np.linalg.norm(at_A[:, None] - at_A, axis=-1) + 1e9 * np.eye(len(at_A))
        assert apart.min(axis=1) == pytest.approx(apart.min(), rel=0.05)
        assert 0.85 * diameter_A < apart.min() < 1.1 * diameter_A
        assert np.abs(at_A[:, 2]).max() + diameter_A / 2 <= 300 + 0.06 * diameter_A
        names = clump.members.conformation
        assert set(names) <= ({0} if kinds[0] == 0 else {1, 2, 3})
    sizes = [len(clump.members) for clump in clumps]
    assert max(sizes) > 8


@pytest.mark.parametrize(
    ("law", "name", "value"),
    [
        (GoldBeads, "radius_A", (50.0, 5000.0)),
        (GoldBeads, "mean", -1.0),
        (CarbonEdge, "coverage", (0.2, 1.5)),
        (CarbonEdge, "thickness_A", (0.0, 100.0)),
        (EthaneBlobs, "aspect", 0.0),
        (IceCrystals, "radius_A", (300.0, 100.0)),
        (CrystallinePatches, "grain_A", 0.0),
        (BrokenParticles, "variants", 0),
        (Aggregates, "size", (1, 3)),
    ],
)
def test_unphysical_artefacts_are_refused(law, name, value):
    with pytest.raises(CryoccdError, match=name):
        law(**{name: value})
