"""Averages over a point group of a transform of which one half is kept."""

import torch

from cryoccd.specimen.symmetry import point_group
from cryoccd.verify.micrographs.fourier_symmetry import symmetrised

SIDE = 32


def half_transform(volume):
    return torch.fft.fftshift(torch.fft.rfftn(torch.fft.ifftshift(volume)), dim=(0, 1))


def lump(x, y, z):
    """A ball off the centre: its transform is smooth, with phases that turn."""
    axis = torch.arange(SIDE).float() - SIDE // 2
    grid_z, grid_y, grid_x = torch.meshgrid(axis, axis, axis, indexing="ij")
    square = (grid_x - x) ** 2 + (grid_y - y) ** 2 + (grid_z - z) ** 2
    return torch.exp(-square / 2 / 2.5**2)


def test_a_lump_becomes_all_its_mates():
    """Against lumps that are put down at the mates' places; the group takes x, y, z."""
    operators = torch.from_numpy(point_group("D3")).float()
    place = torch.tensor([3.0, -2.0, 1.0])
    mates = sum(lump(*(operator @ place)) for operator in operators) / len(operators)
    found = symmetrised(half_transform(lump(*place))[None], operators)[0]
    inner = torch.fft.fftshift(torch.fft.irfftn(torch.fft.ifftshift(found, dim=(0, 1))))
    assert float((inner - mates).abs().max()) < 0.07 * float(mates.max())
    # a place of one mate left out, or the wrong hand, would be seen
    assert float((inner - lump(*place) / 6).abs().max()) > 0.5 * float(mates.max())


def test_quarter_turns_are_exact():
    """They take grid points onto grid points, but for planes that only one half holds."""
    operators = torch.from_numpy(point_group("C4")).float()
    volume = lump(3, -2, 1)
    turned = [volume]
    for _ in range(3):
        # x to y: about voxel SIDE // 2, where the volume is far from its edges
        turned.append(torch.roll(torch.rot90(turned[-1], 1, (1, 2)), 1, 1))
    found = symmetrised(half_transform(volume)[None], operators)[0]
    expected = half_transform(sum(turned) / 4)
    assert float((found - expected).abs().max()) < 1e-4 * float(expected.abs().max())


def test_one_operator_changes_nothing():
    half = half_transform(lump(1, 2, 3))[None]
    assert torch.equal(symmetrised(half, torch.eye(3)[None]), half)
