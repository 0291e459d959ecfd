"""`cryoccd evaluate volume`: are generated boxes of tomograms like real ones?"""

import json
from pathlib import Path

from rich.console import Console

from cryoccd.cli.evaluate import check_output
from cryoccd.downstream.volumes.config import VolumeClassifierConfig
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import write_text
from cryoccd.io.dataset import BoxFolder
from cryoccd.io.dotted import parse_dotted
from cryoccd.launch.volume_card import make_volume_card
from cryoccd.launch.volume_data import read_data
from cryoccd.launch.volume_settings import VolumeSettings
from cryoccd.simulate.run import check_device

_CLASSIFIER = VolumeClassifierConfig()


def evaluate_volume(
    data: Path,
    generated: Path,
    output: Path,
    symmetry: list[str] | None = None,
    maps: Path | None = None,
    tilt_limit_deg: float = 60.0,
    bright: bool = False,
    classifier: VolumeClassifierConfig = _CLASSIFIER,
    seed: int = 0,
    device: str = "cpu",
) -> None:
    """Compare generated boxes with held-out real ones; write JSON, Markdown and a picture.

    Args:
        data: configuration of the tomograms, such as configs/data/tomograms.yaml or the config.yaml
            of the fit: what it trains on trains the classifier, what it holds out is compared with.
        generated: folder of `cryoccd sample`.
        output: the JSON file to be written.
        symmetry: CLASS=GROUP, point group of a class, C1 by default; may be given several times.
        maps: folder with the map of each class, CLASS.mrc; by default those of the tomograms.
        tilt_limit_deg: highest tilt of the series, about y.
        bright: matter is bright in the tomograms.
        classifier: settings of the classifier.
        seed: of the classifier and of choices of boxes.
        device: cpu, cuda or cuda:N.
    """
    page, picture = check_output(output)
    check_device(device)
    folder = BoxFolder(generated)
    groups = {name: str(group) for name, group in parse_dotted("symmetry", symmetry or ()).items()}
    if strange := sorted(set(groups) - set(folder.classes)):
        known = ", ".join(folder.classes)
        raise CryoccdError(f"symmetry: {strange[0]} is no class, expected some of {known}")
    settings = VolumeSettings(
        symmetry=groups,
        maps=maps,
        tilt_limit_deg=tilt_limit_deg,
        dark=not bright,
        classifier=classifier,
    )
    opened = read_data(data)
    inputs = {"data": str(data), "generated": str(generated), "boxes": len(folder)}
    weights = output.with_suffix(".classifier.safetensors")
    console = Console(stderr=True)
    known_to = (folder, opened, settings, weights, picture, inputs, console)
    card = make_volume_card(*known_to, seed, device)
    write_text(page, card.markdown(picture.name))
    write_text(output, json.dumps(card.record(), indent=2, allow_nan=False) + "\n")
    shown = Console()
    card.show(shown)
    shown.print(f"written {output}, {page}, {picture}", markup=False, style="dim", soft_wrap=True)
