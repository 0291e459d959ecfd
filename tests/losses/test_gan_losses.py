import pytest
import torch

from cryoccd.losses.lsgan import discriminator_loss, generator_loss
from cryoccd.losses.mask_patch_nce import mask_patch_nce
from cryoccd.losses.mask_points import features_at, sample_points


def test_lsgan_closed_forms():
    generated, real = torch.tensor([0.0, 2.0]), torch.tensor([1.0, 0.0, 1.0, 0.0])
    same = torch.nn.Identity()
    assert float(discriminator_loss(same, generated, real)) == pytest.approx(0.5 * (2.0 + 0.5))
    assert float(generator_loss(same, generated)) == pytest.approx(1.0)
    assert float(discriminator_loss(same, torch.zeros(3), torch.ones(2))) == 0
    assert float(generator_loss(same, torch.ones(3))) == 0


def test_lsgan_trains_one_side_at_a_time():
    judge, image = torch.nn.Linear(2, 1), torch.randn(3, 2, requires_grad=True)
    judge.bias.requires_grad_(False)
    generator_loss(judge, image).backward()
    assert judge.weight.grad is None
    assert float(image.grad.abs().sum()) > 0
    assert judge.weight.requires_grad
    assert not judge.bias.requires_grad  # as it was
    image.grad = None
    discriminator_loss(judge, image, image).backward()
    assert image.grad is None
    assert float(judge.weight.grad.abs().sum()) > 0


def unit(*angles_deg: float) -> torch.Tensor:
    angles = torch.deg2rad(torch.tensor(angles_deg, dtype=torch.float64))
    return torch.stack([angles.cos(), angles.sin()], dim=-1)[None]


