"""Where a run keeps its data, its fits and what they generate."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

from cryoccd.report.provenance import hash_config, hash_folder

Use = Literal["picking", "pose"]
"""What labelled sets are for."""


@dataclass(frozen=True)
class Places:
    """Folders of one data set of a run; the hashes are taken once, when the folders are whole.

    Args:
        root: of the data set.
        side: name of its simulated side; "" for the common one.
    """

    root: Path
    side: str = ""
    _uses: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def real(self) -> Path:
        """Real side, or what plays it."""
        return self.root / "real"

    @property
    def simulated(self) -> Path:
        """Simulated side for training."""
        return self.root / f"simulated{self._suffix}"

    @property
    def simulated_test(self) -> Path:
        """Simulated side to be translated."""
        return self.root / f"simulated_test{self._suffix}"

    def simulated_for(self, use: Use) -> Path:
        """Simulated side that pickers or pose estimators are trained on, once translated."""
        return self.root / f"simulated_{use}{self._suffix}"

    def posed(self, split: str) -> Path:
        """Real side with known poses, for evaluations alone."""
        return self.root / f"posed_{split}"

    @property
    def ice_maps(self) -> Path:
        """Ice maps estimated on the real side."""
        return self.root / "ice_maps"

    @cached_property
    def training_hash(self) -> str:
        """Hash of the two folders that methods are fitted on."""
        return hash_config([hash_folder(self.real), hash_folder(self.simulated)])

    @cached_property
    def hash(self) -> str:
        """Hash of all three folders."""
        return hash_config([self.training_hash, hash_folder(self.simulated_test)])

    def hash_for(self, use: Use) -> str:
        """Hash of the folders that methods, and then pickers or estimators, are fitted on."""
        if use not in self._uses:
            folder = self.simulated_for(use)
            self._uses[use] = hash_config([self.training_hash, hash_folder(folder)])
        return self._uses[use]

    @property
    def _suffix(self) -> str:
        return f".{self.side}" if self.side else ""


@dataclass(frozen=True)
class Runs:
    """Folders of the runs of one profile.

    Args:
        root: runs/PROFILE.
    """

    root: Path
    _known: dict[tuple[str, str], Places] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def data(self, dataset: str, side: str = "") -> Places:
        """Folders of a data set with one of its simulated sides."""
        return self._known.setdefault((dataset, side), Places(self.root / "data" / dataset, side))

    def fit(self, method: str, trained_on: str, seed: int) -> Path:
        """Checkpoint and configuration of a fit."""
        return self.root / "fit" / f"{method}__{trained_on}__{seed}"

    def generated(
        self, row: str, trained_on: str, dataset: str, seed: int, use: Use | None = None
    ) -> Path:
        """Micrographs of a data set as a row's fit translates them: those to be tested, or used."""
        sets = dataset if trained_on == dataset else f"{trained_on}__{dataset}"
        kind = f"generated_{use}" if use else "generated"
        return self.root / kind / f"{row}__{sets}__{seed}"
