"""Picks of particles from other programs, in pixels from the centre of pixel [0, 0]."""

from cryoccd.io.picks.read import read_picks_file

__all__ = ["read_picks_file"]
