"""A classifier of boxes of tomograms, trained on real ones, by which generated ones are judged."""

from cryoccd.downstream.volumes.classifier import VolumeClassifier
from cryoccd.downstream.volumes.config import VolumeClassifierConfig
from cryoccd.downstream.volumes.train import fit_classifier, load_classifier

__all__ = ["VolumeClassifier", "VolumeClassifierConfig", "fit_classifier", "load_classifier"]
