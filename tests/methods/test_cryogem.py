import copy
import functools

import lightning as L
import pytest
import torch
from translators import (
    Toy,
    calibrated,
    fit,
    seeded,
    spectrum_error_db,
    toy_batch,
    translated,
)

from cryoccd.errors import CryoccdError
from cryoccd.methods.cryogem import CryoGEM
from cryoccd.nn.feature_head import FeatureHead
from cryoccd.nn.patch_discriminator import PatchDiscriminator
from cryoccd.nn.unet_generator import UNetGenerator


def method(seed: int = 0, **changes) -> CryoGEM:
    torch.manual_seed(seed)
    generator = UNetGenerator(depth=4, base_channels=8)
    settings = {
        "optimizer": functools.partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.999)),
        "constant_images": 10_000,
        "decay_images": 0,
        "nce_levels": (1, 2, 3),
        "n_points": 32,
        "tile_px": 128,
        "overlap_px": 32,
    } | changes
    head = FeatureHead(generator.widths[:3], width=32)
    return CryoGEM(generator, PatchDiscriminator(8), head, **settings)


def test_training_brings_the_spectrum_to_that_of_real_and_keeps_the_particles():
    data = Toy(batches=120, size=4)
    model = calibrated(method(), data)
    held_out = toy_batch(8, 64, seed=1000)
    before = spectrum_error_db(translated(model.eval(), held_out), held_out.real)
    fit(model.train(), data)
    image = translated(model, held_out)
    after = spectrum_error_db(image, held_out.real)
    assert after < 0.6 * before, (before, after)
    again = translated(model, held_out, seed=1)
    deviation = [(x - x.mean()).flatten() for x in (image, again, held_out.clean)]
    correlation = torch.corrcoef(torch.stack(deviation))
    assert correlation[0, 2] > 0.15  # white pre-noise at SNR 0.1 itself leaves 0.3
    assert correlation[0, 1] < 0.98  # another seed is another noise


def test_each_loss_trains_the_networks_it_is_said_to_train():
    model = calibrated(method(), Toy(1))
    batch = toy_batch(2, 32, 0)
    source = model.source(batch.clean, batch.ice, seeded(0, 2))
    generated = model.generator(source)
    model.contrastive_loss(source, generated, batch.mask, seeded(0, 2)).backward()
    assert all(bool((p.grad != 0).any()) for p in model.head.parameters() if p.ndim > 1)
    # decoder by the generated image, encoder by both passes
    weights = [p for p in model.generator.parameters() if p.ndim > 1]
    assert all(bool((p.grad != 0).any()) for p in weights)
    assert all(p.grad is None for p in model.discriminator.parameters())


def test_a_step_moves_all_three_networks_and_the_adversary_sees_no_generator_gradient():
    model = calibrated(method(lambda_nce=0.0), Toy(1))
    before = copy.deepcopy(model.state_dict())
    fit(model, Toy(1))
    after = model.state_dict()

    def moved(network: str) -> list[bool]:
        names = [n for n in before if n.startswith(network) and n.endswith("weight")]
        return [not torch.equal(before[n], after[n]) for n in names]

    assert all(moved("generator"))
    assert all(moved("discriminator"))
    assert not any(moved("head"))  # the adversarial loss is none of its business
    assert all(p.requires_grad for p in model.discriminator.parameters())

    model = calibrated(method(lambda_gan=0.0), Toy(1))
    before = copy.deepcopy(model.state_dict())
    fit(model, Toy(1))
    after = model.state_dict()
    assert all(moved("generator"))
    assert all(moved("head"))


@pytest.mark.parametrize("fill", [0.0, 1.0])
def test_masks_of_one_class_train(fill):
    data = Toy(2)
    for batch in data.batches:
        batch.mask.fill_(fill)
    model = fit(calibrated(method(), data), data)
    assert all(bool(p.isfinite().all()) for p in model.parameters())


def test_an_image_without_particles_drops_out_of_the_contrastive_loss():
    model = calibrated(method(), Toy(1))
    batch = toy_batch(2, 32, 0)
    batch.mask[1] = 0
    images = model.source(batch.clean, batch.ice, seeded(0, 2))
    pair, alone = (
        model.contrastive_loss(images[:n], -images[:n], batch.mask[:n], seeded(5, n))
        for n in (2, 1)
    )
    empty = model.contrastive_loss(images, -images, 0 * batch.mask, seeded(5, 2))
    torch.testing.assert_close(pair, alone)
    assert float(alone.detach()) > 0
    assert float(empty.detach()) == 0


