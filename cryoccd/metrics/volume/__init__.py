"""Figures of boxes of tomograms: generated beside real."""

from cryoccd.metrics.volume.anchors import halves, phase_randomised
from cryoccd.metrics.volume.boxes import BoxSet, standardised
from cryoccd.metrics.volume.columns import VOLUMES
from cryoccd.metrics.volume.detection import f_beta
from cryoccd.metrics.volume.level_loss import LevelLoss, loss_by_level
from cryoccd.metrics.volume.readings import Readings
from cryoccd.metrics.volume.report import volume_figures

__all__ = [
    "VOLUMES",
    "BoxSet",
    "LevelLoss",
    "Readings",
    "f_beta",
    "halves",
    "loss_by_level",
    "phase_randomised",
    "standardised",
    "volume_figures",
]
