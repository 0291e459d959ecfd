"""Silence about what a user of Lightning cannot act on; our own bar says what happens."""

import logging
import warnings

_MESSAGES = (
    ".*isinstance.treespec, LeafSpec.",  # lightning 2.6 uses a name that torch 2.15 deprecates
    ".*args parameter is intended to run from within Python",  # argv comes from our dispatcher
    ".*does not have many workers",  # small data is cut in the training process on purpose
    ".*is smaller than the logging interval",  # an epoch is only a place to save
    ".*AMP with fp16 is not supported on CPU",  # refused
    ".*resuming from a checkpoint that ended before the epoch ended",  # our sampler goes on there
    ".*configure_optimizers. returned .None.",  # a fit that only calibrates
    ".*passed in a .val_dataloader. but have no .validation_step",  # held-out boxes are for tables
    ".*srun. command is available on your system but is not used",  # one may compute at the login
)


def quieten_lightning() -> None:
    """Leave out its notes and the warnings that tell nothing to act on."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for message in _MESSAGES:
        warnings.filterwarnings("ignore", message=message)
