"""The set of tilt series whose labels are planted with faults; fewer particles, for speed."""

import pytest
from tilt_plants import CONFIG

from cryoccd.simulate.run import simulate


@pytest.fixture(scope="session")
def tilt_set(tmp_path_factory):
    root = tmp_path_factory.mktemp("tilts") / "set"
    simulate(CONFIG, root)
    return root


@pytest.fixture(autouse=True)
def fewer_particles(monkeypatch):
    """Noise-free particles tell as much when they are fewer."""
    monkeypatch.setattr("cryoccd.verify.micrographs.geometry.COMPARED", 30)
    monkeypatch.setattr("cryoccd.verify.micrographs.geometry.REFITTED", 80)
