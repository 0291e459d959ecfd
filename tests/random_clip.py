"""Random weights in the format of the published CLIP file, in any size."""

import torch


def clip_shapes(width=64, depth=2, inner=96, patch_px=4, patches=3, projection=10):
    """Shape by name of what the file holds, but for most of the text side."""
    vision, layer = "vision_model", "vision_model.encoder.layers"
    shapes = {
        "logit_scale": (),
        "text_projection.weight": (projection, width),
        f"{vision}.embeddings.class_embedding": (width,),
        f"{vision}.embeddings.patch_embedding.weight": (width, 3, patch_px, patch_px),
        f"{vision}.embeddings.position_embedding.weight": (patches**2 + 1, width),
        f"{vision}.embeddings.position_ids": (1, patches**2 + 1),
        "visual_projection.weight": (projection, width),
    }
    square = dict.fromkeys(["q_proj", "k_proj", "v_proj", "out_proj"], (width, width))
    linear = {f"self_attn.{name}": shape for name, shape in square.items()}
    linear |= {"mlp.fc1": (inner, width), "mlp.fc2": (width, inner)}
    for i in range(depth):
        for name, shape in linear.items():
            shapes[f"{layer}.{i}.{name}.weight"] = shape
            shapes[f"{layer}.{i}.{name}.bias"] = shape[:1]
        for part in ("weight", "bias"):
            shapes[f"{layer}.{i}.layer_norm1.{part}"] = (width,)
            shapes[f"{layer}.{i}.layer_norm2.{part}"] = (width,)
    for name in ("pre_layrnorm", "post_layernorm"):
        shapes |= {f"{vision}.{name}.{part}": (width,) for part in ("weight", "bias")}
    return shapes


def clip_state(seed=0, **sizes):
    """A state dict of the size; LayerNorms are not the identity, positions matter."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in clip_shapes(**sizes).items():
        scale = shape[-1] ** -0.5 if len(shape) > 1 else 0.5
        state[name] = torch.randn(shape, generator=generator) * scale
        if "norm" in name and name.endswith("weight"):
            state[name] += 1
    ids = "vision_model.embeddings.position_ids"
    state[ids] = torch.arange(state[ids].numel())[None]
    return state
