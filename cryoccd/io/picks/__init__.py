"""Picks of particles from other programs, in pixels from the centre of pixel [0, 0]."""

from cryoccd.io.picks.read import read_pick_tables, read_picks_file
from cryoccd.io.picks.table import PickTable

__all__ = ["PickTable", "read_pick_tables", "read_picks_file"]
