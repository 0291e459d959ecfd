"""cryoccd: realistic, exactly labelled cryo-EM data, and the proof of how good it is."""

from importlib.metadata import version

__version__ = version("cryoccd")
