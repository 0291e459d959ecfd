"""The networks for photographs whose features a report compares where their weights are given."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryoccd.metrics.features.cmmd import Cmmd
from cryoccd.metrics.features.feature_distance import FeatureDistance
from cryoccd.metrics.features.frechet_limit import FrechetLimit
from cryoccd.metrics.measure import Field, Measure
from cryoccd.metrics.networks import clip as clip_vision
from cryoccd.metrics.networks import inception as inception_v3
from cryoccd.metrics.networks.eight_bit import EightBit, tone_limits
from cryoccd.metrics.networks.weights import find_weights, weights_name, weights_sha256
from cryoccd.metrics.protocol import NoiseProtocol


@dataclass(frozen=True)
class DeepWeights:
    """Files of weights, their checksums verified.

    Args:
        inception: of Inception-v3, for fid_* and kid_*; None leaves them out.
        clip: of CLIP ViT-L/14-336, for cmmd_*; None leaves it out.
    """

    inception: Path | None = None
    clip: Path | None = None

    @classmethod
    def find(
        cls, inception: str | None, clip: str | None, named_sha256: Iterable[str] = ()
    ) -> "DeepWeights":
        """Paths, or `download` for the published files.

        Args:
            inception: of Inception-v3.
            clip: of CLIP.
            named_sha256: checksums that are taken beside the published ones.

        Raises:
            CryoccdError: no such file, another checksum, or a download that failed.
        """
        named = list(named_sha256)
        return cls(
            find_weights("inception", inception, named) if inception else None,
            find_weights("clip", clip, named) if clip else None,
        )

    @property
    def sha256(self) -> dict[str, str]:
        """Checksums by kind."""
        return {kind: weights_sha256(kind, path) for kind, path in self._given().items()}

    @property
    def figures(self) -> list[str]:
        """Names of the distances that these weights add, the customary ones."""
        names = {kind: weights_name(kind, sha256) for kind, sha256 in self.sha256.items()}
        added = []
        if "inception" in names:
            added += [f"fid_{names['inception']}", f"kid_{names['inception']}"]
        return added + ([f"cmmd_{names['clip']}"] if "clip" in names else [])

    def protocol(self) -> dict[str, Any]:
        """What figures of these networks must be quoted with."""
        fixed: dict[str, Any] = inception_v3.describe(self.inception) if self.inception else {}
        return fixed | (clip_vision.describe(self.clip) if self.clip else {})

    def measures(
        self, real: Iterable[Field], protocol: NoiseProtocol, device: str = "cpu"
    ) -> list[Measure[Any]]:
        """The measures of these networks.

        Args:
            real: the real side, which sets the tone map of both.
            protocol: crops.
            device: where the networks run.

        Raises:
            CryoccdError: a file does not hold such a network's weights.
        """
        crops = (protocol.crop_px, protocol.crops_per_micrograph, protocol.seed)
        measures: list[Measure[Any]] = []
        if not self._given():
            return measures
        limits = tone_limits(field.image for field in real)
        if self.inception:
            inception = EightBit(inception_v3.InceptionFeatures(self.inception, device), limits)
            measures.append(FeatureDistance(inception, *crops, frechet="fid"))
            measures.append(FrechetLimit(inception, *crops, frechet="fid"))
        if self.clip:
            clip = EightBit(clip_vision.ClipFeatures(self.clip, device), limits)
            measures.append(Cmmd(clip, *crops))
        return measures

    def _given(self) -> dict[str, Path]:
        files = {"inception": self.inception, "clip": self.clip}
        return {kind: path for kind, path in files.items() if path is not None}
