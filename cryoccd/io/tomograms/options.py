"""What a user chooses where a folder of tomograms leaves a choice."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class TomogramOptions:
    """Choices; None takes the only one there is, and where there are several that is refused.

    Args:
        flavour: which reconstruction: in a dataset or plain folder the folder that holds them
            (default tomograms/), in a copick project the tomogram type, in the portal's layout the
            file or one of the folders above it.
        voxel_size_A: of tomograms that do not tell it; in a copick project and the portal's layout
            which of several spacings.
        names: tomograms to take; None takes all.
        picks: file or folder of picks instead of those that lie with the tomograms.
        picks_pixel_size_A: what one unit of x, y, z in a CSV or STAR file is; None takes what the
            file tells, else voxels of the tomogram.
        user: who picked (copick).
        session: in which session (copick).
    """

    flavour: str | None = None
    voxel_size_A: float | None = None
    names: list[str] | None = None
    picks: Path | None = None
    picks_pixel_size_A: float | None = None
    user: str | None = None
    session: str | None = None
