"""Statistics of the micrographs of a noise report card: shared by processes, kept until it is made.

Each process describes its share of every side into a folder beside the card, a file a micrograph;
who finds all of them there makes the card and removes the folder. What is learnt beforehand is
learnt by the first process, so that all of them measure alike. What was interrupted goes on.
"""

import pickle
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import atomic_path, write_text
from cryoccd.io.checked import read_json
from cryoccd.io.dataset import Share
from cryoccd.io.lock import locked
from cryoccd.metrics.card import Described, ReportCard
from cryoccd.metrics.learnt import Learnt
from cryoccd.metrics.measure import Fields, Side


class NoiseStatistics:
    """Of one card, beside which they are kept in a folder of its name.

    Args:
        card: the JSON file that the card will be.
        made_by: hash of all that the statistics depend on.
        share: of this process; one of all micrographs begins anew where the folder is another's.

    Raises:
        CryoccdError: shares of a card with other settings or micrographs are there.
    """

    def __init__(self, card: Path, made_by: str, share: Share) -> None:
        self.share = share
        self.folder = card.with_suffix(".parts")
        known = self.folder / "made_by"
        if share.whole and known.exists() and known.read_text() != made_by:
            shutil.rmtree(self.folder)
        with locked(self.folder / ".begin"):
            if not known.exists():
                write_text(known, made_by)
            if known.read_text() != made_by:
                raise CryoccdError(
                    f"{self.folder}: begun with other settings or micrographs; delete it, or "
                    "choose another output"
                )

    @contextmanager
    def refusable(self) -> Iterator[None]:
        """Keep nothing of micrographs that are refused, unless other shares are at work there."""
        try:
            yield
        except CryoccdError:
            if self.share.whole:
                shutil.rmtree(self.folder)
            raise

    def learnt(self, learn: Callable[[], Learnt]) -> Learnt:
        """What the first process learns."""
        with locked(self.folder / ".learn"):
            path = self.folder / "learnt.pickle"
            if not path.exists():
                _write(path, learn())
            found = _read(path)
        assert isinstance(found, Learnt)
        return found

    def describe(self, card: ReportCard, name: str, fields: Fields, side: Side) -> None:
        """Describe this process's share of some micrographs.

        Args:
            card: the measures.
            name: of these micrographs among those of the card.
            fields: the micrographs, all of them.
            side: which side they are.
        """
        for path, index in zip(self._paths(name, len(fields)), range(len(fields)), strict=True):
            if self.share.takes(index) and not path.exists():
                _write(path, card.describe([fields[index]], side))

    @contextmanager
    def joined(self, counts: Mapping[str, int]) -> Iterator[dict[str, Described] | None]:
        """All sides, for one process alone, and gone behind it; None where shares are lacking.

        Args:
            counts: micrographs of each of the names.
        """
        with locked(self.folder / ".join"):
            paths = {name: self._paths(name, count) for name, count in counts.items()}
            if not all(path.exists() for own in paths.values() for path in own):
                yield None
                return
            yield {name: Described.joined([_read(p) for p in own]) for name, own in paths.items()}
            for path in self.folder.glob("*.pickle"):
                path.unlink()  # who waits for the lock finds none
        shutil.rmtree(self.folder, ignore_errors=True)  # unlocked: NFS keeps an open file

    def _paths(self, name: str, count: int) -> list[Path]:
        return [self.folder / f"{name}-{index:06d}.pickle" for index in range(count)]


def is_made(card: Path, made_by: str) -> bool:
    """Whether a card is there, by this hash."""
    return card.is_file() and read_json(card).get("made_by") == made_by


def _write(path: Path, value: object) -> None:
    with atomic_path(path) as temporary:
        temporary.write_bytes(pickle.dumps(value))


def _read(path: Path) -> Any:
    return pickle.loads(path.read_bytes())  # what this program wrote for itself
