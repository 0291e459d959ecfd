import io

import pytest
import torch

from cryoccd.errors import CryoccdError
from cryoccd.nn.image_pool import ImagePool


def numbered(*numbers: int) -> torch.Tensor:
    return torch.tensor(numbers, dtype=torch.float32).reshape(-1, 1, 1, 1).expand(-1, 1, 2, 3)


def seeded(*seeds: int) -> list[torch.Generator]:
    return [torch.Generator().manual_seed(seed) for seed in seeds]


def feed(pool: ImagePool, numbers: range) -> list[int]:
    return [int(pool(numbered(i), seeded(i))[0, 0, 0, 0]) for i in numbers]


def test_a_filling_pool_passes_images_on():
    pool = ImagePool(5)
    assert feed(pool, range(5)) == [0, 1, 2, 3, 4]
    assert torch.equal(pool.get_extra_state(), numbered(0, 1, 2, 3, 4))


def test_a_full_pool_returns_an_old_image_half_of_the_time_and_replaces_it():
    pool = ImagePool(5)
    feed(pool, range(5))
    stored, old, places = set(range(5)), 0, [0] * 5
    for i in range(5, 1605):
        before = [int(image[0, 0, 0]) for image in pool.images]
        (returned,) = feed(pool, range(i, i + 1))
        assert returned == i or returned in stored
        if returned != i:
            old += 1
            places[before.index(returned)] += 1
            stored = stored - {returned} | {i}
        assert {int(image[0, 0, 0]) for image in pool.images} == stored
    assert abs(old - 800) < 5 * 20  # 5 standard deviations of 1600 fair coins
    assert all(abs(count - old / 5) < 5 * (old * 0.16) ** 0.5 for count in places)


def test_state_round_trip_is_exact_and_the_run_goes_on_the_same():
    holder = torch.nn.Sequential(ImagePool(4))
    pool = holder[0]
    feed(pool, range(3))
    for _ in range(2):  # half filled, then full
        file = io.BytesIO()
        torch.save(holder.state_dict(), file)
        file.seek(0)
        other = torch.nn.Sequential(ImagePool(4))
        other.load_state_dict(torch.load(file, weights_only=True))
        assert torch.equal(other[0].get_extra_state(), pool.get_extra_state())
        assert feed(other[0], range(10, 40)) == feed(pool, range(10, 40))
    fresh = torch.nn.Sequential(ImagePool(4))
    other.load_state_dict(fresh.state_dict())  # an empty pool is a state too
    assert other[0].images == []


def test_size_0_is_the_identity_and_draws_nothing():
    pool = ImagePool(0)
    generators = seeded(0, 1)
    images = numbered(7, 8)
    assert torch.equal(pool(images, generators), images)
    assert torch.equal(generators[0].get_state(), seeded(0)[0].get_state())
    assert pool.images == []


def test_what_comes_out_carries_no_gradient_and_what_is_stored_no_alias():
    pool = ImagePool(2)
    for i in range(1, 21):  # 2 that fill the pool, 18 of which about half replace
        images = numbered(i).clone().requires_grad_()
        assert not pool(images, seeded(i)).requires_grad
        stored = pool.get_extra_state()
        with torch.no_grad():
            images.zero_()
        assert torch.equal(pool.get_extra_state(), stored)
    assert not torch.equal(stored, numbered(1, 2))


def test_draws_of_an_image_do_not_depend_on_its_batch():
    whole, single = ImagePool(3), ImagePool(3)
    together = [whole(numbered(i, i + 1), seeded(i, i + 1)) for i in range(0, 60, 2)]
    assert torch.cat(together)[:, 0, 0, 0].tolist() == feed(single, range(60))


def test_misfits_are_refused():
    pool = ImagePool(2)
    feed(pool, range(2))
    with pytest.raises(CryoccdError, match=r"holds images of shape \[1, 2, 3\], got \[1, 4, 4\]"):
        pool(torch.zeros(1, 1, 4, 4), seeded(0))
    with pytest.raises(CryoccdError, match="size = 1, but the checkpoint holds 2 images"):
        ImagePool(1).load_state_dict(pool.state_dict())
    with pytest.raises(CryoccdError, match="size = -1, expected 0 or more"):
        ImagePool(-1)
    with pytest.raises(ValueError, match="zip"):
        pool(numbered(1, 2), seeded(0))
