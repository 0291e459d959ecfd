"""The dataset folder: the only thing that stages hand to one another on disk.

Layout and columns stand in docs/dataset.md. While a set is being written each finished micrograph
has a record under .items/; the manifest is written last, so a folder without one is unfinished.
"""

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

import cryoccd
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import (
    atomic_path,
    check_writable,
    remove_partial,
    sha256_file,
    write_text,
)
from cryoccd.io.checked import read_json, read_parquet
from cryoccd.io.commit import source_commit
from cryoccd.io.mrc import read_mrc, write_mrc
from cryoccd.records import ARTEFACT_COLUMNS, PARTICLE_COLUMNS, Exposure, Optics, Volume

SCHEMA_VERSION = 1
_OPTICS_COLUMNS = tuple(Optics.__dataclass_fields__)
_AGAIN = "make the set again in an empty folder"


@dataclass(frozen=True)
class Item:
    """One micrograph to be written.

    Args:
        name: file stem.
        exposure: the clean image and its truth.
        seed: seed that made it.
        image: (h, w) image with noise; None where no noise model was applied.
        dose_e_per_A2: total exposure, NaN where none was applied.
        style: name of the acquisition style.
    """

    name: str
    exposure: Exposure
    seed: int
    image: NDArray[np.float32] | None = None
    dose_e_per_A2: float = float("nan")
    style: str = "none"


class DatasetWriter:
    """Writes a dataset folder item by item; resumable.

    Args:
        root: the folder.
        made_by: resolved configuration, seed and whatever else made the set; goes into the
            manifest, and its hash decides whether items of an earlier run may be kept.
        resume: keep finished items of an earlier run with the same `made_by`.

    Raises:
        CryoccdError: the folder is not empty and `resume` is off, or what it holds was not begun
            by this writer or with another configuration.
    """

    def __init__(self, root: Path, made_by: dict[str, Any], resume: bool = False) -> None:
        self.root = root
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
        record = self._record(name)
        if not record.is_file():
            return False
        known = read_json(record)
        if known.get("made_by") != self.made_by:
            return False
        files = known["files"]
        return all((self.root / p).is_file() for p in files) and all(
            sha256_file(self.root / path) == entry["sha256"] for path, entry in files.items()
        )

    def write(self, item: Item) -> None:
        """Write one micrograph with its labels."""
        self._begin()
        exposure, name = item.exposure, item.name
        pixel_size_A = exposure.optics.pixel_size_A
        label = f"SYNTHETIC cryoccd {cryoccd.__version__} seed {item.seed}"
        write_mrc(self._path("clean", name), exposure.clean.numpy(), pixel_size_A, label)
        image_path = self._path("micrographs", name)
        if item.image is None:
            image_path.parent.mkdir(exist_ok=True)
            image_path.unlink(missing_ok=True)
            _link(self._path("clean", name), image_path)
        else:
            write_mrc(image_path, item.image.astype(np.float32), pixel_size_A, label)
        if int(exposure.instances.max()) > np.iinfo(np.uint16).max:
            raise CryoccdError(
                f"{name}: {int(exposure.instances.max())} instances, expected at most 65535 in a "
                "micrograph; lower the number of particles"
            )
        instances = exposure.instances.numpy().astype(np.uint16)
        write_mrc(self._path("instances", name), instances, pixel_size_A, label)
        ice = exposure.ice_thickness_A.numpy()
        write_mrc(self._path("ice", name), ice, 8 * pixel_size_A, label)
        kinds = ("clean", "micrographs", "instances", "ice")
        rows = exposure.particles.loc[:, list(PARTICLE_COLUMNS)]
        row = {
            "micrograph": name,
            **asdict(exposure.optics),
            "dose_e_per_A2": item.dose_e_per_A2,
            "seed": item.seed,
            "style": item.style,
        }
        record = {
            "made_by": self.made_by,
            "files": self._entries([self._path(kind, name) for kind in kinds]),
            "micrograph": row,
            "particles": rows.to_dict(orient="records"),
        }
        write_text(self._record(name), json.dumps(record))

    def write_species(self, name: str, volume: Volume) -> None:
        """Write the potential map of a species, in the frame that the labels refer to."""
        self._begin()
        label = f"SYNTHETIC cryoccd {cryoccd.__version__} potential in volts"
        path = self._path("species", name)
        write_mrc(path, volume.values.numpy(), volume.voxel_size_A, label)

    def copy_species(self, source: Path) -> None:
        """Copy the species maps of another dataset folder, where it has any."""
        self._begin()
        for path in sorted((source / "species").glob("*.mrc")):
            with atomic_path(self.root / "species" / path.name) as temporary:
                shutil.copyfile(path, temporary)

    def finish(self, names: list[str]) -> None:
        """Collect the tables and write the manifest; every named item must be there."""
        if self.finished:
            return
        records = {}
        for name in names:
            if not self._record(name).is_file():
                raise CryoccdError(f"{self.root}: item {name} is missing; run again with --resume")
            records[name] = read_json(self._record(name))
        remove_partial(self.root)
        particles = [{"micrograph": n, **p} for n, r in records.items() for p in r["particles"]]
        table = pd.DataFrame(particles, columns=["micrograph", *PARTICLE_COLUMNS])
        table = table.astype(_particle_dtypes())
        self._parquet("particles", table)
        self._parquet("artefacts", pd.DataFrame([], columns=["micrograph", *ARTEFACT_COLUMNS]))
        self._parquet("micrographs", pd.DataFrame([r["micrograph"] for r in records.values()]))
        files = {k: v for record in records.values() for k, v in record["files"].items()}
        files |= self._entries(sorted(self.root.glob("*.parquet")))
        files |= self._entries(sorted(self.root.glob("species/*.mrc")))
        manifest = {
            "schema_version": SCHEMA_VERSION,
            "made_by": self.made_by,
            "version": cryoccd.__version__,
            "commit": source_commit(Path(cryoccd.__file__).resolve().parents[1]),
            "synthetic": True,
            "files": files,
        }
        write_text(self._manifest, json.dumps(manifest, indent=1))
        shutil.rmtree(self._items, ignore_errors=True)

    def _begin(self) -> None:
        """Mark the folder as ours before anything else is written to it."""
        self._items.mkdir(parents=True, exist_ok=True)

    def _path(self, kind: str, name: str) -> Path:
        return self.root / kind / f"{name}.mrc"

    def _record(self, name: str) -> Path:
        return self._items / f"{name}.json"

    def _parquet(self, name: str, table: pd.DataFrame) -> None:
        with atomic_path(self.root / f"{name}.parquet") as temporary:
            table.to_parquet(temporary, index=False)

    def _entries(self, paths: list[Path]) -> dict[str, dict[str, Any]]:
        return {
            path.relative_to(self.root).as_posix(): {
                "sha256": sha256_file(path),
                "bytes": path.stat().st_size,
            }
            for path in paths
        }


