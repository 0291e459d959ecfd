"""Published weights of the networks that metrics compare by: where they are had, and their hashes.

Both are plain state dicts, which a restricted load reads. CLIP is the file of the transformers
library, at a fixed revision, as the one of CLIP's authors is a TorchScript program.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedWeights:
    """One file of weights.

    Args:
        file: its name in the cache.
        host: field of `Hosts` that has it.
        path: where it is below that host.
        sha256: of the file, in hexadecimal.
    """

    file: str
    host: str
    path: str
    sha256: str


PUBLISHED = {
    "inception": PublishedWeights(
        "weights-inception-2015-12-05-6726825d.pth",
        "github",
        "toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
        "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    ),
    "clip": PublishedWeights(
        "clip-vit-large-patch14-336-c6032c2e.bin",
        "hugging_face",
        "openai/clip-vit-large-patch14-336/resolve/ce19dc912ca5cd21c8a653c79e251e808ccabcd1/"
        "pytorch_model.bin",
        "c6032c2e0caae3dc2d4fba35535fa6307dbb49df59c7e182b1bc4b3329b81801",
    ),
}
"""By name: Inception-v3 of the original FID (96 MB) and CLIP ViT-L/14 at 336 px (1.7 GB)."""
