"""A detector of particles in tomograms, by which composed training tomograms are judged."""

from cryoccd.downstream.detection.config import DetectorConfig
from cryoccd.downstream.detection.detector import Detector
from cryoccd.downstream.detection.labelled import LabelledTomogram, labelled
from cryoccd.downstream.detection.train import fit_detector, load_detector

__all__ = [
    "Detector",
    "DetectorConfig",
    "LabelledTomogram",
    "fit_detector",
    "labelled",
    "load_detector",
]
