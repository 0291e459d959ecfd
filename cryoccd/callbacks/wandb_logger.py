"""Weights & Biases as the logger of a fit: `--config configs/trainer/logger-wandb.yaml`.

Lightning's WandbLogger, with what its users miss: the x axis is `train/images`, with one row for
each value of it; an interrupted fit goes on in the same run and repeats no row; nothing is written
outside of the fit's folder; checkpoints stay where they are.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import yaml
from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.loggers import CSVLogger, WandbLogger
from lightning.pytorch.utilities import rank_zero_only
from rich.console import Console

import cryoccd
from cryoccd.callbacks.wandb_record import Goal, RunRecord
from cryoccd.callbacks.wandb_run import PROJECT, Mode, files_within, open_run, where
from cryoccd.io.commit import source_commit

if TYPE_CHECKING:
    from wandb import Run

STEP = "train/images"


class RunLogger(WandbLogger):
    """Logs a fit to W&B, and to `logs/version_N/metrics.csv` as without it.

    Args:
        save_dir: folder of the fit; W&B's files are in its `wandb`.
        project: of W&B.
        entity: user or team; None for that of the login.
        mode: auto is online where there is a login, else offline.
        run_name: readable name; None for method, style and seed.
        group: runs that are compared as one; None for the method.
        job_type: what the run is.
        tags: None for style and seed.
    """

    def __init__(
        self,
        save_dir: str,
        project: str = PROJECT,
        entity: str | None = None,
        mode: Mode = "auto",
        run_name: str | None = None,
        group: str | None = None,
        job_type: str = "fit",
        tags: list[str] | None = None,
    ) -> None:
        super().__init__(name=run_name, save_dir=save_dir, project=project)
        self._folder, self._mode = Path(save_dir), mode
        self._csv = CSVLogger(save_dir, name="logs")
        self._details: dict[str, Any] = {"project": project, "entity": entity}
        self._details |= {"name": run_name, "group": group, "job_type": job_type, "tags": tags}
        self._goals: dict[str, Goal] = {}
        self._row: dict[str, Any] = {}
        self._images = -1
        self._record = RunRecord("")
        self._places = ExitStack()

    def describe(self, method: str, config: str) -> None:
        """Take the whole configuration of the fit, before its run is opened.

        Args:
            method: its name.
            config: the resolved configuration as YAML.
        """
        known = yaml.safe_load(config)
        seed, styles = known["seed_everything"], _styles(known["data"])
        self._details["config"] = known | {
            "method": method,
            "style": "+".join(styles),
            "seed": seed,
            "commit": source_commit(Path(cryoccd.__file__).resolve().parents[1]),
            "version": cryoccd.__version__,
        }
        own = {
            "name": f"{method} · {'+'.join(styles)} · seed {seed}",
            "group": method,
            "tags": [*styles, f"seed {seed}"],
        }
        self._details |= {key: value for key, value in own.items() if self._details[key] is None}

    @property
    @rank_zero_experiment
    def experiment(self) -> "Run":
        """The run of W&B, opened when it is first asked for."""
        if self._experiment is None:
            self._experiment = self._open()
        return cast("Run", self._experiment)  # never disabled

    @rank_zero_only
    def expect(self, goals: Mapping[str, Goal]) -> None:
        """Have the least or the greatest value of figures in the run's summary."""
        self._goals = dict(goals)
        for name, goal in goals.items():
            self.experiment.define_metric(name, step_metric=STEP, summary=goal)

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log values after so many training images."""
        self._csv.log_metrics(dict(metrics), step)
        images = metrics.get(STEP, step)
        if images is not None:
            self.put(int(images), {name: v for name, v in metrics.items() if name != STEP})

    @rank_zero_only
    def put(self, images: int, values: Mapping[str, Any]) -> None:
        """Add values to the row of so many images; a row is logged when the next one begins."""
        self.experiment.id  # noqa: B018  # opened, its record is read
        if images <= self._record.images:
            return
        if images != self._images:
            self.commit()
        self._images = images
        self._row |= values

    @rank_zero_only
    def commit(self) -> None:
        """Log the row that is being filled."""
        if not self._row:
            return
        row, self._row = self._row, {}
        resumed = bool(self._record.best)
        self._record = self._record.with_row(self._images, row, self._goals)
        self._record.write(self._folder)  # first: a row is rather lost than logged twice
        self.experiment.log({STEP: self._images, **row}, step=self._images, commit=True)
        if resumed and self._goals.keys() & row.keys():
            known = self._record.best  # of a rarer report, or one undefined, there is none yet
            best = {
                name: {goal: known[name]} for name, goal in self._goals.items() if name in known
            }
            self.experiment.summary.update(best)

    def log_hyperparams(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the run has the whole configuration."""

    @rank_zero_only
    def save(self) -> None:
        """Write the table of the log."""
        self._csv.save()

    @rank_zero_only
    def finalize(self, status: str) -> None:
        """Close the run."""
        self._csv.finalize(status)
        if self._experiment is not None:
            self.commit()
            self._experiment.finish(exit_code=int(status != "success"))
            self._experiment = None
            self._places.close()

    @property
    def log_dir(self) -> str:
        """Folder of the table."""
        return self._csv.log_dir

    def _open(self) -> "Run":
        self._record = RunRecord.of(self._folder)
        self._record.write(self._folder)
        self._places.enter_context(files_within(self._folder))
        run = open_run(self._folder, self._mode, id=self._record.id, **self._details)
        run.define_metric(STEP)
        run.define_metric("*", step_metric=STEP)
        Console().print(where(run), style="dim", markup=False, highlight=False, soft_wrap=True)
        return run


def _styles(data: Mapping[str, Any]) -> Sequence[str]:
    """Names of what a fit is fitted on: styles of the oracle, or folders."""
    arguments = data["init_args"]
    found = []
    for part in arguments.get("parts") or [arguments]:
        recipe = (part.get("recipe") or {}).get("init_args") or {}
        folder = Path(str(part.get("real") or part.get("root") or "data"))
        name = folder.parent.name if folder.name == "real" else folder.name
        found.append(str(recipe.get("style") or name))
    return found
