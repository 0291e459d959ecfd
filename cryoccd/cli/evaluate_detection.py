"""`cryoccd evaluate detection`: do composed tomograms make a particle detector better?"""

import json
from pathlib import Path

from rich.console import Console

from cryoccd.cli.evaluate import check_output
from cryoccd.cli.parse import numbers
from cryoccd.downstream.detection import DetectorConfig
from cryoccd.errors import CryoccdError
from cryoccd.io.atomic import check_writable, write_text
from cryoccd.io.dotted import parse_dotted
from cryoccd.io.tomograms import TomogramOptions, open_tomograms
from cryoccd.launch.detection_card import make_detection_card
from cryoccd.launch.detection_task import detection_task
from cryoccd.launch.detectors import Detectors
from cryoccd.launch.volume_data import read_data
from cryoccd.simulate.run import check_device

_DETECTOR = DetectorConfig()


def evaluate_detection(
    data: Path,
    generated: Path,
    output: Path,
    seeds: str = "0",
    diameter: list[str] | None = None,
    generated_flavour: str | None = None,
    work: Path | None = None,
    detector: DetectorConfig = _DETECTOR,
    device: str = "cpu",
) -> None:
    """Train detectors with and without composed tomograms, judge them; write JSON, Markdown.

    Args:
        data: configuration with the key data, such as configs/data/tomograms.yaml or the
            config.yaml of a fit: the tomograms, and which of them are held out.
        generated: folder of whole synthetic tomograms with picks, as cryoccd compose writes.
        output: the JSON file to be written.
        seeds: comma list of the seeds of the detectors.
        diameter: CLASS=ANGSTROM, instead of that of the map of a class; may be given several times.
        generated_flavour: which reconstruction of --generated, such as denoised.
        work: folder for detectors; by default OUTPUT without its ending.
        detector: settings of the detector.
        device: where it is trained: cpu or cuda.
    """
    page, _ = check_output(output)
    check_device(device)
    chosen = numbers("seeds", seeds)
    diameters_A = parse_dotted("diameter", diameter or ())
    work = work or output.with_suffix("")
    check_writable(work / "detector")
    made = open_tomograms(generated, TomogramOptions(flavour=generated_flavour))
    opened = read_data(data)
    real = opened.opened.source.root
    if real.resolve() == generated.resolve():
        raise CryoccdError(f"{generated}: is the real set itself; take composed tomograms")
    task = detection_task(opened, diameters_A)
    inputs = {"data": str(data), "real": str(real), "generated": str(generated)}
    console = Console(stderr=True)
    detectors = Detectors(task, detector, work, device)
    card = make_detection_card(detectors, made, chosen, inputs, console)
    write_text(page, card.markdown())
    write_text(output, json.dumps(card.record(), indent=2, allow_nan=False) + "\n")
    shown = Console()
    card.show(shown)
    shown.print(f"written {output}, {page}", markup=False, style="dim", soft_wrap=True)