def test_training_repeats_under_a_seed():
    first, second, other = (
        fit(calibrated(method(seed=seed), Toy(3)), Toy(3)).state_dict() for seed in (0, 0, 1)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not torch.equal(first["generator.ups.0.0.weight"], other["generator.ups.0.0.weight"])


def test_source_has_the_stated_snr_and_unit_scale():
    data = Toy(1, size=32, side=64)
    model = calibrated(method(snr=0.25, range_sd=4.0), data)
    batch = data.batches[0]
    source = 4 * model.source(batch.clean, batch.ice, seeded(0, 32))
    assert float(source.std()) == pytest.approx(1, abs=0.03)
    signal = batch.clean - batch.clean.mean((2, 3), keepdim=True)
    slope = float((source * signal).sum() / signal.square().sum())
    explained = slope**2 * float(signal.square().mean())
    assert explained / (1 - explained) == pytest.approx(0.25, rel=0.1)


def test_ice_weakens_the_beam_by_the_ice_contrast():
    model = calibrated(method(ice_contrast=0.1, snr=1e12), Toy(1))
    flat = torch.zeros(1, 1, 16, 16)
    bright, dark = (
        model.source(flat, torch.full_like(flat, ice), seeded(0, 1)) for ice in (1.0, 0.0)
    )
    lost = float((bright - dark).mean()) * 6 * float(model.clean_sd)
    assert lost == pytest.approx(0.1, rel=1e-4)


def test_any_shape_is_translated_alike_alone_and_in_a_batch():
    model = calibrated(method(), Toy(1)).eval()
    pair = [torch.zeros(2, 1, 200, 328) for _ in range(2)]
    ice, style = torch.ones(2, 1, 200, 328), torch.zeros(2, dtype=torch.int64)
    pair[0][1, 0, 5, 5] = 1e3  # a hot pixel in the neighbour
    both = model.translate(*pair, ice, style, torch.Generator().manual_seed(3))
    alone = model.translate(
        *(field[:1] for field in (*pair, ice, style)), torch.Generator().manual_seed(3)
    )
    assert both.shape == (2, 1, 200, 328)
    torch.testing.assert_close(both[:1], alone, atol=1e-4, rtol=1e-4)
    assert both.abs().max() <= 6


def test_rate_falls_linearly_to_zero_at_the_end_of_the_budget():
    model = method(constant_images=100, decay_images=50)
    assert model.max_images == 150
    factors = []
    for model.images_seen in (0, 100, 125, 150):
        factors.append(model.rate_factor())
    assert factors == [1, 1, 0.5, 0]

    class Rates(L.Callback):
        seen: list[float] = []  # noqa: RUF012 - of one test

        def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
            groups = [o.param_groups[0] for o in trainer.optimizers]
            assert len(groups) == 2
            self.seen.append(sum(g["lr"] for g in groups) / 2)

    data = Toy(4)
    fit(calibrated(method(constant_images=16, decay_images=16), data), data, Rates())
    assert Rates.seen == pytest.approx([1e-3, 1e-3, 1e-3, 0.5e-3])


def test_first_non_finite_loss_stops_with_a_line_and_spares_the_weights(tmp_path):
    data = Toy(2)
    data.batches[1].real.fill_(float("nan"))
    model = calibrated(method(), data)
    with pytest.raises(CryoccdError, match="discriminator loss is nan after 8 training images"):
        fit(model, data, root=tmp_path)
    assert all(bool(p.isfinite().all()) for p in model.parameters())
    (saved,) = tmp_path.glob("nonfinite_*.pt")
    assert bool(torch.load(saved, weights_only=True)["real"].isnan().all())


def test_checkpoint_brings_calibration_along(tmp_path):
    model = calibrated(method(), Toy(1)).eval()
    torch.save({"state_dict": model.state_dict()}, tmp_path / "model.ckpt")
    loaded = method(seed=5).eval()
    batch = toy_batch(1, 32, 0)
    with pytest.raises(CryoccdError, match="not calibrated"):
        translated(loaded, batch)
    state = torch.load(tmp_path / "model.ckpt", weights_only=True)["state_dict"]
    loaded.load_state_dict(state)
    assert torch.equal(translated(loaded, batch), translated(model, batch))
    assert loaded.choices() == model.choices()


def test_real_ice_maps_of_training_serve_translation():
    data = Toy(1)
    data.batches[0].ice.copy_(torch.linspace(0.2, 1, 32).expand(8, 1, 32, 32))
    modelled = torch.full((40, 48), 0.5)
    model = calibrated(method(), data)
    drawn = model.ice_input(modelled, torch.Generator().manual_seed(0))
    assert drawn.shape == modelled.shape
    assert bool((drawn.diff(dim=-1) >= -1e-6).all())
    assert 0.19 < float(drawn.min()) < 0.4
    assert 0.8 < float(drawn.max()) < 1.01
    data.ice_source = "model"
    assert calibrated(method(), data).ice_input(modelled, torch.Generator()) is modelled


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"snr": 0.0}, "snr = 0.0, expected above 0"),
        ({"ice_contrast": 2.0}, "ice_contrast = 2.0, expected 0 to 1"),
        ({"constant_images": 0}, "constant_images = 0, decay_images = 0"),
        ({"nce_levels": (1, 2, 9)}, r"nce_levels = \[1, 2, 9\], expected levels 1 to 4"),
        ({"nce_levels": (2, 3, 4)}, r"head.channels = \(8, 16, 32\), expected \(16, 32, 64\)"),
        ({"overlap_px": 100}, "tiling: tile_px = 128, overlap_px = 100"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, line):
    with pytest.raises(CryoccdError, match=line):
        method(**changes)


def test_particles_are_needed_for_calibration():
    data = Toy(1)
    data.batches[0].clean.fill_(0)
    with pytest.raises(CryoccdError, match="no micrograph has a particle"):
        calibrated(method(), data)
