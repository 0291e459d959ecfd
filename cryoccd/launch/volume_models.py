"""Fits generators of boxes and samples them, through the verbs that a user has."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cryoccd
from cryoccd.data.subtomograms import SubtomogramDataModule
from cryoccd.io.atomic import sha256_file
from cryoccd.io.lock import locked
from cryoccd.launch.fit_folder import as_text, begin_fit, fit_arguments, keep_generated
from cryoccd.launch.fits import Fits
from cryoccd.report.provenance import hash_config


@dataclass(frozen=True)
class VolumeModels:
    """The models of one data set of a table.

    Args:
        fits: the matrix, where things are kept, what runs commands.
        dataset: name of the data set.
        tomograms: folder of the tomograms, whole.
        data_hash: hash of what is in it.
        placing: folder of tomograms whose densities models are told; None where there are none.
    """

    fits: Fits
    dataset: str
    tomograms: Path
    data_hash: str
    placing: Path | None
    _fitted: set[Path] = field(default_factory=set, init=False, repr=False, compare=False)

    def hash(self, row: str, seed: int) -> str:
        """Hash of all that decides a row's model, but for the version."""
        matrix = self.fits.matrix
        files = [*matrix.method_configs(row), matrix.trainer]
        return hash_config(
            {
                "files": [path.read_text(encoding="utf8") for path in files],
                "overrides": matrix.overrides(row),
                "data": self.data(row, seed)["init_args"] | {"root": self.data_hash},
                "seed": seed,
            }
        )

    def data(self, row: str, seed: int) -> dict[str, Any]:
        """The data module that a row is fitted with."""
        matrix = self.fits.matrix
        given = {**matrix.data, **matrix.variant(row).data}
        return {
            "class_path": f"{SubtomogramDataModule.__module__}.{SubtomogramDataModule.__name__}",
            "init_args": {"root": str(self.tomograms), "seed": seed, **given},
        }

    def checkpoint(self, row: str, seed: int) -> Path:
        """Fit a row's model, or go on where an earlier run of the same fit stopped."""
        matrix, fits = self.fits.matrix, self.fits
        name = matrix.fit_of(row)
        folder = fits.runs.fit(name, self.dataset, seed)
        checkpoint = folder / "last.ckpt"
        if checkpoint in self._fitted:
            return checkpoint
        with locked(fits.runs.root / "locks" / f"fit__{folder.name}"):  # rows may share it
            begin_fit(folder, self.hash(row, seed))
            files, overrides = matrix.method_configs(row), matrix.overrides(row)
            data = self.data(row, seed)
            tracked = fits.tracked(row, [self.dataset], seed)
            arguments = fit_arguments(files, matrix.trainer, data, overrides, seed, folder, tracked)
            fits.command(["fit", *arguments, f"--progress.title=fit · {name} · {self.dataset}"])
        self._fitted.add(checkpoint)
        return checkpoint

    def samples(self, row: str, seed: int, count: int, batch_size: int, told: bool) -> Path:
        """Boxes of each class by a row's model; the folder of them.

        Args:
            row: of the table.
            seed: of the fit and of the samples.
            count: boxes of each class.
            batch_size: boxes at once.
            told: whether the model is told densities.
        """
        fits, checkpoint = self.fits, self.checkpoint(row, seed)
        output = fits.runs.generated(row, self.dataset, self.dataset, seed)
        settings = fits.matrix.variant(row).settings
        facts = {
            "version": cryoccd.__version__,
            "checkpoint_sha256": sha256_file(checkpoint),
            "count": count,
            "seed": seed,
        }
        keep_generated(output, facts, settings)
        title = f"sample · {row} · {self.dataset}"
        argv = [f"--checkpoint={checkpoint}", f"--count={count}", f"--output={output}"]
        argv += [f"--seed={seed}", f"--batch_size={batch_size}", f"--device={fits.device}"]
        argv += [f"--density={self.placing}"] if told else []
        argv += [f"--set={name}={as_text(value)}" for name, value in settings.items()]
        fits.command(["sample", *argv, f"--title={title}", "--resume"])
        return output
