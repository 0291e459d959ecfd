"""Maps of arbitrary scale become volts on their way into a specimen."""

from pathlib import Path

import numpy as np
import pytest

from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import write_mrc
from cryoccd.specimen.map_scale import MapScale
from cryoccd.specimen.species import SpecimenConfig, load_specimen


def test_a_scaled_map_comes_back_as_potential(tmp_path: Path) -> None:
    known = load_specimen(SpecimenConfig("assembly:lobed_c1"), 3.0, 96)
    (volume,) = known.volumes
    arbitrary = 0.02 * volume.values.numpy() + 0.3
    write_mrc(tmp_path / "map.mrc", arbitrary.astype(np.float32), 3.0, "arbitrary")
    config = SpecimenConfig(
        str(tmp_path / "map.mrc"), mass_kDa=known.mass_kDa, map_scale=MapScale(contour=0.32)
    )
    (scaled,) = load_specimen(config, 3.0, 96).volumes
    slope = float((scaled.values * volume.values).sum() / (volume.values**2).sum())
    assert slope == pytest.approx(1, abs=0.06)
    (plain,) = load_specimen(SpecimenConfig(str(tmp_path / "map.mrc")), 3.0, 96).volumes
    assert float(plain.values.mean()) == pytest.approx(0.3, rel=0.1)  # taken as volts


def test_a_map_of_the_emdb_needs_a_mass(tmp_path: Path) -> None:
    volume = load_specimen(SpecimenConfig("assembly:lobed_c1"), 6.0, 48).volumes[0]
    write_mrc(tmp_path / "emd_1.map", volume.values.numpy() + 1, 6.0, "arbitrary")
    resolve = {"emdb:1234": tmp_path / "emd_1.map"}.__getitem__
    with pytest.raises(CryoccdError, match="give mass_kDa or map_scale"):
        load_specimen(SpecimenConfig("emdb:1234"), 6.0, 48, resolve)
    (scaled,) = load_specimen(SpecimenConfig("emdb:1234", mass_kDa=200), 6.0, 48, resolve).volumes
    assert float(scaled.values[0].abs().max()) < 0.05  # the background is gone
