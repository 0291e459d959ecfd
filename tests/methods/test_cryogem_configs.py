from pathlib import Path

import pytest
import torch
from jsonargparse import ActionConfigFile, ArgumentParser

from cryoccd.methods.base import Translator
from cryoccd.methods.cryogem import CryoGEM

CONFIGS = Path(__file__).parents[2] / "configs" / "method"


def built(*names: str) -> CryoGEM:
    parser = ArgumentParser(parser_mode="omegaconf", exit_on_error=False)
    parser.add_argument("--config", action=ActionConfigFile)
    parser.add_subclass_arguments(Translator, "model")
    arguments = [part for name in names for part in ("--config", str(CONFIGS / name))]
    return parser.instantiate(parser.parse_args(arguments)).model


def test_paper_config_has_the_papers_networks_and_optimizer():
    with torch.device("meta"):
        model = built("cryogem.yaml")
    networks = (model.generator, model.discriminator, model.head)
    sizes = [sum(p.numel() for p in network.parameters()) for network in networks]
    assert sizes == [79_571_329, 11_030_401, 707_072]
    assert model.max_images == 10_000
    for optimizer in model.configure_optimizers():
        settings = optimizer.defaults
        assert (settings["lr"], tuple(settings["betas"])) == (1e-4, (0.5, 0.999))
        assert settings["weight_decay"] == 0


def test_demo_config_merges_on_top():
    model = built("cryogem.yaml", "demo/cryogem.yaml")
    assert sum(p.numel() for p in model.generator.parameters()) < 2e6
    assert model.head.channels == (16, 32, 64, 128)
    assert model.lambda_nce == pytest.approx(10)  # what the demo does not name stays the paper's
    image = model.generator(torch.zeros(1, 1, 64, 64))
    assert image.shape == (1, 1, 64, 64)
