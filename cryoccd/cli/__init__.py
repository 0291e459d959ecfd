"""The command line: `cryoccd VERB ...`.

Each verb is a module with `run(argv)`; heavy imports happen inside it, so that `--help` is fast.
"""

import importlib
import os
import signal
import sys

from cryoccd.errors import CryoccdError, Stopped

VERBS = {
    "simulate": "labelled micrographs, movies or tilt series from structures",
    "fit": "train or calibrate a method on unpaired data",
    "translate": "give simulated micrographs realistic noise with a fitted method",
    "sample": "boxes of tomograms of each class, drawn by a fitted generator",
    "compose": "whole tomograms with picks, of generated boxes in a generated background",
    "test": "the reports of training, for a checkpoint, on other micrographs",
    "evaluate": "how realistic data is (noise, volume, labels), what it teaches (picking, ...)",
    "table": "rerun a table (fid, ablation, steps, picking, pose, resolution, volume)",
    "sweep": "many fits or tables from one file, on this machine or on a SLURM cluster",
    "report": "all results as one page that opens offline: tables, galleries, curves, cost",
    "gallery": "one factor changed under one seed: what each method makes of it (control)",
    "import": "real micrographs with the picks of another program as a dataset folder",
    "export": "a dataset folder for RELION, Topaz, EMAN, crYOLO, CryoSPARC, cryoDRGN, COCO, copick",
    "verify": "checksums, headers and labels of a set, proven by reconstruction",
    "fetch": "structures, maps, micrographs (PDB, AlphaFold DB, EMDB, EMPIAR) and weights, cached",
}

_MODULES = {"import": "import_picks"}  # a word of Python's own


def main(argv: list[str]) -> int:
    """Run one command; the exit code is 0, 2 for a fault of the input, 128 + n for signal n."""
    try:
        dispatch(argv)
    except CryoccdError as error:
        return _refuse(str(error))
    except Stopped as stop:
        if stop.speaks:
            name = signal.Signals(stop.number).name
            told = f"interrupted; the same command goes on from its checkpoint ({name})"
            print(f"cryoccd: {told}", file=sys.stderr)
        return 128 + stop.number
    except KeyboardInterrupt:
        again = "simulate, translate, sample, compose, import and export with --resume"
        print(f"cryoccd: interrupted; the same command continues; {again}", file=sys.stderr)
        return 130
    except SystemExit as stop:  # argparse leaves this way after --help
        return stop.code if isinstance(stop.code, int) else 1
    except OSError as error:  # a full disk, a file without permission
        return _refuse(f"{error.filename or argv[0]}: {error.strerror or error}")
    return 0


def dispatch(argv: list[str]) -> None:
    """Run one command; faults of the input are raised.

    Raises:
        CryoccdError: bad input, an unknown or missing option.
    """
    if not argv or argv[0] in ("-h", "--help"):
        print(_help())
    elif argv[0] == "--version":
        from cryoccd import __version__

        print(__version__)
    elif argv[0] in VERBS:
        module = _MODULES.get(argv[0], argv[0])
        importlib.import_module(f"cryoccd.cli.{module}").run(argv[1:])
    else:
        raise CryoccdError(f"no verb {argv[0]!r}, expected one of {', '.join(VERBS)}")


def entry() -> None:
    """Entry point of the installed command.

    Threads that wait for each other sleep, unless the environment says otherwise: on a core that
    other work wants, as in a virtual machine or beside a second job, spinning makes the steps of a
    fit several times slower (benchmarks/threads.py).
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # is read when torch is imported
    sys.exit(main(sys.argv[1:]))


def _refuse(message: str) -> int:
    print(f"cryoccd: error: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _help() -> str:
    lines = [f"  {verb:<10} {text}" for verb, text in VERBS.items()]
    return "\n".join(
        [
            "usage: cryoccd VERB [options]     (cryoccd VERB --help tells a verb's options)",
            "",
            "Realistic, exactly labelled cryo-EM data, and the proof of how good it is.",
            "",
            *lines,
        ]
    )
