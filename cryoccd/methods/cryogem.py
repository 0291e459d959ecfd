r"""CryoGEM: contrastive translation with a physics front end (Zhang et al., arXiv:2312.02235).

    source    s = (t · (1 + clean) − μ) / σ_clean + n / √SNR,    t = 1 − c (1 − ice), n white
    losses    L_D = ½ [mean D(G(s))² + mean (D(real) − 1)²]
              L_G = λ_GAN mean (D(G(s)) − 1)² + λ_NCE mean over levels of NCE_level(s, G(s), mask)

NCE is the mask-guided PatchNCE of `cryoccd.losses.mask_patch_nce`, on the features that the
generator's own encoder gives of s and of G(s). Each step trains D first, then G and the head F.

What differs from the paper's code:
- `clean` already carries the CTF and ice acts on it as transmission. Estimated ice maps tell where
  it is darker, not by how much: c = 0.1 is the value of the CTF at zero frequency, by which the
  paper's code, with the ice before the CTF, weakens the gradient (and there c = 1 for particles);
- μ and σ_clean are constants of the training set, and real images come at median 0 and MAD-sd 1,
  divided by range_sd and clipped; there, each batch is stretched from its minimum to its maximum,
  so that one hot pixel changes all the rest;
- the noise is the method's only randomness, drawn for a whole micrograph before it is tiled;
- features stop at the encoder's last used level, and the rate decays by images, not by epochs.
"""

from collections.abc import Sequence
from math import sqrt
from typing import cast

import torch
from lightning.pytorch.cli import OptimizerCallable
from lightning.pytorch.core.optimizer import LightningOptimizer
from torch import Tensor, nn
from torch.nn import functional
from torch.optim import Optimizer

from cryoccd.data.datamodule import CryoDataModule
from cryoccd.data.ice_maps import GRID, upsample
from cryoccd.errors import CryoccdError
from cryoccd.geometry import item_seed
from cryoccd.losses.lsgan import discriminator_loss, generator_loss
from cryoccd.losses.mask_patch_nce import mask_patch_nce
from cryoccd.losses.mask_points import features_at, sample_points
from cryoccd.methods.base import Translator
from cryoccd.nn.feature_head import FeatureHead
from cryoccd.nn.tiling import check_tiles, translate_tiled
from cryoccd.nn.unet_generator import UNetGenerator
from cryoccd.records import UnpairedBatch

MAX_ICE_MAPS = 64
"""Ice maps, on the grid of the estimate, that the checkpoint carries along."""


