"""Angles and hand: the map that images and labels give, beside the map of the species."""

import torch

from cryoccd.imaging.projection import Projector
from cryoccd.verify.finding import Finding
from cryoccd.verify.micrographs.images import Images
from cryoccd.verify.micrographs.judge import LEAST_FSC, judge_angles, judge_hand
from cryoccd.verify.micrographs.reconstruct import Reconstruction
from cryoccd.verify.micrographs.sample import Sample
from cryoccd.verify.micrographs.views import mirrored
from cryoccd.verify.readings import HANDS
from cryoccd.verify.shells import Curve, shell_correlation

_AT_ONCE = 100


def judge_by_reconstruction(
    images: Images, projector: Projector, sample: Sample, astray: bool
) -> list[Finding]:
    """FSC of the map that images and labels give; under the reading that fits but for the hand."""
    truth, mirror = projector.volume(), mirrored(projector).volume()

    def curve(a: torch.Tensor, b: torch.Tensor) -> Curve:
        return Curve(shell_correlation(a, b), projector.voxel_size_A)

    found = reconstructed(images, projector, sample)
    right = curve(found, truth)
    hand = judge_hand(sample.key, right, curve(found, mirror), curve(truth, mirror))
    reading = images.reading
    if HANDS[reading.hand] or reading.turn != "as stated":
        return [hand]  # named already; its FSC would only say so again
    attainable = right
    if right.lowest() < LEAST_FSC:  # what would perfect images give with as many particles?
        attainable = curve(reconstructed(images, projector, sample, perfect=True), truth)
    clear = images.kind == "clean" and sample.isolated and not astray
    return [judge_angles(sample.key, right, attainable, clear), hand]


def reconstructed(
    images: Images, projector: Projector, sample: Sample, perfect: bool = False
) -> torch.Tensor:
    """The map that the images, or perfect ones in their place, give with the labels."""
    reconstruction = Reconstruction(projector.box_px)
    for start in range(0, len(sample.rows), _AT_ONCE):
        part = Sample(sample.key, sample.rows.iloc[start : start + _AT_ONCE], sample.isolated)
        particles = images.particles(part, projector)
        if len(particles.boxes):
            transfer = particles.transfer()
            seen = particles.views(transfer) if perfect else particles.boxes
            reconstruction.add(seen, particles.eulers_deg, particles.rest_px, transfer)
    return reconstruction.volume()
