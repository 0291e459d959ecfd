"""The dataset folder: the only thing that stages hand to one another on disk.

Layout and columns stand in docs/dataset.md. While a set is being written each finished micrograph
has a record under .items/; the manifest is written last, so a folder without one is unfinished.
"""

from cryoccd.io.dataset.box_item import BoxItem
from cryoccd.io.dataset.boxes import BoxFolder
from cryoccd.io.dataset.item import Item
from cryoccd.io.dataset.reader import Dataset
from cryoccd.io.dataset.share import WHOLE, Share
from cryoccd.io.dataset.tilt_item import TiltItem
from cryoccd.io.dataset.tomogram_item import TomogramItem
from cryoccd.io.dataset.tomograms import TomogramSet
from cryoccd.io.dataset.writer import DatasetWriter

__all__ = [
    "WHOLE",
    "BoxFolder",
    "BoxItem",
    "Dataset",
    "DatasetWriter",
    "Item",
    "Share",
    "TiltItem",
    "TomogramItem",
    "TomogramSet",
]
