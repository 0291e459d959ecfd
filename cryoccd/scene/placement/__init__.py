"""Where particles lie: one law a file, all under one hard core."""

from cryoccd.scene.placement.hard_core import place

__all__ = ["place"]
