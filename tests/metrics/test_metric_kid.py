from itertools import product
from math import isnan, sqrt
from statistics import fmean, stdev

import pytest
import torch

from cryoccd.metrics.features.kid import KernelSums, kernel_distance


def sides(seed, micrographs=6, crops=4, d=5, shift=0.0, common=0.0):
    """Features of both sides; those of one micrograph share an offset of sd `common`."""
    generator = torch.Generator().manual_seed(seed)

    def side(move):
        return [
            move
            + common * torch.randn(1, d, generator=generator)
            + torch.randn(crops, d, generator=generator)
            for _ in range(micrographs)
        ]

    return side(0.0), side(shift)


def kid(real, generated):
    sums = KernelSums.of(real, generated)
    return kernel_distance(sums, range(len(real)), range(len(generated)))


def test_agrees_with_the_sums_written_out():
    real, generated = sides(0, micrographs=3, crops=2)
    generated[1] = generated[1][:1]  # micrographs may have different numbers of crops

    def kernel(x, y):
        return (float(x.double() @ y.double()) / 5 + 1) ** 3

    def within(side):
        pairs = [
            kernel(x, y)
            for (i, a), (j, b) in product(enumerate(side), repeat=2)
            if i != j
            for x, y in product(a, b)
        ]
        return fmean(pairs)

    across = fmean(kernel(x, y) for a, b in product(real, generated) for x, y in product(a, b))
    assert kid(real, generated) == pytest.approx(within(real) + within(generated) - 2 * across)


def test_unbiased_although_crops_of_a_micrograph_are_alike():
    trials = [kid(*sides(seed, common=0.7)) for seed in range(60)]
    assert abs(fmean(trials)) < 3 * stdev(trials) / sqrt(60)
    every_crop_for_itself = []
    for seed in range(60):
        real, generated = sides(seed, common=0.7)
        split = [list(torch.cat(side).split(1)) for side in (real, generated)]
        every_crop_for_itself.append(kid(*split))
    # pairs within a micrograph are alike, so counting them pretends a distance
    assert fmean(every_crop_for_itself) > 5 * stdev(every_crop_for_itself) / sqrt(60)


def test_grows_with_the_shift_and_can_leave_micrographs_out():
    far, farther = kid(*sides(0, shift=0.5)), kid(*sides(0, shift=1.0))
    assert farther > far > 0
    real, generated = sides(1)
    sums = KernelSums.of(real, generated)
    found = kernel_distance(sums, [0, 2, 5], [1, 3])
    assert found == pytest.approx(kid([real[i] for i in (0, 2, 5)], [generated[i] for i in (1, 3)]))
    assert isnan(kernel_distance(sums, [0], [1, 2]))
