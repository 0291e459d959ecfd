"""The parser of `cryoccd fit`: LightningCLI with the callbacks that every run has."""

from pathlib import Path
from typing import Any

import lightning as L
from jsonargparse import Namespace
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.cli import LightningArgumentParser, LightningCLI, SaveConfigCallback
from lightning.pytorch.strategies import DDPStrategy, SingleDeviceStrategy

from cryoccd.callbacks.average import Average
from cryoccd.callbacks.best import BestCheckpoint
from cryoccd.callbacks.budget import TrainingBudget
from cryoccd.callbacks.checkpoint import LastCheckpoint
from cryoccd.callbacks.checkpoint_file import CheckpointFile
from cryoccd.callbacks.data_time import DataTime
from cryoccd.callbacks.noise_report import NoiseReport
from cryoccd.callbacks.optimisation import Optimisation
from cryoccd.callbacks.picking_report import PickingReport
from cryoccd.callbacks.progress import FitProgress
from cryoccd.callbacks.stopping import Stopping
from cryoccd.callbacks.wandb_logger import RunLogger
from cryoccd.callbacks.wandb_tracking import Tracking
from cryoccd.cli.parse import config_files
from cryoccd.data.datamodule import CryoDataModule
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import write_text
from cryoccd.io.refusal import one_line
from cryoccd.methods.base import Translator


class RunConfig(SaveConfigCallback):
    """Writes the resolved configuration beside each checkpoint; it runs as it is.

    Not before: a run that its data stops leaves no folder that looks like a run.
    """

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Write nothing yet."""

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Write before the checkpoint is."""
        if trainer.is_global_zero:
            self.save_config(trainer, pl_module, "fit")

    def save_config(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Write `config.yaml` into the run's folder."""
        text = self.parser.dump(self.config, skip_none=False)
        write_text(Path(trainer.default_root_dir) / "config.yaml", text)


CALLBACKS = {
    "stopping": Stopping,  # before what looks at a batch
    "budget": TrainingBudget,
    "optimisation": Optimisation,
    "average": Average,
    "noise_report": NoiseReport,  # of the new average, and its time is not that of the data
    "picking_report": PickingReport,
    "tracking": Tracking,  # of the new reports
    "data_time": DataTime,
    "checkpoint": LastCheckpoint,
    "best": BestCheckpoint,
    "progress": FitProgress,
}
"""What every run has, by the key of its settings."""

_PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")
_MACHINES = ("accelerator", "devices", "num_nodes", "strategy")
_OURS = {
    "gradient_clip_val": "optimisation.clip_norm",
    "accumulate_grad_batches": "optimisation.accumulate_batches",
}


class FitCLI(LightningCLI):
    """Callbacks that every run has."""

    def add_arguments_to_parser(self, parser: LightningArgumentParser) -> None:
        """Each callback can be set under its own key."""
        for key, callback in CALLBACKS.items():
            parser.add_lightning_class_args(callback, key)
        # one seed for what trains; a method without a seed of its own is passed over
        parser.link_arguments("seed_everything", "model.init_args.seed", compute_fn=int)
        parser.add_argument("--ckpt_path", type=Path | None, default=None, help="resume from here")

    def parse_arguments(self, parser: LightningArgumentParser, args: Any) -> None:
        """Parse; what is refused is told in one line."""
        with one_line(parser, config_files(args)):
            super().parse_arguments(parser, args)
        for key in (*CALLBACKS, "trainer"):
            given = self.config.get(key, {})
            if not isinstance(given, dict | Namespace):
                raise CryoccdError(f"{key} = {given}, expected a mapping of its settings")
        for key, ours in _OURS.items():
            given = self.config["trainer"][key]
            if given != parser.get_default(f"trainer.{key}"):
                raise CryoccdError(f"trainer.{key} = {given}: take {ours} in its place")

    def instantiate_classes(self) -> None:
        """Build model, data and trainer; what is refused is told in one line."""
        try:
            with one_line(self.parser):
                super().instantiate_classes()
        except MisconfigurationException as error:
            raise trainer_refuses(error) from error
        if isinstance(self.model, Translator) and not isinstance(self.datamodule, CryoDataModule):
            raise CryoccdError(
                f"data: {type(self.datamodule).__name__} gives no micrographs, which "
                f"{type(self.model).__name__} needs; take CryoDataModule"
            )
        for logger in self.trainer.loggers:
            if isinstance(logger, RunLogger):
                config = self.parser.dump(self.config, skip_none=False)
                logger.describe(self.model.label, config)

    def instantiate_trainer(self, **kwargs: Any) -> L.Trainer:
        """Build the trainer; a calibration is the work of one process.

        Raises:
            CryoccdError: a precision or a strategy that no method is made for, half precision
                without a GPU.
        """
        if self.model.max_images == 0:
            given = self.config_init["trainer"]
            L.Trainer(**{key: given[key] for key in _MACHINES}, logger=False)  # refuses the same
            kwargs |= {"devices": 1, "num_nodes": 1, "strategy": "auto"}
        plugins = self._get(self.config_init, "trainer.plugins") or []
        kwargs["plugins"] = [
            *(plugins if isinstance(plugins, list) else [plugins]),
            CheckpointFile(),
        ]
        if SLURMEnvironment.detect():
            # its handlers of signals and its requeue would be beside ours
            kwargs["plugins"].append(SLURMEnvironment(auto_requeue=False))
        trainer = super().instantiate_trainer(**kwargs)
        asked = self.config["trainer"]["precision"]
        if asked in (16, "16", "16-mixed") and trainer.precision == "bf16-mixed":
            raise CryoccdError(f"trainer.precision = {asked} needs a GPU; take bf16-mixed")
        if trainer.precision not in _PRECISIONS:
            raise CryoccdError(
                f"trainer.precision = {asked}, expected one of {', '.join(_PRECISIONS)}: weights "
                "are kept in 32 bits"
            )
        if not isinstance(trainer.strategy, SingleDeviceStrategy | DDPStrategy):
            raise CryoccdError(
                f"trainer.strategy = {type(trainer.strategy).__name__}, expected auto or ddp: "
                "sharded weights would save 1.5 GB at most (docs/training.md)"
            )
        return trainer


def trainer_refuses(error: MisconfigurationException) -> CryoccdError:
    """One line of what Lightning finds wrong with the trainer's configuration."""
    return CryoccdError(f"trainer: {error}; change its configuration")
