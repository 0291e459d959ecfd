"""Names of micrographs, as other programs write them, to the names of a folder.

CryoSPARC puts a number of 15 to 21 digits before the name of a file that it copies; folders and
suffixes of images say nothing.
"""

import re
from collections.abc import Sequence

from cryoccd.io.folder_tables import image_stem

_UID = re.compile(r"^\d{15,21}_(?=.)")


class Names:
    """The names of a folder, found by what other programs call them.

    Args:
        names: of the folder.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._exact = set(names)
        self._stripped: dict[str, str | None] = {}
        for name in names:
            short = _UID.sub("", name)
            # two that differ by the number alone are not told apart without it
            self._stripped[short] = None if short in self._stripped else name

    def find(self, written: str) -> str | None:
        """The name that `written` means: the exact stem, else that without the number; or None."""
        stem = image_stem(written)
        if stem in self._exact:
            return stem
        return self._stripped.get(_UID.sub("", stem))
