"""The noise report card: how far generated micrographs are from real ones, metric by metric."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from math import isfinite, log10, nan
from pathlib import Path
from typing import Any, TypeVar

from torch import Tensor

from cryoccd.errors import CryoccdError
from cryoccd.imaging.background import background_mask
from cryoccd.metrics.detectability import Detectability, dprime
from cryoccd.metrics.frechet import FeatureStatistics, frechet_distance, merge
from cryoccd.metrics.histogram import value_fractions, wasserstein_1
from cryoccd.metrics.images import VALUE_LIMIT, MicrographSet, take_crops
from cryoccd.metrics.inception import InceptionFeatures, describe, to_8_bit, tone_limits
from cryoccd.metrics.intervals import Estimate, block_jackknife
from cryoccd.metrics.kid import KernelSums, kernel_distance
from cryoccd.metrics.scattering import WaveletScattering
from cryoccd.metrics.spectrum import (
    RingPower,
    particle_mask,
    ring_power,
    spectrum_error_db,
)

T = TypeVar("T")
MaskOf = Callable[[Tensor, Tensor, float], Tensor]


@dataclass(frozen=True)
class Metric:
    """One figure with its interval over micrographs.

    Args:
        value: None where it is undefined; the note says why.
        ci_low: lower end, None without an interval.
        ci_high: upper end.
        n: micrographs on the smaller side.
        interval: "jackknife95", "range" (of leave-one-out estimates) or "none".
        note: what a reader must know.
    """

    value: float | None
    ci_low: float | None
    ci_high: float | None
    n: int
    interval: str
    note: str = ""


@dataclass(frozen=True)
class NoiseProtocol:
    """What two report cards must have in common to be compared.

    Args:
        crop_px: side of the crops of fd_*, kid_*.
        crops_per_micrograph: how many.
        tile_px: side of the tiles of psd_*, cut down to the smallest field.
        particle_diameter_A: diameter of the particle masks; None leaves out what needs them.
        seed: of the choice of crops.
    """

    crop_px: int = 64
    crops_per_micrograph: int = 16
    tile_px: int = 128
    particle_diameter_A: float | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if self.crops_per_micrograph < 1:
            raise CryoccdError(
                f"crops_per_micrograph = {self.crops_per_micrograph}, expected 1 or more"
            )

    def as_dict(self, inception_weights: Path | None = None) -> dict[str, Any]:
        """All that is fixed, for the record beside the figures; with weights, their SHA-256."""
        fixed = asdict(self) | {
            "normalisation": f"median 0, 1.4826 MAD = 1, cut at +-{VALUE_LIMIT:g}",
            "scattering": WaveletScattering(self.crop_px).version,
        }
        return fixed if inception_weights is None else fixed | describe(inception_weights)


def noise_report(
    real_test: MicrographSet,
    generated: MicrographSet,
    detectability: Detectability | None,
    protocol: NoiseProtocol,
    inception_weights: Path | None = None,
) -> dict[str, Metric]:
    """Compare generated micrographs with held-out real ones.

    Args:
        real_test: real micrographs that no method was fitted to.
        generated: micrographs to be judged; as many, so that biased metrics can be compared.
        detectability: matched filter fitted on the real training split; None leaves out
            contrast_error_db.
        protocol: sizes, counts and seed.
        inception_weights: adds fid_inception and kid_inception.

    Returns:
        Every metric by its name; one that is undefined has value None and a note.

    Raises:
        CryoccdError: the two sets differ in size or pixel size, or the fields are too small.
    """
    if len(real_test) != len(generated):
        raise CryoccdError(
            f"micrographs: {len(real_test)} real and {len(generated)} generated, expected as many"
        )
    if abs(real_test.pixel_size_A / generated.pixel_size_A - 1) > 0.01:
        raise CryoccdError(
            f"pixel size: {real_test.pixel_size_A:g} A real and {generated.pixel_size_A:g} A "
            "generated; bring both to the same"
        )
    inception = None if inception_weights is None else InceptionFeatures(inception_weights)
    sides = (real_test, generated)
    report = {"contrast_error_db": _contrast(sides, detectability)}
    report |= _spectra(sides, protocol)
    fractions = [[value_fractions(x) for x in side.images] for side in sides]
    report["histogram_w1"] = _measure(
        lambda i, j: wasserstein_1(_pick(fractions[0], i), _pick(fractions[1], j)), len(real_test)
    )
    fd, kid = _distances([_scattered(side, protocol) for side in sides])
    report |= {"fd_scattering": fd, "kid_scattering": kid}
    if inception is not None:
        crops = [[_crops(x, protocol) for x in side.images] for side in sides]
        limits = tone_limits(real_test.images)
        fd, kid = _distances([[inception(to_8_bit(c, limits)) for c in side] for side in crops])
        report |= {"fid_inception": fd, "kid_inception": kid}
    return report


def _contrast(
    sides: tuple[MicrographSet, MicrographSet], detectability: Detectability | None
) -> Metric:
    """20 log10 of the ratio of d': how much too clear (+) or too faint (-) the particles are."""
    n = len(sides[0])
    if detectability is None:
        return _undefined(
            n, "left out: no matched filter; it needs real training picks and the particle diameter"
        )
    if sides[0].centres_px is None or sides[1].centres_px is None:
        return _undefined(n, "left out: needs picks on both sides")
    real = detectability.statistics(sides[0].images, sides[0].centres_px)
    made = detectability.statistics(sides[1].images, sides[1].centres_px)
    d_real, d_made = dprime(real), dprime(made)
    note = f"d' real {d_real:.3g}, generated {d_made:.3g}"
    if not min(d_real, d_made) > 0:
        return _undefined(n, f"undefined: {note}, expected both above 0")

    def estimate(i: Sequence[int], j: Sequence[int]) -> float:
        d_i, d_j = dprime(_pick(real, i)), dprime(_pick(made, j))
        return 20 * log10(d_j / d_i) if min(d_i, d_j) > 0 else nan

    return replace(_measure(estimate, n), note=note)


