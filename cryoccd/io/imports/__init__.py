"""Real micrographs with the picks of other programs, as a dataset folder."""

from cryoccd.io.imports.run import ImportSettings, import_picks

__all__ = ["ImportSettings", "import_picks"]
