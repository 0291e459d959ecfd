"""Training of a heat map picker, and its file: weights and settings without a pickle.

A run is a minute or two, so it is repeated and not resumed: the same seed, settings and micrographs
give the same weights on the same processor.
"""

from dataclasses import asdict
from pathlib import Path
from typing import Any

from cryoccd.downstream.network_file import load_network, save_network
from cryoccd.downstream.picking.config import PickerConfig
from cryoccd.downstream.picking.data import PickingDataModule
from cryoccd.downstream.picking.picker import HeatMapPicker
from cryoccd.downstream.picking.seen import Labelled
from cryoccd.downstream.small_training import TrainingBar, small_trainer
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import check_writable


def fit_picker(
    config: PickerConfig,
    training: Labelled,
    output: Path,
    seed: int = 0,
    validation: Labelled | None = None,
    particle_diameter_A: float | None = None,
    accelerator: str = "auto",
) -> HeatMapPicker:
    """Train a picker and write it to a file.

    Args:
        config: how.
        training: micrographs with particles.
        output: safetensors file; it is replaced.
        seed: of the starting weights and of the crops.
        validation: micrographs whose loss at the end is noted in the file.
        particle_diameter_A: diameter of the particles; by default that of the training folder.
        accelerator: where to compute, cpu, cuda or auto.

    Raises:
        CryoccdError: faulty micrographs or settings, no diameter, or a loss that is not finite.
    """
    check_writable(output)
    diameter_A = particle_diameter_A
    if diameter_A is None:
        diameter_A = training.folder.optics().particle_diameter_A
    picker = HeatMapPicker(config, diameter_A, seed)
    if config.start is not None:
        start = load_picker(config.start)
        if start.config.diameter_px != config.diameter_px:
            raise CryoccdError(
                f"{config.start}: trained with diameter_px = {start.config.diameter_px:g}, "
                f"expected {config.diameter_px:g}; take the same"
            )
        picker.load_state_dict(start.state_dict())
    data = PickingDataModule(training, config, picker.front, seed, validation)
    trainer = small_trainer(
        accelerator,
        TrainingBar("training the picker"),
        limit_val_batches=None if validation else 0,
        num_sanity_val_steps=0,
    )
    trainer.fit(picker, datamodule=data)
    picker = picker.cpu().eval()
    losses = {name: float(value) for name, value in trainer.callback_metrics.items()}
    note = {
        "config": asdict(picker.config),
        "particle_diameter_A": picker.particle_diameter_A,
        "seed": seed,
        "micrographs": sorted(training.names),
        **losses,
    }
    save_network(output, picker, "picker", note)
    return picker


def load_picker(path: Path) -> HeatMapPicker:
    """A picker from its file.

    Raises:
        CryoccdError: there is no such file, or it is none of `fit_picker`.
    """
    return load_network(path, "picker", "picker", _built)


def _built(note: dict[str, Any]) -> HeatMapPicker:
    return HeatMapPicker(PickerConfig(**_plain(note["config"])), float(note["particle_diameter_A"]))


def _plain(config: dict[str, Any]) -> dict[str, Any]:
    """Settings of a file: JSON knows neither tuples nor paths."""
    contrast, start = config["contrast"], config["start"]
    return {
        **config,
        "contrast": None if contrast is None else tuple(contrast),
        "start": None if start is None else Path(start),
    }
