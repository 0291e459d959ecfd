"""Writing of a dataset folder, item by item, so that it can be resumed."""

import json
import shutil
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Protocol

import cryoccd
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import atomic_path, check_writable, remove_partial, sha256_file, write_text
from cryoccd.io.checked import read_json
from cryoccd.io.commit import source_commit
from cryoccd.io.dataset.item import Rows
from cryoccd.io.dataset.share import WHOLE, Share
from cryoccd.io.dataset.tables import Table, write_table
from cryoccd.io.lock import locked
from cryoccd.io.mrc import write_mrc
from cryoccd.records import Volume

SCHEMA_VERSION = 2


class Writable(Protocol):
    """One item: its files and its rows."""

    @property
    def name(self) -> str:
        """File stem."""

    @property
    def columns(self) -> dict[str, tuple[str, ...]]:
        """Columns of the tables that may be without rows."""

    def write_files(self, root: Path) -> list[Path]:
        """Write the files below a folder; their paths."""

    def rows(self) -> Rows:
        """The item's part of each table."""


class DatasetWriter:
    """Writes a dataset folder item by item; resumable.

    Args:
        root: the folder.
        made_by: resolved configuration, seed and whatever else made the set; goes into the
            manifest, and its hash decides whether items of an earlier run may be kept.
        resume: keep finished items of an earlier run with the same `made_by`.
        synthetic: false for real micrographs.

    Raises:
        CryoccdError: the folder is not empty and `resume` is off, or what it holds was not begun
            by this writer or with another configuration.
    """

    def __init__(
        self, root: Path, made_by: dict[str, Any], resume: bool = False, synthetic: bool = True
    ) -> None:
        self.root = root
        self.synthetic = synthetic
        self.made_by = json.loads(json.dumps(made_by, default=str))
        if root.exists() and not root.is_dir():
            raise CryoccdError(f"{root}: not a folder; choose another --output")
        check_writable(root)
        self._manifest = root / "manifest.json"
        self._items = root / ".items"
        if root.exists() and any(root.iterdir()):
            if not resume:
                raise CryoccdError(
                    f"{root}: not empty; add --resume to continue, or choose another"
                )
            if not self._manifest.exists() and not self._items.is_dir():
                raise CryoccdError(
                    f"{root}: holds something else than a begun dataset folder; choose another"
                )
        if self._manifest.exists() and read_json(self._manifest).get("made_by") != self.made_by:
            raise CryoccdError(
                f"{root}: made with another configuration or seed; remove it or choose another"
            )

    @property
    def finished(self) -> bool:
        """Whether the folder holds a whole set made by the same configuration."""
        return self._manifest.exists()

    def has(self, name: str) -> bool:
        """Whether an item is there, whole and made by the same configuration."""
        record = self._made(name)
        if record is None:
            return False
        files = record["files"]
        return all((self.root / p).is_file() for p in files) and all(
            sha256_file(self.root / path) == entry["sha256"] for path, entry in files.items()
        )

    def write(self, item: Writable) -> None:
        """Write one micrograph, simulated or real, or one tilt series, with its labels."""
        self._begin()
        record = {
            "made_by": self.made_by,
            "files": self._entries(item.write_files(self.root)),
            "columns": item.columns,
            "rows": item.rows(),
        }
        write_text(self._record(item.name), json.dumps(record))

    def write_species(self, name: str, volume: Volume) -> None:
        """Write the potential map of a species, in the frame that the labels refer to."""
        self._begin()
        label = f"SYNTHETIC cryoccd {cryoccd.__version__} potential in volts"
        path = self.root / "species" / f"{name}.mrc"
        write_mrc(path, volume.values.numpy(), volume.voxel_size_A, label)

    def copy_species(self, source: Path) -> None:
        """Copy the species maps of another dataset folder, where it has any."""
        self._begin()
        for path in sorted((source / "species").glob("*.mrc")):
            with atomic_path(self.root / "species" / path.name) as temporary:
                shutil.copyfile(path, temporary)

    def finish(self, names: list[str], share: Share = WHOLE) -> bool:
        """Collect the tables and write the manifest; every named item must be there.

        Args:
            names: of all items, in the order of the tables.
            share: of this process; while others lack items it leaves the folder to them.

        Returns:
            Whether the folder is finished.

        Raises:
            CryoccdError: an item is missing that no other process has.
        """
        if share.whole:
            self._collect(names)
            return True
        self._begin()
        with locked(self._items / ".lock"):  # shares that end together collect once
            if self.finished or all(self._made(name) for name in names):
                self._collect(names)
        if self.finished:
            shutil.rmtree(self._items, ignore_errors=True)  # of a share that waited for the lock
        return self.finished

    def _collect(self, names: list[str]) -> None:
        if self.finished:
            return
        for name in names:
            if not self._record(name).is_file():
                raise CryoccdError(f"{self.root}: item {name} is missing; run again with --resume")
        remove_partial(self.root)
        files: dict[str, dict[str, Any]] = {}
        with ExitStack() as stack:
            tables: dict[str, Table] = {}
            for name in names:
                record = read_json(self._record(name))
                files |= record["files"]
                for table, rows in record["rows"].items():
                    if table not in tables:
                        columns = tuple(record["columns"].get(table) or rows[0])
                        path = self.root / f"{table}.parquet"
                        tables[table] = stack.enter_context(write_table(path, columns))
                    tables[table].add(rows)
        files |= self._entries(sorted(self.root.glob("*.parquet")))
        files |= self._entries(sorted(self.root.glob("species/*.mrc")))
        manifest = {
            "schema_version": SCHEMA_VERSION,
            "made_by": self.made_by,
            "version": cryoccd.__version__,
            "commit": source_commit(Path(cryoccd.__file__).resolve().parents[1]),
            "synthetic": self.synthetic,
            "files": files,
        }
        write_text(self._manifest, json.dumps(manifest, indent=1))
        shutil.rmtree(self._items, ignore_errors=True)

    def _begin(self) -> None:
        """Mark the folder as ours before anything else is written to it."""
        self._items.mkdir(parents=True, exist_ok=True)

    def _made(self, name: str) -> dict[str, Any] | None:
        """The record of an item that this configuration has made."""
        path = self._record(name)
        record = read_json(path) if path.is_file() else {}
        return record if record.get("made_by") == self.made_by else None

    def _record(self, name: str) -> Path:
        return self._items / f"{name}.json"

    def _entries(self, paths: list[Path]) -> dict[str, dict[str, Any]]:
        return {
            path.relative_to(self.root).as_posix(): {
                "sha256": sha256_file(path),
                "bytes": path.stat().st_size,
            }
            for path in paths
        }
