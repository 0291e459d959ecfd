import pytest

from cryoccd.errors import CryoccdError
from cryoccd.specimen.assemblies import ASSEMBLIES
from cryoccd.specimen.library import KINDS, library_entry, read_library
from cryoccd.specimen.scattering import atomic_masses
from cryoccd.specimen.sources import FETCHED_PREFIXES
from cryoccd.specimen.species import species_atoms
from cryoccd.specimen.symmetry import point_group

OWN = """
mine: {source: structures/mine.pdb, symmetry: C3, mass_kDa: 90.5, class: membrane_protein}
other: {source: "assembly:lobed_c1", mass_kDa: 200, class: enzyme, assembly: "2", about: a copy}
"""


def test_the_library_spans_what_a_scene_needs():
    library = read_library()
    assert len(library) >= 25
    assert {entry.kind for entry in library.values()} == set(KINDS)
    masses = [entry.mass_kDa for entry in library.values()]
    assert min(masses) < 50 < 40_000 < max(masses)
    for name, entry in library.items():
        assert entry.name == name
        assert entry.about
        point_group(entry.symmetry)
        assert entry.source.startswith(("assembly:", *FETCHED_PREFIXES))


@pytest.mark.parametrize("name", ASSEMBLIES)
def test_every_embedded_assembly_is_in_it(name):
    entry = library_entry(name)
    assert entry.source == f"assembly:{name}"
    assert entry.symmetry == ASSEMBLIES[name].symmetry
    assert entry.mass_kDa == ASSEMBLIES[name].mass_kDa


@pytest.mark.parametrize("name", ["proteasome_20s", "beta_galactosidase", "apoferritin"])
def test_masses_are_those_of_the_atoms(real_data, name):
    entry = library_entry(name)
    path = real_data / "structures" / f"{entry.source.removeprefix('pdb:').lower()}.pdb"
    mass_kDa = atomic_masses(species_atoms(str(path)).elements).sum() / 1e3
    assert entry.mass_kDa == pytest.approx(mass_kDa, rel=0.02)


def test_users_give_their_own(tmp_path):
    path = tmp_path / "own.yaml"
    path.write_text(OWN)
    library = read_library(path)
    assert list(library) == ["mine", "other"]
    mine, other = library.values()
    assert (mine.symmetry, mine.mass_kDa, mine.kind) == ("C3", 90.5, "membrane_protein")
    assert (other.symmetry, other.assembly) == ("C1", "2")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: {source: x.pdb, mass_kDa: 1, class: virus}", "class 'virus', expected one of enzyme"),
        ("a: {source: x.pdb, mass_kDa: 1, class: enzyme, colour: 3}", "unknown field 'colour'"),
        ("a: {mass_kDa: 1, class: enzyme}", "field source is missing"),
        ("a: {source: x.pdb, class: enzyme}", "field mass_kDa is missing"),
        ("a: {source: x.pdb, mass_kDa: heavy, class: enzyme}", "mass_kDa = 'heavy'"),
        ("a: {source: x.pdb, mass_kDa: -5, class: enzyme}", "mass_kDa = -5"),
        ("a: {source: x.pdb, mass_kDa: 5, class: enzyme, assembly: 1}", "assembly = 1, expected"),
        ("a: {source: x.pdb, mass_kDa: 5, class: enzyme, symmetry: Q3}", "symmetry 'Q3'"),
        ("a: x.pdb", "expected a name and a mapping"),
        ("7: {source: x.pdb, mass_kDa: 5, class: enzyme}", "expected a name and a mapping"),
        ("- a", "expected a mapping of species names"),
        ("", "expected a mapping of species names"),
        ("a: {source", "not readable YAML"),
    ],
)
def test_faults_are_named_in_one_line(tmp_path, text, said):
    path = tmp_path / "own.yaml"
    path.write_text(text)
    with pytest.raises(CryoccdError) as caught:
        read_library(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_absent_things_are_refused(tmp_path):
    with pytest.raises(CryoccdError, match="no such file"):
        read_library(tmp_path / "absent.yaml")
    with pytest.raises(CryoccdError, match="no species 'unicorn', expected one of barrel_d7"):
        library_entry("unicorn")
