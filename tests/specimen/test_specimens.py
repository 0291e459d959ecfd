import numpy as np
import pytest
import torch
from specimen_files import copies, walk, write_pdb

from cryoccd.errors import CryoccdError
from cryoccd.io.mrc import write_mrc
from cryoccd.records import Volume
from cryoccd.specimen.map_symmetry import map_symmetry
from cryoccd.specimen.potential import potential
from cryoccd.specimen.sources import source_files, species_name
from cryoccd.specimen.species import (
    NormalModes,
    Specimen,
    SpecimenConfig,
    load_specimen,
    species_atoms,
)
from cryoccd.specimen.symmetry import point_group

VOXEL_A = 4.0


@pytest.fixture
def trimer(tmp_path):
    """A trimer about an axis that is not z."""
    turn = point_group("T")[-1] @ point_group("I")[7]
    chains = [chain @ turn.T for chain in copies(walk(40, 1, (12.0, 4, 0)), point_group("C3"))]
    return write_pdb(tmp_path / "trimer.pdb", chains)


@pytest.fixture
def maps(tmp_path):
    """Three maps of growing blobs, whose names sort by number alone."""
    axis = (torch.arange(20) - 10) * VOXEL_A
    square = axis[:, None, None] ** 2 + 4 * axis[None, :, None] ** 2 + 16 * axis**2
    folder = tmp_path / "volumes"
    folder.mkdir()
    for number in (2, 10, 1):
        values = number * torch.exp(-square / 1000)
        write_mrc(folder / f"vol_{number}.mrc", values.numpy(), VOXEL_A, "test")
    (folder / "notes.txt").write_text("no map")
    return folder


def test_an_embedded_assembly_knows_itself():
    specimen = load_specimen(SpecimenConfig("assembly:lobed_c1"), 6.0)
    assert (specimen.name, specimen.symmetry, specimen.kind) == ("lobed_c1", "C1", "enzyme")
    assert specimen.mass_kDa == pytest.approx(200, rel=0.01)
    expected = potential(species_atoms("assembly:lobed_c1"), 6.0)
    assert torch.equal(specimen.volumes[0].values, expected.values)
    dimer = load_specimen(SpecimenConfig("library:dimer_d2", kind="capsid"), 6.0)
    assert (dimer.name, dimer.symmetry, dimer.kind) == ("dimer_d2", "D2", "capsid")
    assert load_specimen(SpecimenConfig("assembly:dimer_d2", "C2"), 6.0).symmetry == "C2"
    with pytest.raises(CryoccdError, match="symmetry 'C3': the structure does not have it"):
        load_specimen(SpecimenConfig("assembly:dimer_d2", "C3"), 6.0)


def test_the_map_of_an_aligned_structure_has_the_symmetry(trimer):
    askew = load_specimen(SpecimenConfig(str(trimer)), VOXEL_A)
    assert (askew.symmetry, askew.kind) == ("C1", "enzyme")
    assert map_symmetry(askew.volumes[0], point_group("C3")) < 0.7
    specimen = load_specimen(SpecimenConfig(str(trimer), symmetry="C3"), VOXEL_A)
    assert specimen.symmetry == "C3"
    assert map_symmetry(specimen.volumes[0], point_group("C3")) > 0.95
    with pytest.raises(CryoccdError, match="'C4': the structure does not have it"):
        load_specimen(SpecimenConfig(str(trimer), symmetry="C4"), VOXEL_A)


def test_models_of_a_file_are_conformations_on_one_grid(tmp_path):
    text, alone = "", []
    for number, stretch in enumerate((1.0, 1.6, 1.2), start=1):
        path = write_pdb(tmp_path / "one.pdb", [walk(40, 1) * stretch])
        alone.append(species_atoms(str(path)))
        atoms = path.read_text().removesuffix("END\n")
        text += f"MODEL     {number:4d}\n{atoms}ENDMDL\n"
    path = tmp_path / "ensemble.pdb"
    path.write_text(text + "END\n")
    specimen = load_specimen(SpecimenConfig(str(path), mass_kDa=4.5), 1.5)
    assert specimen.mass_kDa == 4.5
    box_px = max(potential(atoms, 1.5).box_px for atoms in alone)
    assert box_px > potential(alone[0], 1.5).box_px
    for volume, atoms in zip(specimen.volumes, alone, strict=True):
        assert torch.equal(volume.values, potential(atoms, 1.5, box_px).values)
    with pytest.raises(CryoccdError, match="flex one model, the source has 3"):
        load_specimen(SpecimenConfig(str(path), normal_modes=NormalModes()), VOXEL_A)


def test_a_folder_of_structures_is_an_ensemble(tmp_path):
    folder = tmp_path / "frames"
    folder.mkdir()
    for number in (10, 9):
        write_pdb(folder / f"frame{number}.pdb", [walk(30, number)])
    specimen = load_specimen(SpecimenConfig(str(folder)), VOXEL_A)
    assert specimen.name == "frames"
    assert len(specimen.volumes) == 2
    first = load_specimen(
        SpecimenConfig(str(folder / "frame9.pdb")), VOXEL_A, specimen.volumes[0].box_px
    )
    assert torch.equal(first.volumes[0].values, specimen.volumes[0].values)


