"""Online or offline: what wandb knows of a login, without a question to a server."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import wandb

import cryoccd
from cryoccd.callbacks.wandb_record import RunRecord
from cryoccd.callbacks.wandb_run import resolved
from cryoccd.callbacks.wandb_tracking import Tracking
from cryoccd.errors import CryoccdError

KEY = "0123456789" * 4


@pytest.fixture(autouse=True)
def alone(home, monkeypatch):
    """Sockets are refused, and what wandb has read before is forgotten."""

    def refuses(*args):
        raise AssertionError("a server was asked")

    wandb.teardown()
    monkeypatch.setattr("socket.socket.connect", refuses)
    yield
    wandb.teardown()


def test_auto_is_offline_without_a_login(home):
    assert resolved("auto") == "offline"
    assert not list(home.iterdir())


def test_a_key_in_the_environment_or_in_netrc_is_a_login(home, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setenv("WANDB_API_KEY", KEY)
        assert resolved("auto") == "online"
        assert resolved("offline") == "offline"
        patch.setenv("WANDB_MODE", "offline")
        assert resolved("auto") == "offline"
    wandb.teardown()
    assert resolved("auto") == "offline"
    netrc = home / ".netrc"
    netrc.write_text(f"machine api.wandb.ai\n  login user\n  password {KEY}\n")
    netrc.chmod(0o600)
    wandb.teardown()
    assert resolved("auto") == "online"
    monkeypatch.setenv("WANDB_BASE_URL", "https://wandb.lab.example")  # no key for that one
    wandb.teardown()
    assert resolved("auto") == "offline"


def test_a_malformed_key_is_told(monkeypatch):
    monkeypatch.setenv("WANDB_API_KEY", "short")
    with pytest.raises(CryoccdError, match=r"W&B: WANDB_API_KEY invalid.*take mode offline"):
        resolved("auto")


def test_an_agent_gives_the_id(tmp_path, monkeypatch):
    monkeypatch.setenv("WANDB_RUN_ID", "fromagent")
    assert RunRecord.of(tmp_path).id != "fromagent"  # of some other program
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep")
    assert RunRecord.of(tmp_path).id == "fromagent"
    RunRecord("kept").write(tmp_path)
    assert RunRecord.of(tmp_path).id == "kept"
    (tmp_path / "wandb.json").write_text("{")
    with pytest.raises(CryoccdError, match=r"wandb.json: not readable .* remove it"):
        RunRecord.of(tmp_path)


def test_wandb_is_imported_in_its_own_modules_alone():
    package = Path(cryoccd.__file__).parent
    importing = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"^\s*(import|from) wandb", path.read_text(encoding="utf8"), re.M)
    ]
    assert len(importing) > 3
    assert all(re.match(r"(callbacks|launch)/wandb_\w+.py$", path) for path in importing)
    # and nowhere before a run is opened
    code = "import sys, cryoccd.cli.fit, cryoccd.launch.wandb_sync; print('wandb' in sys.modules)"
    words = [sys.executable, "-c", code]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize("wrong", [{"crops": 0}, {"crop_px": 512}, {"galleries": 1000}])
def test_sizes_are_bounded(wrong):
    [(name, value)] = wrong.items()
    with pytest.raises(CryoccdError, match=f"tracking: {name} = {value}, expected"):
        Tracking(**wrong)