class Dataset:
    """A finished dataset folder, read.

    Every file is there with the size that the manifest tells, so that a fault shows before work
    begins and not in its middle.

    Raises:
        CryoccdError: no manifest (the folder is unfinished), one of another schema, a file that is
            absent or of another size, or a table that is unreadable or lacks columns.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        if not root.is_dir():
            raise CryoccdError(f"{root}: no such folder")
        if not (root / "manifest.json").is_file():
            raise CryoccdError(
                f"{root}: no manifest.json, so unfinished or no dataset folder; "
                "run the command that makes it again with --resume"
            )
        self.manifest = read_json(root / "manifest.json")
        if self.manifest.get("schema_version") != SCHEMA_VERSION:
            raise CryoccdError(
                f"{root}: manifest.json has schema_version "
                f"{self.manifest.get('schema_version')}, expected {SCHEMA_VERSION}"
            )
        self._check_files()
        columns = ("micrograph", *_OPTICS_COLUMNS)
        self.micrographs = read_parquet(root / "micrographs.parquet", columns)
        columns = ("micrograph", *PARTICLE_COLUMNS)
        self.particles = read_parquet(root / "particles.parquet", columns)

    def _check_files(self) -> None:
        files = self.manifest.get("files")
        if not isinstance(files, dict):
            raise CryoccdError(f"{self.root}: manifest.json lists no files; make the set again")
        for name, entry in files.items():
            path = self.root / name
            if not path.is_file():
                raise CryoccdError(f"{path}: no such file, but manifest.json lists it; {_AGAIN}")
            size, known = path.stat().st_size, dict(entry).get("bytes")
            if size != known:
                raise CryoccdError(f"{path}: {size} bytes, in manifest.json {known}; {_AGAIN}")

    @property
    def names(self) -> list[str]:
        """Names of the micrographs in table order."""
        return list(self.micrographs["micrograph"])

    @property
    def pixel_size_A(self) -> float:
        """The one pixel size of the set."""
        sizes = self.micrographs["pixel_size_A"].unique()
        if len(sizes) != 1:
            raise CryoccdError(f"{self.root}: {len(sizes)} pixel sizes, expected one")
        return float(sizes[0])

    def optics(self, name: str) -> Optics:
        """Optics of one micrograph."""
        row = self.micrographs[self.micrographs["micrograph"] == name].iloc[0].to_dict()
        return Optics(**{column: float(row[column]) for column in _OPTICS_COLUMNS})

    def particles_of(self, name: str) -> pd.DataFrame:
        """Truth rows of one micrograph; may be empty."""
        return self.particles[self.particles["micrograph"] == name].reset_index(drop=True)

    def image(self, name: str, kind: str = "micrographs") -> NDArray[np.float32]:
        """One image: micrographs, clean, instances or ice."""
        return read_mrc(self.root / kind / f"{name}.mrc", ndim=2)[0]

    def exposure(self, name: str) -> Exposure:
        """The exposure of one simulated micrograph, as it was written."""
        import torch

        return Exposure(
            clean=torch.from_numpy(self.image(name, "clean")),
            instances=torch.from_numpy(self.image(name, "instances").astype(np.int32)),
            ice_thickness_A=torch.from_numpy(self.image(name, "ice")),
            particles=self.particles_of(name),
            optics=self.optics(name),
        )


def _link(source: Path, target: Path) -> None:
    """A hard link, or a copy where the file system has none."""
    try:
        os.link(source, target)
    except OSError:
        with atomic_path(target) as temporary:
            shutil.copyfile(source, temporary)


def _particle_dtypes() -> dict[str, str]:
    numbers = dict.fromkeys(PARTICLE_COLUMNS, "float64")
    return numbers | {
        "micrograph": "str",
        "instance_id": "int64",
        "species": "str",
        "conformation": "int64",
        "on_edge": "bool",
    }
