"""Writes the oracle's micrographs as a plain folder, as a real project would look.

    ROOT/micrographs/NAME.mrc   float32, pixel size in the header
    ROOT/picks/NAME.csv         x_px, y_px of the particles, with the jitter of a human hand
    ROOT/split.csv              micrograph, split (train or test)
    ROOT/optics.yaml            nominal optics; the defocus range is fitted to the train images
    ROOT/truth.parquet          hidden truth, for tests of metrics alone
    ROOT/oracle.json            written last: a folder without it is unfinished

While the folder is being made, each finished micrograph has a record under .items/.
"""

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import yaml

import cryoccd
from cryoccd.errors import CryoccdError
from cryoccd.imaging.ctf_fit import estimate_defocus_A
from cryoccd.io.atomic import atomic_path, check_writable, remove_partial, sha256_file, write_text
from cryoccd.io.checked import read_json
from cryoccd.io.mrc import write_mrc
from cryoccd.io.progress import progress_bar
from cryoccd.randomness import item_seed
from cryoccd.simulate.oracle import AtomsOf, Oracle, OracleMicrograph
from cryoccd.simulate.oracle_specimen import library_atoms
from cryoccd.simulate.oracle_styles import OracleStyle
from cryoccd.simulate.parallel import Job, for_each

_JITTER_PX = 0.7


def write_oracle(
    style: OracleStyle,
    root: Path,
    n_train: int,
    n_test: int,
    seed: int,
    resume: bool = True,
    atoms_of: AtomsOf = library_atoms,
    workers: int = 1,
) -> None:
    """Write the train and test micrographs of one style.

    Args:
        style: the acquisition.
        root: the folder.
        n_train: micrographs of the training split, at least 1.
        n_test: micrographs of the test split.
        seed: seed of the set.
        resume: keep what an earlier run with the same style and seed finished.
        atoms_of: source of the structures.
        workers: number of processes; the bytes do not depend on it.

    Raises:
        CryoccdError: no training micrograph asked for, a folder that is not empty without
            `resume`, or one made from another style, seed or count.
    """
    if n_train < 1 or n_test < 0:
        raise CryoccdError(f"oracle: {n_train} train and {n_test} test micrographs, need 1 and 0")
    made_by = _made_by(style, seed)
    marker = {**made_by, "n_train": n_train, "n_test": n_test}
    if not resume and root.exists() and any(root.iterdir()):
        raise CryoccdError(f"{root}: not empty; add --resume to continue, or choose another")
    if (root / "oracle.json").exists():
        if read_json(root / "oracle.json") == marker:
            return
        raise CryoccdError(f"{root}: made from another style, seed or count; remove it")
    check_writable(root)
    if root.exists() and any(root.iterdir()) and not (root / ".items").is_dir():
        raise CryoccdError(f"{root}: holds something else than a begun oracle set; choose another")
    splits = ["train"] * n_train + ["test"] * n_test
    names = [f"{style.name}_{index:03d}" for index in range(len(splits))]
    records = _write_micrographs(_Setup(style, root, names, seed, made_by, atoms_of), workers)
    _write_table(root / "split.csv", pd.DataFrame({"micrograph": names, "split": splits}))
    _write_optics(style, root, [record["defocus_A"] for record in records[:n_train]])
    truth = pd.concat(
        [
            pd.DataFrame(record["truth"]).assign(
                micrograph=name, defocus_A=record["true_defocus_A"]
            )
            for name, record in zip(names, records, strict=True)
        ],
        ignore_index=True,
    )
    with atomic_path(root / "truth.parquet") as temporary:
        truth.to_parquet(temporary, index=False)
    remove_partial(root)
    write_text(root / "oracle.json", json.dumps(marker, indent=1))
    shutil.rmtree(root / ".items", ignore_errors=True)


def _made_by(style: OracleStyle, seed: int) -> dict[str, Any]:
    """What decides the pixels; the parameters themselves stay hidden behind their hash."""
    hidden = asdict(style)
    for late in ("phase_shift_deg", "film_chance", "film_thickness_A"):
        if not hidden[late]:  # sets made before there was such a thing stay valid
            del hidden[late]
    text = json.dumps(hidden, sort_keys=True)
    return {
        "style": style.name,
        "style_sha256": hashlib.sha256(text.encode()).hexdigest(),
        "seed": seed,
        "version": cryoccd.__version__,
    }


