"""What a fit has left in its folder."""

from pathlib import Path

import pandas as pd
import torch


def saved(folder: Path) -> dict:
    return torch.load(folder / "last.ckpt", weights_only=True)


def log(folder: Path) -> pd.DataFrame:
    """The newest log of a run."""
    return pd.read_csv(max(folder.glob("logs/version_*/metrics.csv")))


def losses(folder: Path) -> pd.DataFrame:
    return log(folder).filter(like="train/loss_")


def distance(one: dict, other: dict) -> float:
    """Length of the difference of two models over that of the first."""
    assert one.keys() == other.keys()
    floating = [name for name, value in one.items() if value.is_floating_point()]
    a, b = (torch.cat([m[name].flatten().double() for name in floating]) for m in (one, other))
    return float((a - b).norm() / a.norm())
