"""A run of a version that lacked some settings is still the same run."""

import yaml

from cryoccd.cli import main


def test_settings_that_did_not_exist_have_their_defaults(fit, command, capsys):
    folder = fit("run", "sdedit")
    config = yaml.safe_load((folder / "config.yaml").read_text())
    del config["noise_report"], config["best"], config["data"]["init_args"]["validation"]
    (folder / "config.yaml").write_text(yaml.safe_dump(config, sort_keys=False))
    argv = command("run", "sdedit")
    assert main(argv) == 0
    for other in ("--noise_report.every_n_images=8", "--data.init_args.validation=1"):
        assert main([*argv, other]) == 2
        assert "another configuration" in capsys.readouterr().err