class CryoGEM(Translator):
    """Unpaired GAN that keeps particles where they are by contrast of features.

    Args:
        generator: source to image, with the encoder that gives the features.
        discriminator: images to logits.
        head: one MLP for each of nce_levels; its channels are the generator's widths there.
        optimizer: makes one optimizer for each of D, G and F.
        constant_images: training images at the full learning rate.
        decay_images: training images after that, while the rate falls linearly to 0.
        ice_contrast: c, the loss of transmission where the ice map is 0; 1 for maps of true scale.
        snr: variance of the clean signal over that of the white noise put on it.
        lambda_gan: weight of the adversarial loss.
        lambda_nce: weight of the contrastive loss.
        nce_levels: generator levels, 1 = the finest, whose features are contrasted.
        n_points: points of each class sampled from each mask.
        temperature: τ of the contrastive loss.
        range_sd: half the range of the Tanh in units of normalised real images.
        tile_px: largest side translated in one pass; the training crop or a multiple of it.
        overlap_px: least overlap of tiles.
        seed: seed of the training noise and of the sampled points.

    Raises:
        CryoccdError: a number out of its range, or a head that does not fit the generator.
    """

    def __init__(
        self,
        generator: UNetGenerator,
        discriminator: nn.Module,
        head: FeatureHead,
        optimizer: OptimizerCallable,
        constant_images: int,
        decay_images: int,
        ice_contrast: float = 0.1,
        snr: float = 0.1,
        lambda_gan: float = 1.0,
        lambda_nce: float = 10.0,
        nce_levels: Sequence[int] = (1, 2, 3, 4, 5),
        n_points: int = 256,
        temperature: float = 0.07,
        range_sd: float = 6.0,
        tile_px: int = 1024,
        overlap_px: int = 256,
        seed: int = 0,
    ) -> None:
        super().__init__()
        for name, value in (("snr", snr), ("range_sd", range_sd), ("temperature", temperature)):
            if not value > 0:
                raise CryoccdError(f"cryogem: {name} = {value}, expected above 0")
        if min(constant_images, decay_images) < 0 or constant_images + decay_images == 0:
            raise CryoccdError(
                f"cryogem: constant_images = {constant_images}, decay_images = {decay_images}; "
                "expected a sum above 0 and neither below 0"
            )
        if not 0 <= ice_contrast <= 1:
            raise CryoccdError(f"cryogem: ice_contrast = {ice_contrast}, expected 0 to 1")
        _check_head(head, generator, nce_levels)
        self.align_px = min(2**generator.depth, overlap_px)
        check_tiles(tile_px, overlap_px, self.align_px)

        self.automatic_optimization = False
        self.generator = generator
        self.discriminator = discriminator
        self.head = head
        self.optimizer = optimizer
        self.constant_images = constant_images
        self.decay_images = decay_images
        self.max_images = constant_images + decay_images
        self.ice_contrast = ice_contrast
        self.snr = snr
        self.lambda_gan = lambda_gan
        self.lambda_nce = lambda_nce
        self.nce_levels = tuple(nce_levels)
        self.n_points = n_points
        self.temperature = temperature
        self.range_sd = range_sd
        self.tile_px = tile_px
        self.overlap_px = overlap_px
        self.seed = seed
        self.register_buffer("intensity_mean", torch.tensor(0.0))
        self.register_buffer("clean_sd", torch.tensor(1.0))
        self.register_buffer("ice_maps", torch.empty(0, 1, 1))

    intensity_mean: Tensor
    clean_sd: Tensor
    ice_maps: Tensor

    def calibrate(self, datamodule: CryoDataModule) -> None:
        """Set μ and σ_clean from the simulated training micrographs, and keep their ice maps.

        Raises:
            CryoccdError: none of them has a particle.
        """
        variances, means = [], []
        maps: list[Tensor] = []
        for micrograph in datamodule.train_simulated():
            variances.append(micrograph.clean.var())
            means.append(self._intensity(micrograph.clean, micrograph.ice).mean())
            if len(maps) < MAX_ICE_MAPS:
                maps.append(functional.adaptive_avg_pool2d(micrograph.ice[None], GRID)[0])
        if datamodule.ice_source == "real":
            self.ice_maps = torch.stack(maps).to(self.clean_sd)
        self.clean_sd.copy_(torch.stack(variances).mean().sqrt())
        self.intensity_mean.copy_(torch.stack(means).mean())
        if not float(self.clean_sd) > 0:
            raise CryoccdError("simulated side: no micrograph has a particle, so SNR is undefined")

    def ice_input(self, modelled: Tensor, generator: torch.Generator) -> Tensor:
        """A map estimated on a real micrograph where training had such maps, else the model's."""
        if len(self.ice_maps) == 0:
            return modelled
        index = int(torch.randint(len(self.ice_maps), (1,), generator=generator))
        return upsample(self.ice_maps[index].to(modelled), (modelled.shape[0], modelled.shape[1]))

    def choices(self) -> dict[str, float | int | str]:
        """SNR and signal strength of the physics front end."""
        return {"snr": self.snr, "signal_sd": float(self.clean_sd)}

    def source(self, clean: Tensor, ice: Tensor, generator: torch.Generator) -> Tensor:
        """The noisy physical image (b, 1, h, w), the generator's input, with sd 1 / range_sd."""
        signal = (self._intensity(clean, ice) - self.intensity_mean) / self.clean_sd
        noise = torch.randn(signal.shape, generator=generator, device=generator.device)
        noisy = signal + noise.to(signal) / sqrt(self.snr)
        return noisy / (sqrt(1 + 1 / self.snr) * self.range_sd)

    def contrastive_loss(
        self, source: Tensor, generated: Tensor, mask: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Mask-guided PatchNCE, mean over levels and over the images that have both classes.

        0, with gradient 0, where no image of the batch has particles as well as background.
        """
        points = sample_points(mask, self.n_points, generator)
        vectors = []
        for image in (source, generated):
            encoded = self.generator.encode(image, max(self.nce_levels))
            features = [encoded[level - 1] for level in self.nce_levels]
            vectors += [
                self.head([features_at(level, points.particle, "bilinear") for level in features]),
                self.head([features_at(level, points.background, "nearest") for level in features]),
            ]
        source_p, source_b, generated_p, generated_b = vectors
        levels = [
            mask_patch_nce(*level, temperature=self.temperature)
            for level in zip(source_p, generated_p, source_b, generated_b, strict=True)
        ]
        per_image = torch.stack(levels).mean(0)
        return (per_image * points.complete).sum() / points.complete.sum().clamp(min=1)

    def training_step(self, batch: UnpairedBatch, batch_idx: int) -> None:
        """One step of D, then one of G and F."""
        optimizer_d, optimizer_g, optimizer_f = cast("list[LightningOptimizer]", self.optimizers())
        rate = self.rate_factor()
        for optimizer in (optimizer_d, optimizer_g, optimizer_f):
            for group in optimizer.param_groups:
                group["lr"] = group["initial_lr"] * rate

        step_seed = item_seed(self.seed, "train", self.global_rank, self.global_step)
        random = torch.Generator().manual_seed(step_seed)
        source = self.source(batch.clean, batch.ice, random)
        real = (batch.real / self.range_sd).clamp(-1, 1)
        generated = self.generator(source)

        loss_d = discriminator_loss(
            self.discriminator(generated.detach()), self.discriminator(real)
        )
        self._descend("discriminator", loss_d, optimizer_d)

        self.discriminator.requires_grad_(False)  # G's loss must leave no gradient in D
        loss_gan = generator_loss(self.discriminator(generated))
        loss_nce = self.contrastive_loss(source, generated, batch.mask, random)
        loss_g = self.lambda_gan * loss_gan + self.lambda_nce * loss_nce
        self._descend("generator", loss_g, optimizer_g, optimizer_f)
        self.discriminator.requires_grad_(True)

        losses = {"discriminator": loss_d, "gan": loss_gan, "nce": loss_nce}
        self.log_dict(
            {f"train/loss_{name}": loss.detach() for name, loss in losses.items()},
            batch_size=len(batch),
        )
        self.log("train/rate_factor", rate, batch_size=len(batch))

    def rate_factor(self) -> float:
        """Learning rate over its start: 1 for constant_images, then linear to 0."""
        decayed = max(0, self.images_seen - self.constant_images)
        return max(0.0, 1 - decayed / max(self.decay_images, 1))

    @torch.no_grad()
    def translate(
        self, clean: Tensor, mask: Tensor, ice: Tensor, style: Tensor, generator: torch.Generator
    ) -> Tensor:
        """See `Translator.translate`; any h and w, tiled above tile_px."""
        self._require_calibration()
        source = self.source(clean, ice, generator)
        tiles = (self.tile_px, self.overlap_px, self.align_px)
        return self.range_sd * translate_tiled(self.generator, source, *tiles)

    def on_train_start(self) -> None:
        """Refuse to train on unscaled input."""
        self._require_calibration()

    def configure_optimizers(self) -> list[Optimizer]:  # type: ignore[override]
        """Optimizers of D, G and F; their starting rates are kept beside the decayed ones."""
        networks = (self.discriminator, self.generator, self.head)
        optimizers = [self.optimizer(network.parameters()) for network in networks]
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group.setdefault("initial_lr", group["lr"])
        return optimizers

    def _intensity(self, clean: Tensor, ice: Tensor) -> Tensor:
        return (1 - self.ice_contrast * (1 - ice)) * (1 + clean)

    def _descend(self, name: str, loss: Tensor, *optimizers: LightningOptimizer) -> None:
        if not bool(loss.detach().isfinite()):
            raise CryoccdError(
                f"cryogem: the {name} loss is {loss.item()} after {self.images_seen} training "
                "images; look for NaN in the data, else lower the learning rate"
            )
        for optimizer in optimizers:
            optimizer.zero_grad()
        self.manual_backward(loss)
        for optimizer in optimizers:
            optimizer.step()

    def _require_calibration(self) -> None:
        if not bool(self.calibrated):
            raise CryoccdError("cryogem: not calibrated; run `cryoccd fit`, or load a checkpoint")


def _check_head(head: FeatureHead, generator: UNetGenerator, nce_levels: Sequence[int]) -> None:
    if not nce_levels or not set(nce_levels) <= set(range(1, generator.depth + 1)):
        raise CryoccdError(
            f"cryogem: nce_levels = {list(nce_levels)}, expected levels 1 to {generator.depth}"
        )
    expected = tuple(generator.widths[level - 1] for level in nce_levels)
    if head.channels != expected:
        raise CryoccdError(
            f"cryogem: head.channels = {list(head.channels)}, expected {list(expected)}, the "
            f"generator's at levels {list(nce_levels)}"
        )