@dataclass(frozen=True)
class _Setup:
    """Makes the job of one process: the micrograph of an index, written with its record."""

    style: OracleStyle
    root: Path
    names: list[str]
    seed: int
    made_by: dict[str, Any]
    atoms_of: AtomsOf

    def __call__(self) -> Job:
        oracle = Oracle(self.style, self.seed, self.atoms_of)
        (self.root / ".items").mkdir(parents=True, exist_ok=True)  # marks the folder as begun
        return partial(self._write, oracle)

    def _write(self, oracle: Oracle, index: int) -> None:
        name, micrograph = self.names[index], oracle.expose(index)
        _write_one(self.root, name, micrograph, self.style, self.seed, self.made_by)


def _write_micrographs(setup: _Setup, workers: int) -> list[dict[str, Any]]:
    root, names, made_by = setup.root, setup.names, setup.made_by
    missing = [i for i, name in enumerate(names) if _finished(root, name, made_by) is None]
    with progress_bar() as progress:
        title = f"oracle · {setup.style.name}"
        bar = progress.add_task(title, total=len(names), completed=len(names) - len(missing))
        for _ in for_each(setup, missing, workers):
            progress.advance(bar)
    records = [_finished(root, name, made_by) for name in names]
    return [record for record in records if record is not None]


def _finished(root: Path, name: str, made_by: dict[str, Any]) -> dict[str, Any] | None:
    """The record of a micrograph whose files are there, whole and of the same making."""
    path = root / ".items" / f"{name}.json"
    if not path.is_file():
        return None
    record = read_json(path)
    same = record.get("made_by") == made_by and all(
        (root / file).is_file() and sha256_file(root / file) == digest
        for file, digest in record["files"].items()
    )
    return record if same else None


def _write_one(
    root: Path,
    name: str,
    micrograph: OracleMicrograph,
    style: OracleStyle,
    seed: int,
    made_by: dict[str, Any],
) -> None:
    optics = micrograph.optics
    image = root / "micrographs" / f"{name}.mrc"
    label = f"SYNTHETIC cryoccd {cryoccd.__version__} oracle seed {seed}"
    write_mrc(image, micrograph.image.numpy(), optics.pixel_size_A, label)
    picks = root / "picks" / f"{name}.csv"
    _write_table(
        picks, _picks(micrograph, style.ingredients[0].species, item_seed(seed, name, "picks"))
    )
    fit = estimate_defocus_A(
        micrograph.image,
        optics.voltage_kV,
        optics.cs_mm,
        style.nominal_amplitude_contrast,
        optics.pixel_size_A,
    )
    record = {
        "made_by": made_by,
        "files": {p.relative_to(root).as_posix(): sha256_file(p) for p in (image, picks)},
        "defocus_A": fit.defocus_A,
        "true_defocus_A": optics.defocus_u_A,
        "truth": micrograph.truth.to_dict(orient="list"),
    }
    write_text(root / ".items" / f"{name}.json", json.dumps(record))


def _picks(micrograph: OracleMicrograph, species: str, seed: int) -> pd.DataFrame:
    """Centres of the main species with human jitter, kept inside the field."""
    height, width = micrograph.image.shape
    generator = torch.Generator().manual_seed(seed)
    main = micrograph.truth["species"].to_numpy() == species
    centres_px = micrograph.centres_px[torch.from_numpy(main)]
    jitter_px = _JITTER_PX * torch.randn(centres_px.shape, generator=generator)
    limit = torch.tensor([width - 1, height - 1], dtype=torch.float64)
    picked_px = torch.minimum((centres_px + jitter_px).clamp(min=0), limit)
    return pd.DataFrame(picked_px.numpy().round(1), columns=["x_px", "y_px"])


def _write_optics(style: OracleStyle, root: Path, fitted_A: list[float]) -> None:
    low_A, high_A = np.percentile(fitted_A, [10, 90])
    values = {
        "voltage_kV": style.voltage_kV,
        "cs_mm": style.cs_mm,
        "amplitude_contrast": style.nominal_amplitude_contrast,
        "pixel_size_A": style.pixel_size_A,
        "defocus_A": [round(float(low_A)), round(float(high_A))],
        "particle_diameter_A": style.diameter_A,
    }
    write_text(root / "optics.yaml", yaml.safe_dump(values, sort_keys=False))


def _write_table(path: Path, table: pd.DataFrame) -> None:
    with atomic_path(path) as temporary:
        table.to_csv(temporary, index=False)
