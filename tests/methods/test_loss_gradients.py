"""Which network each loss trains, asked of autograd."""

import pytest
import torch
from torch import Tensor
from translators import LEARNED, demo, seeded, toy_batch

from cryoccd.methods.trained import TrainedTranslator
from cryoccd.nn.conditional_unet import ConditionalUNet
from cryoccd.nn.resnet_generator import ResnetGenerator
from cryoccd.nn.unet_generator import UNetGenerator

BOTH = {"forward_net", "backward_net"}
CRYOGEM = {
    "gan": {"generator"},
    "nce": {"generator", "head"},
    "discriminator": {"discriminator"},
}
CUT = CRYOGEM | {"identity": {"generator", "head"}}
CRYOCCD = {
    "gan": {"forward_net"},
    "cycle": BOTH,
    "nce": {"forward_net", "head"},
    "discriminator": {"discriminator"},
}
TRAINS: dict[str, dict[str, set[str]]] = {
    "cryoccd": CRYOCCD,
    "cryoccd_t1000": CRYOCCD,
    "cryoccd_v1": CRYOCCD | {"denoise": BOTH},
    "cryogem": CRYOGEM,
    "cryogem_ndf64": CRYOGEM,
    "cut": CUT,
    "fastcut": CRYOGEM,
    "cyclegan": {
        "gan": BOTH,
        "cycle_source": BOTH,
        "cycle_real": BOTH,
        "identity_source": {"backward_net"},
        "identity_real": {"forward_net"},
        "discriminator": {"discriminator_real", "discriminator_source"},
    },
    "cyclediffusion": {"source": {"source_net"}, "real": {"real_net"}},
    "sdedit": {"denoise": {"net"}},
}


def weights(model: TrainedTranslator) -> dict[str, Tensor]:
    """What has more than one dimension: a bias before a norm has no gradient."""
    return {name: p for name, p in model.named_parameters() if p.ndim > 1}


def trained_by(loss: Tensor, model: TrainedTranslator) -> set[str]:
    """Names of the weights in which a loss has a gradient other than zero."""
    named = weights(model)
    gradients = torch.autograd.grad(loss, named.values(), retain_graph=True, allow_unused=True)
    return {
        name
        for name, gradient in zip(named, gradients, strict=True)
        if gradient is not None and bool((gradient != 0).any())
    }


def losses_of(name: str, **changes) -> tuple[TrainedTranslator, dict[str, Tensor], dict]:
    """A method, its terms of one step without an optimizer, and the sums that it descends on."""
    model = demo(name, **changes)
    descended: dict[str, Tensor] = {}
    # the weights stay as they are, or the graph of a later loss would be of others
    model.descend = descended.__setitem__
    terms = model.losses(toy_batch(2, 64, 0), seeded(0, 2))
    return model, terms, descended


def of_networks(model: TrainedTranslator, names: set[str]) -> set[str]:
    return {name for name in weights(model) if name.split(".")[0] in names}


@pytest.mark.parametrize("name", LEARNED)
def test_each_loss_trains_all_of_the_networks_it_is_said_to_train_and_no_other(name):
    model, terms, descended = losses_of(name)
    assert set(terms) == set(TRAINS[name])
    for term, networks in TRAINS[name].items():
        expected = of_networks(model, networks)
        assert trained_by(terms[term], model) == expected, term

    named = {id(p): n for n, p in weights(model).items()}
    for loss, networks in model.networks().items():
        optimised = {named[id(p)] for net in networks for p in net.parameters() if p.ndim > 1}
        assert trained_by(descended[loss], model) == optimised, loss
    assert set(descended) == set(model.networks())


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("cryoccd", {"gan": 1, "cycle": 4, "nce": 1}),
        ("cryoccd_v1", {"gan": 1, "cycle": 4, "nce": 1, "denoise": 2}),
        (
            "cyclegan",
            {
                "gan": 2,
                "cycle_source": 2,
                "cycle_real": 2,
                "identity_source": 1,
                "identity_real": 1,
            },
        ),
        ("cut", {"gan": 1, "nce": 1, "identity": 1}),
        ("cryogem", {"gan": 1, "nce": 1}),
    ],
)
def test_each_loss_reaches_back_through_all_passes_that_it_hangs_on(name, expected, monkeypatch):
    outputs: list[Tensor] = []
    for kind in (ConditionalUNet, ResnetGenerator, UNetGenerator):
        whole = kind.forward
        monkeypatch.setattr(
            kind,
            "forward",
            lambda *given, whole=whole: outputs.append(whole(*given)) or outputs[-1],
        )
    _, terms, _ = losses_of(name)
    for term, passes in expected.items():
        reached = torch.autograd.grad(terms[term], outputs, retain_graph=True, allow_unused=True)
        assert sum(g is not None and bool((g != 0).any()) for g in reached) == passes, term


@pytest.mark.parametrize(
    ("name", "weight", "absent"),
    [
        ("cryoccd", "lambda_cycle", {"cycle"}),
        ("cryoccd", "lambda_nce", {"nce"}),
        ("cryoccd_v1", "lambda_denoise", {"denoise"}),
        ("cyclegan", "lambda_identity", {"identity_source", "identity_real"}),
    ],
)
def test_a_loss_of_weight_0_is_not_computed(name, weight, absent):
    _, terms, _ = losses_of(name, **{weight: 0.0})
    assert set(terms) == set(TRAINS[name]) - absent


@pytest.mark.parametrize(
    ("name", "weights_of"),
    [
        ("cryoccd", {"gan": 1, "cycle": 3, "nce": 5}),
        ("cryoccd_v1", {"gan": 1, "cycle": 5, "nce": 20, "denoise": 1}),
        ("cryogem", {"gan": 1, "nce": 10}),
        ("cut", {"gan": 1, "nce": 0.5, "identity": 0.5}),
        ("fastcut", {"gan": 1, "nce": 10}),
        (
            "cyclegan",
            {
                "gan": 1,
                "cycle_source": 10,
                "cycle_real": 10,
                "identity_source": 5,
                "identity_real": 5,
            },
        ),
    ],
)
def test_the_generators_loss_is_the_weighted_sum_of_the_papers(name, weights_of):
    _, terms, descended = losses_of(name)
    expected = sum(weight * terms[term] for term, weight in weights_of.items())
    torch.testing.assert_close(descended["generator"], expected)


@torch.no_grad()
def test_fastcut_contrasts_what_is_mirrored_back():
    model = demo("fastcut")
    image, mirrored = toy_batch(2, 32, 0).real / 6, torch.tensor([False, True])
    flipped = torch.stack([image[0], image[1].flip(-1)])
    back = model.contrastive_loss(image, flipped, mirrored, seeded(0, 2))
    astray = model.contrastive_loss(image, flipped, ~mirrored, seeded(0, 2))
    assert float(back) < 0.6 * float(astray)  # strided levels are not symmetric to a pixel
    draws = model._mirrored(seeded(0, 400), image)
    assert 150 < int(draws.sum()) < 250  # 5 standard deviations of 400 fair coins
    assert not bool(demo("cut")._mirrored(seeded(0, 2), image).any())
