"""Lipid bilayers: their shapes, where they lie, and how they scatter."""

from cryoccd.scene.membranes.ellipsoids import Ellipsoids
from cryoccd.scene.membranes.laws import Bilayer, Membranes
from cryoccd.scene.membranes.planes import Planes
from cryoccd.scene.membranes.render import render
from cryoccd.scene.membranes.tubes import Tubes
from cryoccd.scene.membranes.vesicles import Vesicles

__all__ = ["Bilayer", "Ellipsoids", "Membranes", "Planes", "Tubes", "Vesicles", "render"]
