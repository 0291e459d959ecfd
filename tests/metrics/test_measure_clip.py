"""CLIP's vision tower against its formulas written out, and against the transformers library."""

import zipfile

import pytest
import torch
from random_clip import clip_shapes, clip_state
from torch.nn.functional import conv2d, layer_norm, linear

from cryoccd.errors import CryoccdError
from cryoccd.metrics.networks.clip import DEVIATION, MEAN, ClipFeatures, describe
from cryoccd.metrics.networks.clip_tower import VisionTower
from cryoccd.metrics.networks.eight_bit import to_photographs

SIZES = {"width": 128, "depth": 3, "inner": 96, "patch_px": 4, "patches": 3, "projection": 10}


def written_out(state, images):
    """Radford et al. 2021 and Dosovitskiy et al. 2021 (eqs. 1-4), one head and one image a time."""

    def part(name):
        return state[f"{name}.weight"], state[f"{name}.bias"]

    def norm(x, name):
        return layer_norm(x, x.shape[-1:], *part(name))

    def attention(x, name):
        q, k, v = (linear(x, *part(f"{name}.{p}_proj")) for p in "qkv")
        heads = []
        for h in range(0, x.shape[1], 64):
            scores = q[:, h : h + 64] @ k[:, h : h + 64].T / 8
            heads.append(scores.softmax(1) @ v[:, h : h + 64])
        return linear(torch.cat(heads, 1), *part(f"{name}.out_proj"))

    out = []
    for image in images:
        embeddings = "vision_model.embeddings"
        kernel = state[f"{embeddings}.patch_embedding.weight"]
        patches = conv2d(image[None], kernel, stride=kernel.shape[-1])[0].flatten(1).T
        x = torch.cat([state[f"{embeddings}.class_embedding"][None], patches])
        x = norm(x + state[f"{embeddings}.position_embedding.weight"], "vision_model.pre_layrnorm")
        for i in range(SIZES["depth"]):
            layer = f"vision_model.encoder.layers.{i}"
            x = x + attention(norm(x, f"{layer}.layer_norm1"), f"{layer}.self_attn")
            inner = linear(norm(x, f"{layer}.layer_norm2"), *part(f"{layer}.mlp.fc1"))
            x = x + linear(inner / (1 + torch.exp(-1.702 * inner)), *part(f"{layer}.mlp.fc2"))
        x = norm(x[0], "vision_model.post_layernorm")
        out.append(state["visual_projection.weight"] @ x)
    return torch.stack(out)


def images(n=3):
    return torch.randn(n, 3, 12, 12, generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def test_the_tower_is_its_formulas():
    state = clip_state(**SIZES)
    tower = VisionTower.of(state).eval()
    torch.testing.assert_close(tower(images()), written_out(state, images()), rtol=1e-4, atol=1e-5)


@torch.no_grad()
def test_the_tower_is_that_of_transformers():
    transformers = pytest.importorskip("transformers")
    config = transformers.CLIPVisionConfig(
        hidden_size=128,
        intermediate_size=96,
        num_hidden_layers=3,
        num_attention_heads=2,
        image_size=12,
        patch_size=4,
        projection_dim=10,
    )
    theirs = transformers.CLIPVisionModelWithProjection(config).eval()
    state = clip_state(**SIZES)
    wanted = {name: state[name] for name in theirs.state_dict()}
    theirs.load_state_dict(wanted)
    embeddings = theirs(pixel_values=images()).image_embeds
    torch.testing.assert_close(VisionTower.of(state).eval()(images()), embeddings)


def test_the_published_size_without_its_numbers():
    large = {"width": 1024, "depth": 24, "inner": 4096, "patch_px": 14, "patches": 24}
    shapes = clip_shapes(**large, projection=768)
    state = {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
    tower = VisionTower.of(state)
    assert tower.side_px == 336
    assert sum(x.numel() for x in tower.parameters()) == 304_293_888
    assert tower.blocks.layers[0].self_attn.num_heads == 16
    assert tower(torch.empty(2, 3, 336, 336, device="meta")).shape == (2, 768)


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "clip.bin"
    torch.save(clip_state(**SIZES), path)
    return path


def test_features_of_a_true_file(weights):
    clip = ClipFeatures(weights)
    generator = torch.Generator().manual_seed(0)
    grey = torch.randint(0, 256, (19, 40, 40), generator=generator).to(torch.uint8)
    features = clip(grey)
    assert features.shape == (19, 10)
    torch.testing.assert_close(features.norm(dim=1), torch.ones(19))
    small = to_photographs(grey, 12, "bicubic").float() / 255
    small = (small - torch.tensor(MEAN)[:, None, None]) / torch.tensor(DEVIATION)[:, None, None]
    expected = written_out(clip_state(**SIZES), small)
    expected = expected / expected.norm(dim=1, keepdim=True)
    torch.testing.assert_close(features, expected, rtol=1e-4, atol=1e-5)
    alone = torch.cat([clip(x[None]) for x in grey])
    torch.testing.assert_close(features, alone, rtol=0, atol=1e-6)
    assert features.std(0).min() > 1e-3
    assert not features.requires_grad


def test_what_is_recorded(weights):
    clip = ClipFeatures(weights)
    assert clip.name == "custom"
    told = describe(weights)
    assert set(told) == {"clip", "clip_resize", "clip_normalisation", "clip_tone_map"}
    for word in ("sha256", "bicubic antialias=True", "0.48145466", "8 bit between percentiles"):
        assert word in clip.version


def test_other_files_are_refused_in_one_line(tmp_path):
    state = clip_state(**SIZES)
    positions = "vision_model.embeddings.position_embedding.weight"
    faults = {
        "no vision": {k: v for k, v in state.items() if not k.startswith("vision")},
        "a layer cut": {k: v for k, v in state.items() if "layers.1.mlp" not in k},
        "another side": state | {positions: state[positions][:-1]},
        "flat": {name: value.flatten() for name, value in state.items()},
        "narrow": clip_state(width=32),
        "no layer": clip_state(depth=0),
    }
    for fault, content in faults.items():
        path = tmp_path / f"{fault}.bin"
        torch.save(content, path)
        with pytest.raises(CryoccdError, match="not the weights of a CLIP vision tower") as error:
            ClipFeatures(path)
        assert "\n" not in str(error.value)
    torch.save({"model": state}, tmp_path / "nested.bin")
    with pytest.raises(CryoccdError, match="other things than named tensors"):
        ClipFeatures(tmp_path / "nested.bin")
    with zipfile.ZipFile(tmp_path / "script.pt", "w") as archive:  # as CLIP's authors publish it
        archive.writestr("m/constants.pkl", b"\x80\x02).")
        archive.writestr("m/code/__torch__.py", b"")
        archive.writestr("m/data.pkl", b"\x80\x02).")
        archive.writestr("m/version", b"3\n")
    with pytest.raises(CryoccdError, match="not a plain file of tensors"):
        ClipFeatures(tmp_path / "script.pt")
