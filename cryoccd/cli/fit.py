"""`cryoccd fit`: one method on one data set, from the start or from where a run stopped."""

import os
from contextlib import suppress
from pathlib import Path

import lightning as L
import torch
from jsonargparse import Namespace
from lightning.fabric.utilities.exceptions import MisconfigurationException
from torch.multiprocessing.spawn import ProcessExitedException

from cryoccd.cli.fit_cli import FitCLI, RunConfig, trainer_refuses
from cryoccd.cli.processes import one_voice
from cryoccd.errors import CryoccdError, Stopped
from cryoccd.io.checked import read_yaml
from cryoccd.io.quiet import quieten_lightning
from cryoccd.io.refusal import one_line
from cryoccd.methods.fittable import Fittable


def run(argv: list[str]) -> None:
    """Fit one method on one data set; a run that was interrupted goes on from its last epoch."""
    # lightning 2.6 calls what jsonargparse 4.5x deprecates
    os.environ.setdefault("JSONARGPARSE_DEPRECATION_WARNINGS", "off")
    quieten_lightning()
    cli = FitCLI(
        model_class=Fittable,
        datamodule_class=L.LightningDataModule,
        subclass_mode_model=True,
        subclass_mode_data=True,
        save_config_callback=RunConfig,
        save_config_kwargs={"save_to_log_dir": False, "overwrite": True},
        parser_kwargs={
            "prog": "cryoccd fit",
            "parser_mode": "omegaconf",
            "exit_on_error": False,
            "allow_abbrev": False,
        },
        trainer_defaults={"enable_model_summary": False},
        auto_configure_optimizers=False,
        seed_everything_default=0,
        run=False,
        args=argv,
    )
    resume = cli.config["ckpt_path"] or _last_checkpoint(cli)
    if resume is not None and _finished(resume, cli.model):
        return
    with one_voice(argv):
        _fit(cli, resume)


def _fit(cli: FitCLI, resume: Path | None) -> None:
    try:
        cli.trainer.fit(cli.model, datamodule=cli.datamodule, ckpt_path=resume, weights_only=True)
    except CryoccdError:
        _remove_empty(cli.trainer)
        raise
    except MisconfigurationException as error:
        raise trainer_refuses(error) from error
    except ProcessExitedException as error:  # of a strategy that forks
        if error.exit_code > 128:
            raise Stopped(error.exit_code - 128, speaks=True) from error
        raise
    except SystemExit as stop:  # the trainer leaves this way after an interrupt
        if isinstance(stop.__context__, Stopped):
            raise stop.__context__ from None
        if cli.trainer.interrupted and cli.trainer.is_global_zero:
            raise KeyboardInterrupt from stop
        raise


def _finished(checkpoint: Path, model: Fittable) -> bool:
    """Whether the checkpoint has spent the budget of the method, or all of its calibration."""
    try:
        seen = torch.load(checkpoint, map_location="cpu", weights_only=True)["images_seen"]
    except Exception as error:  # torch raises whatever its reader meets first
        raise CryoccdError(
            f"{checkpoint}: not a readable checkpoint; remove it to begin anew"
        ) from error
    return int(seen) >= model.max_images


def _remove_empty(trainer: L.Trainer) -> None:
    """Remove the folders that the logger opened for a run that never began."""
    root = Path(trainer.default_root_dir)
    # the trainer's own log_dir waits for all processes
    logs = Path(getattr(trainer.logger, "log_dir", None) or root)
    with suppress(OSError):  # one that is not empty stays, with all above it
        for folder in (logs, *logs.parents):
            if folder.is_relative_to(root):
                folder.rmdir()


def _last_checkpoint(cli: FitCLI) -> Path | None:
    """The checkpoint of an earlier run of the same configuration in the run's folder."""
    root = Path(cli.trainer.default_root_dir)
    checkpoint, config = root / "last.ckpt", root / "config.yaml"
    if not checkpoint.is_file():
        return None
    if not config.is_file() or not _same(cli, config):
        raise CryoccdError(
            f"{root}: holds the run of another configuration; remove it, or choose another "
            "--trainer.default_root_dir"
        )
    return checkpoint


def _same(cli: FitCLI, config: Path) -> bool:
    """Whether a run had this configuration; keys that its version did not have are at default.

    It may be logged elsewhere from now on.
    """
    current = _unlogged(cli, cli.config)
    try:
        with one_line(cli.parser):
            earlier = cli.parser.parse_object(read_yaml(config))
    except CryoccdError:
        return False
    return _unlogged(cli, earlier) == current


def _unlogged(cli: FitCLI, config: Namespace) -> str:
    unlogged = config.clone()
    unlogged["trainer"]["logger"] = None
    return str(cli.parser.dump(unlogged, skip_none=False))
