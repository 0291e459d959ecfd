"""Boxes of tomograms and whole tomograms from a fitted generator, as dataset folders."""

from cryoccd.methods.generation.arrangement import Arrangement, BlendOptions
from cryoccd.methods.generation.boxes import chosen_labels, sample_boxes
from cryoccd.methods.generation.compose import compose_tomograms
from cryoccd.methods.generation.surroundings import Surroundings, measure

__all__ = [
    "Arrangement",
    "BlendOptions",
    "Surroundings",
    "chosen_labels",
    "compose_tomograms",
    "measure",
    "sample_boxes",
]
