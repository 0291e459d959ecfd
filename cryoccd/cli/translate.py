"""`cryoccd translate`: a fitted method over a dataset folder."""

from pathlib import Path

from cryoccd.cli.parse import call
from cryoccd.errors import CryoccdError


def translate(
    checkpoint: Path,
    input: Path,
    output: Path,
    seed: int = 0,
    style: int = 0,
    resume: bool = False,
    device: str = "cpu",
    title: str = "translate",
    set: list[str] | None = None,
    share: str = "1of1",
) -> None:
    """Give simulated micrographs realistic noise; the labels stay as they are.

    Args:
        checkpoint: `last.ckpt` of a fit, with its config.yaml beside it.
        input: dataset folder of simulated micrographs.
        output: dataset folder to write.
        seed: seed of the noise.
        style: index of the acquisition style, for methods that know several.
        resume: keep finished micrographs of an interrupted run.
        device: cpu, cuda or cuda:N.
        title: what stands before the progress bar.
        set: NAME=VALUE, a setting of the model in place of the fit's, such as
            model.init_args.sampler.init_args.steps=50; may be given several times.
        share: NofM: the Nth of M shares of the micrographs, written into one folder with the
            others, wherever these run.
    """
    from cryoccd.io.dataset import Share
    from cryoccd.io.dotted import parse_dotted
    from cryoccd.methods.checkpoint import load_translator
    from cryoccd.methods.translate import translate_dataset
    from cryoccd.simulate.run import check_device

    if style < 0:
        raise CryoccdError(f"style = {style}, expected 0 or more")
    check_device(device)
    part = Share.parse(share)
    settings = parse_dotted("set", set or ())
    model = load_translator(checkpoint, settings)
    translate_dataset(
        model, checkpoint, input, output, seed, style, resume, device, title, settings, part
    )


def run(argv: list[str]) -> None:
    """Parse and translate."""
    call("translate", translate, argv)
