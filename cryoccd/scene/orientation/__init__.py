"""How particles are turned: one law a file."""

from cryoccd.scene.orientation.uniform import uniform_so3

__all__ = ["uniform_so3"]
