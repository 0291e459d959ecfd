"""What must be known of a W&B run to go on with it, kept in the fit's folder."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal
from uuid import uuid4

from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import write_text

NAME = "wandb.json"

Goal = Literal["min", "max"]


@dataclass(frozen=True)
class RunRecord:
    """A run's identity and how far its log has come.

    Args:
        id: of the run, the same after an interruption.
        images: training images of the last row that was logged; an interrupted run repeats what
            came after its checkpoint, and these rows are not logged again.
        best: best value of each figure that has a goal: W&B forgets it with the process.
    """

    id: str
    images: int = -1
    best: dict[str, float] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> "RunRecord":
        """The record of a folder, or that of a new run.

        An agent of a W&B sweep has given the run its id.

        Raises:
            CryoccdError: the record is not readable.
        """
        path = folder / NAME
        if not path.is_file():
            swept = os.environ.get("WANDB_RUN_ID") if "WANDB_SWEEP_ID" in os.environ else None
            return cls(swept or uuid4().hex[:8])
        try:
            return cls(**json.loads(path.read_text(encoding="utf8")))
        except (OSError, ValueError, TypeError) as error:
            raise CryoccdError(
                f"{path}: not readable ({error}); remove it to begin a new W&B run"
            ) from error

    def with_row(
        self, images: int, row: Mapping[str, object], goals: Mapping[str, Goal]
    ) -> "RunRecord":
        """The record once a row is logged."""
        best = dict(self.best)
        for name, goal in goals.items():
            if isinstance(value := row.get(name), float):
                choose = min if goal == "min" else max
                best[name] = choose(value, best.get(name, value))
        return replace(self, images=images, best=best)

    def write(self, folder: Path) -> None:
        """Write the record whole."""
        write_text(folder / NAME, json.dumps(asdict(self), indent=1) + "\n")