def test_normal_modes_make_conformations(trimer):
    flex = NormalModes(count=3, rmsd_A=2.0, modes=4)
    specimen = load_specimen(SpecimenConfig(str(trimer), "C3", normal_modes=flex), VOXEL_A)
    rigid = load_specimen(SpecimenConfig(str(trimer), "C3"), VOXEL_A, specimen.volumes[0].box_px)
    assert len(specimen.volumes) == 3
    assert specimen.symmetry == "C1"  # a flexed copy is not symmetric
    for volume in specimen.volumes:
        pair = torch.stack([volume.values.flatten(), rigid.volumes[0].values.flatten()])
        assert 0.5 < float(pair.corrcoef()[0, 1]) < 0.999
    embedded = SpecimenConfig("assembly:lobed_c1", normal_modes=NormalModes(count=2))
    assert len(load_specimen(embedded, 6.0).volumes) == 2


def test_a_folder_of_maps_is_sorted_by_number(maps):
    specimen = load_specimen(SpecimenConfig(str(maps), mass_kDa=300), VOXEL_A)
    assert specimen.name == "volumes"
    assert [round(float(v.values.max())) for v in specimen.volumes] == [1, 2, 10]
    assert specimen.mass_kDa == 300
    assert load_specimen(SpecimenConfig(str(maps), "D2", mass_kDa=300), VOXEL_A).symmetry == "D2"
    with pytest.raises(CryoccdError, match="a rotated copy correlates by"):
        load_specimen(SpecimenConfig(str(maps), "C4", mass_kDa=300), VOXEL_A)
    assert load_specimen(SpecimenConfig(str(maps)), VOXEL_A).mass_kDa is None
    flex = SpecimenConfig(str(maps), mass_kDa=300, normal_modes=NormalModes())
    with pytest.raises(CryoccdError, match="normal_modes need atoms"):
        load_specimen(flex, VOXEL_A)


def test_fetched_identifiers_are_resolved_once(tmp_path, trimer):
    asked = []

    def resolve(identifier):
        asked.append(identifier)
        return trimer

    specimen = load_specimen(SpecimenConfig("pdb:1ABC", "C3"), VOXEL_A, resolve=resolve)
    assert (specimen.name, asked) == ("1ABC", ["pdb:1ABC"])
    own = tmp_path / "own.yaml"
    own.write_text(
        "pump: {source: 'pdb:9XYZ', symmetry: C3, mass_kDa: 13, class: membrane_protein}"
    )
    config = SpecimenConfig("library:pump", library=str(own))
    specimen = load_specimen(config, VOXEL_A, resolve=resolve)
    assert (specimen.name, specimen.kind, asked[-1]) == ("pump", "membrane_protein", "pdb:9XYZ")
    assert specimen.symmetry == "C3"
    with pytest.raises(CryoccdError, match="expected pLDDT of 0 to 100"):  # B factors of 20
        load_specimen(SpecimenConfig("alphafold:P12345"), VOXEL_A, resolve=resolve)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("pdb:3J9I", "3J9I"),
        ("alphafold:P12345", "P12345"),
        ("emdb:6287", "emd_6287"),
        ("library:groel", "groel"),
        ("a/b.v2.cif.gz", "b.v2"),
        ("a/run.3", "run.3"),
    ],
)
def test_names(source, name):
    assert species_name(source) == name


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"symmetry": "Q4"}, "symmetry 'Q4'"),
        ({"kind": "virus"}, "class 'virus'"),
        ({"plddt_minimum": 101.0}, "plddt_minimum = 101"),
        ({"mass_kDa": 0.0}, "mass_kDa = 0"),
        ({"mass_kDa": float("nan")}, "mass_kDa = nan"),
    ],
)
def test_unphysical_settings_are_refused(fields, said):
    with pytest.raises(CryoccdError, match=f"species a.pdb: {said}"):
        SpecimenConfig("a.pdb", **fields)


def test_bad_sources_give_one_line(tmp_path, maps):
    with pytest.raises(CryoccdError, match="0 maps and 0 structures"):
        source_files(str(tmp_path))
    write_pdb(maps / "a.pdb", [walk(5, 1)])
    with pytest.raises(CryoccdError, match="3 maps and 1 structures"):
        source_files(str(maps))
    for source, said in (
        ("assembly:none", "expected one of barrel_d7"),
        ("library:none", "no species 'none'"),
        ("none.pdb", "no such file"),
        ("none.txt", "no specimen comes from this kind of source"),
    ):
        with pytest.raises(CryoccdError, match=said):
            load_specimen(SpecimenConfig(source), VOXEL_A)


def test_conformations_share_one_grid():
    small, large = (Volume(torch.zeros(n, n, n), 2.0) for n in (4, 6))
    with pytest.raises(CryoccdError, match="expected one for all conformations"):
        Specimen("x", (small, large), "C1", "enzyme", 50)
    with pytest.raises(CryoccdError, match="expected one for all conformations"):
        Specimen("x", (), "C1", "enzyme", 50)


@pytest.mark.parametrize(("entry", "symmetry"), [("3j9i", "D7"), ("6z6u", "O")])
def test_deposited_structures_give_symmetric_maps(real_data, entry, symmetry):
    config = SpecimenConfig(str(real_data / "structures" / f"{entry}.pdb"), symmetry=symmetry)
    specimen = load_specimen(config, VOXEL_A)
    assert map_symmetry(specimen.volumes[0], point_group(symmetry)) > 0.999
    assert np.isfinite(specimen.mass_kDa)
