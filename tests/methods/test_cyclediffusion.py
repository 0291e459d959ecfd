import gc

import pytest
import torch
from denoisers import Denoiser
from torch import Tensor
from translators import Toy, demo, fit, seeded, toy_batch, translated

from cryoccd.errors import CryoccdError
from cryoccd.methods.cyclediffusion import CycleDiffusion, kept_levels
from cryoccd.methods.noise_prediction import tiled_predictor


def predictors(model: CycleDiffusion, image: Tensor):
    style = torch.zeros(len(image), dtype=torch.int64)
    return [
        tiled_predictor(net, model.schedule, image[:, :0], style, (512, 64, 4))
        for net in (model.source_net, model.real_net)
    ]


@torch.no_grad()
@pytest.mark.parametrize(("steps", "eta"), [(17, 0.1), (17, 1.0), (3, 0.1), (1, 0.1)])
def test_one_model_encodes_and_decodes_to_the_input(steps, eta):
    model = demo("cyclediffusion", steps=steps, eta=eta).eval()
    image = toy_batch(2, 32, 0).real / 2
    a, b = predictors(model, image)
    back = model.transfer(image, a, a, seeded(0, 2))
    # what is left is x̂0 of the last level alone: σ √(1 / ᾱ − 1) of the noise that ε misses
    level = kept_levels(model.start, steps)[-1]
    sigma = float((1 / model.schedule.alpha_bar[level] - 1).sqrt())
    assert (back - image).std() < 1.2 * sigma
    if steps > 1:
        assert level == 0
        assert sigma == pytest.approx(0.01, rel=0.01)
        assert (model.transfer(image, a, b, seeded(0, 2)) - image).std() > 0.03


def test_a_trained_model_returns_the_input_too():
    model = fit(demo("cyclediffusion"), Toy(20, size=4))
    image = toy_batch(2, 32, 1).real / 2
    with torch.no_grad():
        a, b = predictors(model, image)
        assert (model.transfer(image, b, b, seeded(0, 2)) - image).std() < 0.015
        assert (model.transfer(image, a, b, seeded(0, 2)) - image).std() > 0.03


class Remembering:
    """A denoiser that keeps no image, and counts those alive at each call."""

    def __init__(self, denoiser: Denoiser) -> None:
        self.denoiser = denoiser
        self.alive: list[int] = []

    def __call__(self, image: Tensor, t: Tensor) -> Tensor:
        self.alive.append(
            sum(type(o) is Tensor and o.shape == image.shape for o in gc.get_objects())
        )
        predicted = self.denoiser(image, t)
        self.denoiser.calls.clear()
        return predicted


def exact(model: CycleDiffusion) -> list[Remembering]:
    """Predictors of N(0, 0.5²) and N(0.3, 0.25²)."""
    laws = ((0.0, 0.5), (0.3, 0.25))
    return [Remembering(Denoiser(model.schedule, mean, sd)) for mean, sd in laws]


def test_the_law_of_one_gaussian_becomes_that_of_the_other():
    model = demo("cyclediffusion", steps=170, eta=1.0, refine_steps=50)
    source = 0.5 * torch.randn(4, 1, 64, 64, generator=torch.manual_seed(0))
    a, b = exact(model)
    found = model.transfer(source, a.denoiser, b.denoiser, seeded(0, 4))
    # 16384 pixels: standard error 0.002 of the mean, 0.6 % of the sd; the rest is discretisation
    assert found.mean() == pytest.approx(0.3, abs=0.01)
    assert found.std() == pytest.approx(0.25, rel=0.03)
    assert torch.corrcoef(torch.stack([source.flatten(), found.flatten()]))[0, 1] > 0.9
    refined = model.refine(found, b.denoiser, seeded(0, 4))
    assert refined.mean() == pytest.approx(0.3, abs=0.01)
    assert refined.std() == pytest.approx(0.25, rel=0.03)
    astray = model.refine(source, b.denoiser, seeded(0, 4))  # 100 levels are too few for that
    assert astray.std() > 0.3


def test_memory_does_not_grow_with_the_steps():
    model = demo("cyclediffusion", steps=40, refine_steps=20)
    source = torch.randn(2, 1, 17, 19)
    a, b = exact(model)
    gc.collect()
    gc.freeze()  # what was there before is neither ours nor counted
    model.transfer(source, a, b, seeded(0, 2))
    model.refine(source, b, seeded(0, 2))
    gc.unfreeze()
    assert (len(a.alive), len(b.alive)) == (39, 60)
    assert min(a.alive) > 0
    assert max(a.alive[20:]) <= max(a.alive[:5])
    assert max(b.alive[20:]) <= max(b.alive[:5])


@pytest.mark.parametrize(
    ("start", "steps", "refine_start", "refine_steps"),
    [(850, 17, 100, 4), (10, 10, 0, 4), (1, 1, 5, 5)],
)
def test_one_evaluation_a_step_of_each_model(start, steps, refine_start, refine_steps):
    model = demo(
        "cyclediffusion",
        start=start,
        steps=steps,
        refine_start=refine_start,
        refine_steps=refine_steps,
    )
    calls = {"source": [], "real": []}
    for name, net in (("source", model.source_net), ("real", model.real_net)):
        net.register_forward_pre_hook(
            lambda _net, arguments, name=name: calls[name].append(float(arguments[1][0]))
        )
    translated(model.eval(), toy_batch(1, 32, 0))
    levels = [(t + 1) / 1000 for t in kept_levels(start, steps)]
    assert calls["source"] == pytest.approx(levels[:-1])  # the last step has no noise to be encoded
    again = [(t + 1) / 1000 for t in kept_levels(refine_start, refine_steps)]
    assert calls["real"] == pytest.approx(levels + (again if refine_start else []))
    assert len(levels) == steps
    assert levels == sorted(set(levels), reverse=True)


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"eta": 0.0}, "eta = 0.0, expected above 0 to 1"),
        ({"start": 1001}, "start = 1001, expected 1 to 1000"),
        ({"steps": 851}, "steps = 851, expected 1 to start = 850"),
        ({"refine_steps": 101}, "refine_steps = 101, expected 1 to refine_start = 100"),
        ({"source_net.init_args.n_conditions": 1}, "source_net.n_conditions = 1, expected 0"),
        ({"overlap_px": 6}, "tiling: tile_px = 512, overlap_px = 6"),
    ],
)
def test_settings_that_do_not_fit_are_refused(changes, line):
    with pytest.raises(CryoccdError, match=line):
        demo("cyclediffusion", **changes)
