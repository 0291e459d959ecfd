r"""Class-conditional diffusion of subtomograms (Passi and Cohen 2025), and a better trained one.

    training    x_t = √ᾱ_t x_0 + √(1 − ᾱ_t) n,  t uniform on 0 … T − 1
                loss  mean of w(t) |target − net(x_t, t, class, position, density)|²
    sampling    from noise, with n̂ = n̂(nothing) + g [ n̂(class, position, density) − n̂(nothing) ]

The paper: target x_0, w = 1, g = 1, T ancestral steps. Options: the target v and min-SNR weights
(`cryoccd.diffusion.prediction`); classifier-free guidance (Ho and Salimans, arXiv:2207.12598), for
which a share of the training boxes is told nothing; the density of all that is in the box.

One mean over all noise levels tells which levels were drawn. So |x_0 − x̂_0|² is logged for each
quarter of them, `train/loss_t0` of the least noise to `train/loss_t3`, as means of an epoch: on one
schedule these compare, whatever the network predicts.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from cryoccd.diffusion.prediction import Parametrisation, Prediction, Weighting
from cryoccd.diffusion.sampler import Sampler
from cryoccd.diffusion.schedule import NoiseSchedule
from cryoccd.errors import CryoccdError
from cryoccd.methods.noise_prediction import level_of
from cryoccd.methods.training import Trained
from cryoccd.methods.volume_generator import VolumeGenerator
from cryoccd.nn.volume_unet import NO_DENSITY, VolumeUNet
from cryoccd.randomness import levels_of, noise_like
from cryoccd.records import VolumeBatch

QUARTERS = 4
"""Parts of the noise levels whose losses are logged apart."""


class SubtomogramDDPM(Trained, VolumeGenerator):
    """One diffusion of boxes.

    Args:
        net: what predicts.
        schedule: noise levels of the training.
        sampler: from pure noise.
        prediction: `x0` or `v`.
        weighting: of the levels in the loss: `uniform` or `min_snr`.
        drop_condition: share of the training boxes that are told nothing; as many more are told
            class and position without the density.
        guidance: g at sampling; 1 is none, anything else evaluates the network twice.
        trained: arguments of Trained.

    Raises:
        CryoccdError: a number out of its range, or a sampler that does not fit.
    """

    def __init__(
        self,
        net: VolumeUNet,
        schedule: NoiseSchedule,
        sampler: Sampler,
        prediction: Prediction = "x0",
        weighting: Weighting = "uniform",
        drop_condition: float = 0.0,
        guidance: float = 1.0,
        **trained: Any,
    ) -> None:
        super().__init__(**trained)
        self.require("drop_condition", drop_condition, 0 <= drop_condition <= 0.5, "0 to 0.5")
        told = guidance == 1 or drop_condition > 0
        self.require("guidance", guidance, told, "1 where drop_condition is 0")
        self.require("guidance", guidance, guidance >= 0, "0 or more")
        self.require("sampler.pure_noise", sampler.pure_noise, sampler.pure_noise, "true")
        sampler.check(schedule)
        self.parametrisation = Parametrisation(prediction, schedule)
        self.parametrisation.weight(weighting, torch.zeros(1))  # names a wrong one
        self.net, self.schedule, self.sampler = net, schedule, sampler
        self.weighting, self.guidance = weighting, guidance
        self.drop_condition = drop_condition

    def calibrate(self, datamodule: Any) -> None:
        """Take over what the boxes are.

        Raises:
            CryoccdError: the network is made for other classes, or the boxes have a side that it
                cannot halve.
        """
        super().calibrate(datamodule)
        known, side = len(self.classes), int(self.box_voxels)
        self.require("net.n_classes", self.net.n_classes, self.net.n_classes == known, f"{known}")
        unit = self.net.align_px
        self.require("data.box_voxels", side, side % unit == 0, f"a multiple of {unit}")

    @property
    def evaluations(self) -> int:
        """Those of the sampler, twice with guidance; counted on one voxel."""
        calls = 0

        def counted(noised: Tensor, t: Tensor) -> Tensor:
            nonlocal calls
            calls += 1
            return noised

        self.sampler(counted, torch.zeros(1, 1, 1, 1, 1), self.schedule, [torch.Generator()])
        return calls if self.guidance == 1 else 2 * calls

    def networks(self) -> dict[str, list[nn.Module]]:
        """The one network."""
        return {"denoise": [self.net]}

    def losses(self, batch: VolumeBatch, generators: list[torch.Generator]) -> dict[str, Tensor]:
        """One step."""
        clean, kind = batch.volume, self.parametrisation
        t = levels_of(generators, self.schedule.steps, clean.device)
        noise = noise_like(clean, generators)
        known, density = self._told(batch, generators)
        noised = kind.noised(clean, noise, t)
        level = level_of(t, self.schedule)
        predicted = self.net(noised, level, batch.label, batch.position, density, known).float()
        error = (predicted - kind.target(clean, noise, t)).square().mean((1, 2, 3, 4))
        loss = (kind.weight(self.weighting, t) * error).mean()
        self.descend("denoise", loss)
        self._log_quarters(t, kind.clean_error(error.detach(), t))
        return {"denoise": loss}

    def on_train_epoch_end(self) -> None:
        """The means of an epoch stand at the images seen, as all that is logged does."""
        self.log_dict({name: float(self.images_seen) for name in ("train/images", "step")})

    @torch.no_grad()
    def sample(
        self,
        label: Tensor,
        position: Tensor,
        generators: Sequence[torch.Generator],
        density: Tensor | None = None,
    ) -> Tensor:
        """See `VolumeGenerator.sample`.

        Raises:
            CryoccdError: not calibrated, or conditions that do not fit the network.
        """
        self.require_calibration()
        self._check(label, position, generators, density)
        nobody = torch.zeros_like(label, dtype=torch.bool)

        def predict_noise(noised: Tensor, t: Tensor) -> Tensor:
            level = level_of(t, self.schedule)
            predicted = self.net(noised, level, label, position, density).float()
            if self.guidance != 1:
                free = self.net(noised, level, label, position, None, nobody).float()
                predicted = free + self.guidance * (predicted - free)
            return self.parametrisation.noise_of(predicted, noised, t)

        side = int(self.box_voxels)
        start = position.new_zeros(len(label), 1, side, side, side)
        return self.sampler(predict_noise, start, self.schedule, generators)

    @torch.no_grad()
    def clean_errors(
        self, batch: VolumeBatch, snr_dB: float, generators: Sequence[torch.Generator]
    ) -> Tensor:
        """See `VolumeGenerator.clean_errors`."""
        kind, clean = self.parametrisation, batch.volume
        t = torch.full((len(clean),), kind.nearest_level(snr_dB), device=clean.device)
        noise = noise_like(clean, generators)
        density = batch.density if self.net.density_condition else None
        level, noised = level_of(t, self.schedule), kind.noised(clean, noise, t)
        predicted = self.net(noised, level, batch.label, batch.position, density).float()
        error = (predicted - kind.target(clean, noise, t)).square().mean((1, 2, 3, 4))
        return kind.clean_error(error, t)

    def _told(
        self, batch: VolumeBatch, generators: Sequence[torch.Generator]
    ) -> tuple[Tensor | None, Tensor | None]:
        """Which boxes are told class and position, and the density that is told."""
        if self.net.density_condition and batch.density is None:
            raise CryoccdError(
                f"{self.label}: net.density_condition, but the data gives no density; set "
                "data.init_args.density"
            )
        density = batch.density if self.net.density_condition else None
        if self.drop_condition == 0:
            return None, density
        drawn = torch.cat([torch.rand(1, generator=g, device=g.device) for g in generators])
        drawn = drawn.to(batch.volume.device)
        if density is not None:
            told = (drawn >= 2 * self.drop_condition)[:, None, None, None, None]
            density = density.where(told, NO_DENSITY)
        return drawn >= self.drop_condition, density

    def _log_quarters(self, t: Tensor, error: Tensor) -> None:
        """Means of an epoch; an empty quarter of a batch weighs nothing."""
        quarters = (QUARTERS * t) // self.schedule.steps
        for quarter in range(QUARTERS):
            inside = quarters == quarter
            count = int(inside.sum())
            mean = error[inside].sum() / max(count, 1)
            self.log(
                f"train/loss_t{quarter}",
                mean,
                on_step=False,
                on_epoch=True,
                batch_size=count,
                sync_dist=True,
            )

    def _check(
        self,
        label: Tensor,
        position: Tensor,
        generators: Sequence[torch.Generator],
        density: Tensor | None,
    ) -> None:
        n, side = len(label), int(self.box_voxels)
        inside = bool(((label >= 0) & (label < self.net.n_classes)).all())
        last = self.net.n_classes - 1
        self.require("label", label.tolist(), inside, f"0 to {last}")
        shape = tuple(position.shape)
        self.require("position", shape, shape == (n, 3), f"({n}, 3)")
        self.require("generators", len(generators), len(generators) == n, f"{n}")
        if density is None:
            return
        takes = self.net.density_condition
        self.require("density", "given", takes, "none, since net.density_condition is false")
        shape, boxes = tuple(density.shape), (n, 1, side, side, side)
        self.require("density", shape, shape == boxes, f"{boxes}")
