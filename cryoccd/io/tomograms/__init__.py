"""Tomograms on disk, of any program, and the particles in them."""

from cryoccd.io.tomograms.options import TomogramOptions
from cryoccd.io.tomograms.particles import ANGLES, PARTICLE_TABLE, POSITION
from cryoccd.io.tomograms.pick_files import read_particles
from cryoccd.io.tomograms.source import TomogramSource, open_tomograms
from cryoccd.io.tomograms.tomogram import Tomogram, open_volume
from cryoccd.io.tomograms.voxels import Voxels

__all__ = [
    "ANGLES",
    "PARTICLE_TABLE",
    "POSITION",
    "Tomogram",
    "TomogramOptions",
    "TomogramSource",
    "Voxels",
    "open_tomograms",
    "open_volume",
    "read_particles",
]