def seeded(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def by_hand(query, positive, negatives, tau):
    """Equation by equation in plain loops, from the paper's figure."""
    losses = []
    for i in range(query.shape[1]):
        right = torch.exp(query[0, i] @ positive[0, i] / tau)
        wrong = sum(torch.exp(query[0, i] @ n / tau) for n in negatives[0])
        losses.append(-torch.log(right / (right + wrong)))
    return sum(losses) / len(losses)


@pytest.mark.parametrize("background", [(90.0, 200.0), (90.0, 200.0, 310.0)])
def test_nce_is_the_figures_form_with_equal_and_unequal_counts(background):
    source_p, generated_p = unit(0, 40), unit(10, 75)
    source_b = unit(*background)
    generated_b = unit(*(angle + 17 * i for i, angle in enumerate(background)))
    expected = 0.5 * (
        by_hand(source_p, generated_p, generated_b, 0.5)
        + by_hand(source_b, generated_b, generated_p, 0.5)
    )
    loss = mask_patch_nce(source_p, generated_p, source_b, generated_b, temperature=0.5)
    assert float(loss) == pytest.approx(float(expected), rel=1e-9)


def test_nce_with_source_and_generated_exchanged_is_cryoccds_orientation():
    source_p, generated_p = unit(0, 40), unit(10, 75)
    source_b, generated_b = unit(90, 200, 310), unit(100, 260, 290)
    expected = 0.5 * (  # generated patches against the source at the other class's points
        by_hand(generated_p, source_p, source_b, 0.5)
        + by_hand(generated_b, source_b, source_p, 0.5)
    )
    loss = mask_patch_nce(generated_p, source_p, generated_b, source_b, temperature=0.5)
    assert float(loss) == pytest.approx(float(expected), rel=1e-9)
    cryogem = mask_patch_nce(source_p, generated_p, source_b, generated_b, temperature=0.5)
    assert abs(float(cryogem - loss)) > 0.02
    keys = [source.clone().requires_grad_() for source in (source_p, source_b)]
    loss = mask_patch_nce(generated_p, keys[0], generated_b, keys[1])
    assert all(bool((g != 0).any()) for g in torch.autograd.grad(loss.sum(), keys))


def test_nce_rejects_the_transposed_negatives_of_the_public_code():
    tau = 0.5
    source_p, generated_p = unit(0, 40), unit(10, 75)
    source_b, generated_b = unit(90, 200), unit(100, 260)
    right = (source_p * generated_p).sum(-1, keepdim=True) / tau
    transposed = (generated_b @ source_p.transpose(1, 2)) / tau  # row i: background i, particles j
    public = torch.cat([right, transposed], -1).logsumexp(-1) - right[..., 0]
    particle = by_hand(source_p, generated_p, generated_b, tau)
    assert abs(float(public.mean()) - float(particle)) > 0.02
    mirrored = by_hand(source_b, generated_b, generated_p, tau)
    loss = mask_patch_nce(source_p, generated_p, source_b, generated_b, tau)
    assert float(loss) == pytest.approx(0.5 * float(particle + mirrored), rel=1e-9)


def test_nce_limits():
    same, other = unit(0, 0), unit(180, 180, 180)
    assert float(mask_patch_nce(same, same, other, other)) == pytest.approx(0, abs=1e-10)
    chance = mask_patch_nce(same, same, unit(0, 0, 0), unit(0, 0, 0))  # nothing to tell apart
    expected = 0.5 * (torch.tensor(4.0).log() + torch.tensor(3.0).log())  # 1 + 3, 1 + 2 ways
    assert float(chance) == pytest.approx(float(expected))


def test_nce_negatives_are_generated_not_source_vectors():
    source_p, generated_p, source_b, generated_b = (
        unit(*angles).requires_grad_() for angles in [(0, 9), (5, 20), (80, 99), (70, 120)]
    )
    particle_only = mask_patch_nce(source_p, generated_p, source_b.detach(), generated_b)
    grads = torch.autograd.grad(particle_only.sum(), [source_p, generated_p, generated_b])
    assert all(bool((g != 0).any()) for g in grads)  # CUT detaches the source: this does not
    moved = mask_patch_nce(source_p, generated_p, unit(-80, -99), generated_b)
    mirrored = by_hand(source_b, generated_b, generated_p, 0.07)
    mirrored_moved = by_hand(unit(-80, -99), generated_b, generated_p, 0.07)
    # the source's background enters by the mirrored term alone
    assert float((moved - particle_only).detach()) == pytest.approx(
        0.5 * float((mirrored_moved - mirrored).detach()), rel=1e-6
    )


def test_images_of_a_batch_are_contrasted_apart():
    a = [unit(0, 40), unit(10, 75), unit(90, 200), unit(100, 260)]
    b = [unit(5, 300), unit(20, 280), unit(120, 180), unit(60, 190)]
    both = mask_patch_nce(*(torch.cat(pair) for pair in zip(a, b, strict=True)))
    torch.testing.assert_close(both, torch.cat([mask_patch_nce(*a), mask_patch_nce(*b)]))


def test_points_fall_into_their_class_uniformly_and_with_replacement():
    mask = torch.zeros(2, 1, 6, 10)
    mask[0, 0, 2, 7] = mask[0, 0, 4, 1] = 1
    mask[1, 0, :, :5] = 1
    points = sample_points(mask, 400, seeded(0, 1))
    assert points.complete.tolist() == [True, True]
    inside = features_at(mask, points.particle, "nearest")
    outside = features_at(mask, points.background, "nearest")
    assert bool((inside == 1).all())
    assert bool((outside == 0).all())
    x, y = ((points.particle[0] + 1) * torch.tensor([10, 6]) - 1).div(2).unbind(-1)
    assert {(round(float(a)), round(float(b))) for a, b in zip(x, y, strict=True)} == {
        (7, 2),
        (1, 4),
    }
    assert abs(int((x > 4).sum()) - 200) < 50  # 5 standard deviations of a fair coin


def test_points_mean_the_same_place_at_every_level():
    # level i of 4x4 stride-2 pad-1 convolutions has its pixel j centred at 2^i (j + 1/2) - 1/2
    ramp = torch.arange(64.0).expand(64, 64)[None, None]
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 12:50, 12:50] = 1
    points = sample_points(mask, 50, seeded(1))
    fine = features_at(ramp, points.particle, "bilinear")
    coarse = torch.nn.functional.avg_pool2d(ramp, 8)
    torch.testing.assert_close(features_at(coarse, points.particle, "bilinear"), fine)


@pytest.mark.parametrize("fill", [0.0, 1.0])
def test_a_mask_of_one_class_is_legal(fill):
    points = sample_points(torch.full((1, 1, 8, 8), fill), 16, seeded(0))
    assert points.complete.tolist() == [False]
    assert points.particle.shape == points.background.shape == (1, 16, 2)
    assert points.particle.isfinite().all()
    assert points.background.isfinite().all()