def _spectra(
    sides: tuple[MicrographSet, MicrographSet], protocol: NoiseProtocol
) -> dict[str, Metric]:
    masks = {"psd_background_db": background_mask, "psd_particle_db": particle_mask}
    n = len(sides[0])
    diameter_A = protocol.particle_diameter_A
    if diameter_A is None:
        return dict.fromkeys(masks, _undefined(n, "left out: needs the particle diameter"))
    if any(side.centres_px is None for side in sides):
        return dict.fromkeys(masks, _undefined(n, "left out: needs picks on both sides"))
    diameter_px = diameter_A / sides[0].pixel_size_A
    smallest = min(min(image.shape) for side in sides for image in side.images)
    tile_px = min(protocol.tile_px, smallest) // 2 * 2

    def powers(side: MicrographSet, mask_of: MaskOf) -> list[RingPower]:
        return [
            ring_power(x, mask_of(x, c, diameter_px), tile_px)
            for x, c in zip(side.images, side.centres_px or (), strict=True)
        ]

    def error(mask_of: MaskOf) -> Metric:
        real, made = (powers(side, mask_of) for side in sides)
        return _measure(
            lambda i, j: spectrum_error_db(_pick(real, i), _pick(made, j)),
            n,
            "undefined: no tile has enough of that area",
        )

    return {name: error(mask_of) for name, mask_of in masks.items()}


def _distances(features: Sequence[Sequence[Tensor]]) -> tuple[Metric, Metric]:
    """Frechet and kernel distance of (n_i, d) features of each micrograph of both sides."""
    n = len(features[0])
    real, made = ([FeatureStatistics.of(f) for f in side] for side in features)
    sums = KernelSums.of(features[0], features[1])
    return (
        _measure(lambda i, j: frechet_distance(merge(_pick(real, i)), merge(_pick(made, j))), n),
        _measure(
            lambda i, j: kernel_distance(sums, i, j),
            n,
            "undefined: needs two micrographs a side, as pairs within one do not count",
        ),
    )


def _measure(estimate: Estimate, n: int, note_if_undefined: str = "undefined") -> Metric:
    value = estimate(range(n), range(n))
    if not isfinite(value):
        return _undefined(n, note_if_undefined)
    ends = block_jackknife(estimate, n, n)
    return Metric(value, ends.low, ends.high, n, ends.kind)


def _undefined(n: int, note: str) -> Metric:
    return Metric(None, None, None, n, "none", note)


@lru_cache(maxsize=2)  # the real side recurs from one report to the next
def _scattered(side: MicrographSet, protocol: NoiseProtocol) -> list[Tensor]:
    """Features of the crops of each micrograph."""
    scattering = WaveletScattering(protocol.crop_px)
    return [scattering(_crops(image, protocol)) for image in side.images]


def _crops(image: Tensor, protocol: NoiseProtocol) -> Tensor:
    return take_crops(image, protocol.crop_px, protocol.crops_per_micrograph, protocol.seed)


def _pick(items: Sequence[T], indices: Sequence[int]) -> list[T]:
    return [items[i] for i in indices]
