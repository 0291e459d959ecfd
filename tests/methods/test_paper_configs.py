"""The configurations hold the networks, optimizers and budgets of the papers; demos stay small."""

from functools import cache

import pytest
import torch
import yaml
from translators import CONFIGS, LEARNED, built

from cryoccd.errors import CryoccdError
from cryoccd.methods.trained import TrainedTranslator

ADVERSARIAL, DENOISING = (1e-4, (0.5, 0.999)), (1e-4, (0.9, 0.999))
OF_CUT = (2e-4, (0.5, 0.999))
RESNET, UNET = 11_365_633, 79_571_329
PATCH_128, PATCH_64 = 11_030_401, 2_762_689
CRYOCCD = {
    "forward_net": 10_726_685,  # the paper's code: 10.49 million, told nothing
    "backward_net": 10_725_533,
    "discriminator": PATCH_128,
    "head": 494_080,
}
DDPM = 10_724_957
CUT = {"generator": RESNET, "discriminator": PATCH_64, "head": 559_872}
CRYOGEM = {"generator": UNET, "discriminator": PATCH_128, "head": 707_072}
NETWORKS: dict[str, dict[str, int]] = {
    "cryoccd": CRYOCCD,
    "cryoccd_t1000": CRYOCCD,
    "cryoccd_v1": CRYOCCD | {"forward_net": 10_725_533},
    "cryogem": CRYOGEM,
    "cryogem_ndf64": CRYOGEM | {"discriminator": PATCH_64},
    "cut": CUT,
    "fastcut": CUT,
    "cyclegan": dict.fromkeys(("forward_net", "backward_net"), RESNET)
    | dict.fromkeys(("discriminator_real", "discriminator_source"), PATCH_64),
    "cyclediffusion": {"source_net": DDPM, "real_net": DDPM},
    "sdedit": {"net": DDPM},
}
TRAINING = {  # rate and betas, constant and decaying images
    "cryoccd": (ADVERSARIAL, 25 * 300, 75 * 300),
    "cryoccd_t1000": (ADVERSARIAL, 25 * 300, 75 * 300),
    "cryoccd_v1": (ADVERSARIAL, 25 * 300, 75 * 300),
    "cryogem": (ADVERSARIAL, 25 * 100, 75 * 100),
    "cryogem_ndf64": (ADVERSARIAL, 25 * 100, 75 * 100),
    "cut": (OF_CUT, 200 * 100, 200 * 100),
    "fastcut": (OF_CUT, 150 * 100, 50 * 100),
    "cyclegan": (OF_CUT, 200 * 100, 200 * 100),
    "cyclediffusion": (DENOISING, 50_000 * 8, 0),
    "sdedit": (DENOISING, 50_000 * 8, 0),
}
SETTINGS = {
    "cryoccd": {"lambda_gan": 1, "lambda_cycle": 3, "lambda_nce": 5, "lambda_denoise": 0},
    "cryoccd_v1": {"lambda_gan": 1, "lambda_cycle": 5, "lambda_nce": 20, "lambda_denoise": 1},
    "cryogem": {"lambda_gan": 1, "lambda_nce": 10, "nce_levels": (1, 2, 3, 4, 5)},
    "cut": {"lambda_gan": 1, "lambda_nce": 1, "identity": True, "mirror": False},
    "fastcut": {"lambda_gan": 1, "lambda_nce": 10, "identity": False, "mirror": True},
    "cyclegan": {"lambda_source": 10, "lambda_real": 10, "lambda_identity": 0.5},
    "cyclediffusion": {"start": 850, "steps": 850, "eta": 0.1, "refine_start": 100},
}


@cache
def paper(name: str) -> TrainedTranslator:
    # a noise schedule computes with its numbers, so that its networks are drawn too
    with torch.device("cpu" if "schedule" in (CONFIGS / f"{name}.yaml").read_text() else "meta"):
        return built(name)


@pytest.mark.parametrize("name", LEARNED)
def test_networks_optimizers_and_budget(name):
    model = paper(name)
    trained = [net for networks in model.networks().values() for net in networks]
    counts = {
        child: sum(p.numel() for p in net.parameters())
        for child, net in model.named_children()
        if net in trained
    }
    assert counts == NETWORKS[name]
    (rate, betas), constant, decaying = TRAINING[name]
    optimizers = model.configure_optimizers()
    assert len(optimizers) == len(model.networks())
    for optimizer in optimizers:
        assert isinstance(optimizer, torch.optim.Adam)
        settings = optimizer.defaults
        assert (settings["lr"], tuple(settings["betas"])) == (rate, betas)
        assert settings["weight_decay"] == 0
    assert (model.constant_images, model.decay_images) == (constant, decaying)
    assert model.max_images == constant + decaying
    assert model.snr == 0.1
    contrast = getattr(model, "contrast", None)
    assert contrast is None or (contrast.n_points, contrast.temperature) == (256, 0.07)
    for key, value in SETTINGS.get(name, {}).items():
        assert getattr(model, key) == value, key


@pytest.mark.parametrize(
    ("name", "levels", "scheduler", "start", "steps"),
    [
        ("cryoccd", 10, "UniPCMultistepScheduler", None, 10),
        ("cryoccd_t1000", 1000, "UniPCMultistepScheduler", None, 10),
        ("cryoccd_v1", 10, "DDPMScheduler", None, 10),
        ("sdedit", 1000, "DDPMScheduler", 400, 400),
    ],
)
def test_samplers(name, levels, scheduler, start, steps):
    model = paper(name)
    sampler = model.sampler
    made = sampler.scheduler(num_train_timesteps=10, trained_betas=[0.01] * 10)
    assert type(made).__name__ == scheduler
    assert made.config.get("solver_order", 2) == 2
    assert not made.config.get("disable_corrector")
    assert (model.schedule.steps, sampler.start, sampler.steps) == (levels, start, steps)


@pytest.mark.parametrize("name", LEARNED)
def test_a_demo_changes_the_size_and_keeps_the_rest(name):
    big, small = paper(name), built(name, f"demo/{name}")
    assert sum(p.numel() for p in small.parameters()) < 3e6
    assert small.max_images < big.max_images
    assert small.tile_px <= 512
    kept = {"snr", "ice_contrast", "range_sd", "eta", "start", "conditions", "temperature"}
    kept |= {key for key in vars(big) if key.startswith("lambda_")}
    for key in kept & vars(big).keys():
        assert getattr(small, key) == getattr(big, key), key


def test_diffusions_are_averaged():
    files = {name: yaml.safe_load((CONFIGS / f"{name}.yaml").read_text()) for name in LEARNED}
    averaged = {name: file["average"]["decay"] for name, file in files.items() if "average" in file}
    assert averaged == {"cyclediffusion": 0.9999, "sdedit": 0.9999}


@pytest.mark.parametrize("name", LEARNED)
def test_an_unknown_key_is_refused_in_one_line(name):
    with pytest.raises(CryoccdError, match=r"unknown key snrr \(is it snr\?\)$") as found:
        built(name, snrr=0.2)
    assert "\n" not in str(found.value)
