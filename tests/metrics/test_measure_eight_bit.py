"""What a network for photographs sees of a crop."""

import pytest
import torch
from PIL import Image

from cryoccd.metrics.networks.eight_bit import (
    EightBit,
    full_precision,
    to_8_bit,
    to_photographs,
    tone_limits,
)


def test_tone_map_takes_its_ends_from_the_real_set():
    ramp = torch.arange(1001.0).reshape(7, 143)
    assert tone_limits(iter([ramp, ramp + 10])) == (10.0, 1000.0)
    mapped = to_8_bit(torch.tensor([[-50.0, 10.0, 505.0, 1000.0, 1e6]]), (10.0, 1000.0))
    assert mapped.tolist() == [[0, 0, 128, 255, 255]]


@pytest.mark.parametrize(("interpolation", "side"), [("bilinear", 299), ("bicubic", 20)])
def test_resizing_is_that_of_photographs(interpolation, side):
    """Pillow's: with antialias, in 8 bit; other libraries' FIDs move where theirs is not."""
    generator = torch.Generator().manual_seed(0)
    grey = torch.randint(0, 256, (2, 64, 48), generator=generator).to(torch.uint8)
    seen = to_photographs(grey, side, interpolation)
    assert seen.shape == (2, 3, side, side)
    assert seen.dtype == torch.uint8
    mode = Image.Resampling[interpolation.upper()]
    for crop, photograph in zip(grey, seen, strict=True):
        pillow = Image.fromarray(crop.numpy()).resize((side, side), mode)
        theirs = torch.tensor(list(pillow.tobytes())).reshape(side, side)
        assert int((photograph - theirs).abs().max()) <= 1
        assert torch.equal(photograph[0], photograph[2])


def test_an_extractor_of_8_bit_crops_takes_any():
    class Network:
        name, version = "clip", "v1"

        def __call__(self, grey):
            assert grey.dtype == torch.uint8
            return grey.flatten(1).float()

    extractor = EightBit(Network(), (-1.0, 1.0))
    assert (extractor.name, extractor.version) == ("clip", "v1")
    assert extractor(torch.tensor([[[-2.0, 0.2, 1.0]]])).tolist() == [[0.0, 153.0, 255.0]]


def test_full_precision_and_back():
    torch.set_float32_matmul_precision("high")  # as many a trainer has it
    try:
        with full_precision():
            assert torch.get_float32_matmul_precision() == "highest"
            assert not torch.backends.cudnn.allow_tf32
        assert torch.get_float32_matmul_precision() == "high"
        assert torch.backends.cudnn.allow_tf32
    finally:
        torch.set_float32_matmul_precision("highest")
