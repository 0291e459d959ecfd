"""`cryoccd simulate`: micrographs, movies or tilt series with exact labels."""

from pathlib import Path


def run(argv: list[str]) -> None:
    """Parse the arguments of the verb and write the dataset folder.

    Raises:
        CryoccdError: bad input, an unknown or a missing argument or key.
    """
    from jsonargparse import ArgumentParser

    from cryoccd.cli.parse import config_files, underscored
    from cryoccd.io.dataset import Share
    from cryoccd.io.refusal import one_line
    from cryoccd.simulate.config import SimulateConfig, SpeciesConfig
    from cryoccd.simulate.run import simulate

    parser = ArgumentParser(
        prog="cryoccd simulate", description=__doc__, exit_on_error=False, allow_abbrev=False
    )
    parser.add_argument("--config", action="config", help="YAML file of the keys below")
    parser.add_argument("--output", type=Path, required=True, help="dataset folder to write")
    parser.add_argument(
        "--structure",
        nargs="+",
        help="PDB, mmCIF or MRC files, or assembly:NAME; they replace the species of the config",
    )
    parser.add_argument("--workers", type=int, default=1, help="number of processes")
    parser.add_argument("--device", default="cpu", help="cpu, cuda or cuda:N")
    parser.add_argument("--resume", action="store_true", help="continue an interrupted run")
    parser.add_argument(
        "--share", default="1of1", help="NofM: the Nth of M shares of the set, into one folder"
    )
    keys = parser.add_class_arguments(SimulateConfig, as_group=False)
    argv = underscored(argv)
    with one_line(parser, config_files(argv)):
        settings = parser.parse_args(argv)
        if settings.structure:
            settings.species = [SpeciesConfig(source) for source in settings.structure]
        settings = parser.instantiate(settings)
        config = SimulateConfig(**{key: settings[key] for key in keys})
    share = Share.parse(settings.share)
    how = (settings.workers, settings.resume, settings.device)
    simulate(config, settings.output, *how, share=share)
