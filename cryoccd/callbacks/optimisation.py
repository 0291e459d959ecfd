"""Options of the trainer that Lightning leaves to methods with several optimizers."""

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch import nn
from torch.optim import Optimizer

from cryoccd.errors import CryoccdError
from cryoccd.methods.training import Trained
from cryoccd.nn.volume_unet import VolumeUNet


class Optimisation(Callback):
    """Gradient accumulation and clipping, compiled networks, channels-last memory.

    Precision is the trainer's own option: `--trainer.precision=bf16-mixed` or `16-mixed`.

    Args:
        accumulate_batches: batches whose mean gradient makes one step.
        clip_norm: largest norm of the gradient of each loss; None clips nothing.
        compile: compile each network with torch.compile; weights keep their names.
        channels_last: keep the weights of convolutions in channels-last order.

    Raises:
        CryoccdError: a number out of its range.
    """

    def __init__(
        self,
        accumulate_batches: int = 1,
        clip_norm: float | None = None,
        compile: bool = False,
        channels_last: bool = False,
    ) -> None:
        if accumulate_batches < 1:
            raise CryoccdError(
                f"optimisation: accumulate_batches = {accumulate_batches}, expected 1 or more"
            )
        if clip_norm is not None and not clip_norm > 0:
            raise CryoccdError(f"optimisation: clip_norm = {clip_norm}, expected above 0, or null")
        self.accumulate_batches, self.clip_norm = accumulate_batches, clip_norm
        self.compile, self.channels_last = compile, channels_last

    def setup(self, trainer: L.Trainer, pl_module: L.LightningModule, stage: str) -> None:
        """Prepare the networks, once, before a strategy takes note of how they lie in memory."""
        if not isinstance(pl_module, Trained):
            return
        pl_module.accumulate_batches = self.accumulate_batches
        for network in _networks(pl_module):
            if self.channels_last and not isinstance(network, VolumeUNet):  # it is so already
                network.to(memory_format=torch.channels_last)
            if self.compile:
                network.compile()

    def on_fit_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Look at the optimizers.

        Raises:
            CryoccdError: one of them takes the scale of 16-mixed off by itself, after the clipping.
        """
        scaled = getattr(trainer.precision_plugin, "scaler", None) is not None
        fused = any(getattr(o, "_step_supports_amp_scaling", False) for o in trainer.optimizers)
        if self.clip_norm is not None and scaled and fused:
            raise CryoccdError(
                "optimisation: clip_norm clips no fused optimizer in 16-mixed; set its fused to "
                "false, or train in bf16-mixed"
            )

    def on_before_optimizer_step(
        self, trainer: L.Trainer, pl_module: L.LightningModule, optimizer: Optimizer
    ) -> None:
        """Clip after the gradient has lost the scale of mixed precision."""
        if self.clip_norm is not None:
            parameters = [p for group in optimizer.param_groups for p in group["params"]]
            nn.utils.clip_grad_norm_(parameters, self.clip_norm)


def _networks(module: Trained) -> list[nn.Module]:
    return [network for networks in module.networks().values() for network in networks]
