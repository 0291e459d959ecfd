"""No image, and no pixel of it, changes what the networks make of the others."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from translators import LEARNED, demo, lively, seeded, toy_batch, translated

from cryoccd.methods.trained import TrainedTranslator
from cryoccd.records import UnpairedBatch

FEW_STEPS = {"cyclediffusion": {"steps": 4, "refine_steps": 2}}
OF_REAL = {
    "cryoccd": 3,  # D, ε_BA noised and as its condition
    "cryoccd_t1000": 3,
    "cryoccd_v1": 5,  # and in the denoising of both
    "cryogem": 1,
    "cryogem_ndf64": 1,
    "cut": 2,  # D, and G for the identity
    "fastcut": 1,
    "cyclegan": 3,  # D_B, F, and G for the identity
    "cyclediffusion": 1,
    "sdedit": 1,
}
"""Fields that the networks are given and that are real images but for noise."""


@pytest.mark.parametrize("name", LEARNED)
def test_an_image_is_translated_alike_alone_and_beside_a_hot_pixel(name):
    model = lively(demo(name, **FEW_STEPS.get(name, {})))
    batch = toy_batch(2, 48, 0)
    batch.clean[1, 0, 5, 5] = 1e3
    alone = UnpairedBatch(
        **{k: v[:1] if isinstance(v, Tensor) else v for k, v in vars(batch).items()}
    )
    both = translated(model, batch)
    assert both.isfinite().all()
    torch.testing.assert_close(both[:1], translated(model, alone), atol=1e-3, rtol=1e-3)
    assert float(both[:1].std()) > 0.1
    again = translated(model, alone, seed=1)
    assert float((again - both[:1]).std()) > 0.1


def seen(model: TrainedTranslator, batch: UnpairedBatch) -> list[Tensor]:
    """Fields (b, h, w), one channel each, that networks are given in a training step."""
    fields: list[Tensor] = []
    networks = {id(net): net for several in model.networks().values() for net in several}

    def keep(_net, arguments):
        images = [a for a in arguments if isinstance(a, Tensor) and a.ndim == 4]
        fields.extend(torch.cat(images, 1).detach().unbind(1) if images else [])

    hooks = [net.register_forward_pre_hook(keep) for net in networks.values()]
    model.descend = lambda name, loss: None
    model.losses(batch, seeded(0, len(batch)))
    for hook in hooks:
        hook.remove()
    return fields


@pytest.mark.parametrize("name", LEARNED)
def test_a_hot_pixel_of_a_real_image_leaves_the_rest_of_the_networks_input_alone(name):
    model = demo(name)
    batch = toy_batch(2, 32, 0)
    hot = replace(batch, real=batch.real.clone())
    hot.real[1, 0, 5, 5] = 1e6
    spots = []
    for field, other in zip(seen(model, batch), seen(model, hot), strict=True):
        moved = (field - other).abs()
        if int((moved > 0).sum()) == 1:
            spots.append(float(moved[1, 5, 5]))
    assert len(spots) == OF_REAL[name], spots
    assert all(0 < spot < 4 for spot in spots)  # cut at 1 or 3 in units of the networks
