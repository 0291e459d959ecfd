"""Figures of boxes of tomograms: generated beside real."""

from cryoccd.metrics.volume.anchors import halves, phase_randomised
from cryoccd.metrics.volume.boxes import BoxSet, standardised
from cryoccd.metrics.volume.columns import VOLUMES
from cryoccd.metrics.volume.readings import Readings
from cryoccd.metrics.volume.report import volume_figures

__all__ = [
    "VOLUMES",
    "BoxSet",
    "Readings",
    "halves",
    "phase_randomised",
    "standardised",
    "volume_figures",
]
