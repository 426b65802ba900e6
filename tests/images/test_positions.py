"""Positions and names of columns: whatever unit, writing and name, degrees come out or a word of what is wrong."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table

from lensdetect.errors import InputError
from lensdetect.images.columns import ROLES, find_columns, need_positions, split_unit
from lensdetect.images.positions import axis
from lensdetect.images.tables import Table as Reader

RA, DEC = np.array([179.9943447, 359.9999, 0.0001, 12.5]), np.array([-0.0168935, 89.5, -45.25, 0.0])

pytestmark = pytest.mark.filterwarnings("ignore::astropy.io.votable.exceptions.VOTableSpecWarning")


def degrees(path, role: str = "ra_deg", name: str = "ra") -> tuple[np.ndarray, str]:
    table = Reader(path)
    (piece,) = table.pieces([name])
    return axis(table, role, name).degrees(piece)


@pytest.mark.parametrize("unit", [u.deg, u.rad, u.hourangle, u.arcsec, u.arcmin])
@pytest.mark.parametrize("form", ["fits", "votable", "ascii.ecsv", "parquet"])
def test_units_are_converted(tmp_path, unit, form):
    if form == "fits" and unit is u.hourangle:
        pytest.skip("astropy writes no hours to FITS")
    Table({"ra": (RA * u.deg).to(unit)}).write(tmp_path / "t", format=form)
    found, problem = degrees(tmp_path / "t")
    assert found == pytest.approx(RA, abs=1e-9) and not problem


@pytest.mark.parametrize("name, scale", [("RA [deg]", 1), ("ra (hours)", 15), ("RA[rad]", np.degrees(1)), ("ra", 1)])
def test_units_in_the_name(tmp_path, name, scale):
    (tmp_path / "t.csv").write_text(f"id,{name}\na,1.5\n")
    columns = find_columns(Reader(tmp_path / "t.csv").columns, ["id", "ra_deg"])
    assert columns == {"id": "id", "ra_deg": name}
    assert degrees(tmp_path / "t.csv", name=name)[0] == pytest.approx([1.5 * scale])


@pytest.mark.parametrize("role, unit", [("ra_deg", "pixel"), ("ra_deg", "parsnip"), ("ra_deg", "s"), ("dec_deg", "h")])
def test_other_units_are_refused_by_name(tmp_path, role, unit):
    (tmp_path / "t.csv").write_text(f"id,x [{unit}]\na,1.5\n")
    with pytest.raises(InputError, match=rf"column x .* or another unit of angle .* got the unit '{unit}'"):
        degrees(tmp_path / "t.csv", role=role, name=f"x [{unit}]")


def test_sexagesimal_text_beside_degrees(tmp_path):
    places = SkyCoord(RA, DEC, unit="deg")
    ra = [*places.ra.to_string(u.hour, sep=":", precision=4, pad=True)[:2], str(RA[2]), places.ra[3].to_string(u.deg)]
    dec = [*places.dec.to_string(sep=":", precision=3, alwayssign=True)[:2], str(DEC[2]), "0d00m00s"]
    lines = [f"{a},{d}" for a, d in zip(ra, dec, strict=True)]
    (tmp_path / "t.csv").write_text("\n".join(["ra,dec", *lines]) + "\n")
    assert degrees(tmp_path / "t.csv")[0] == pytest.approx(RA, abs=1e-6)
    assert degrees(tmp_path / "t.csv", "dec_deg", "dec")[0] == pytest.approx(DEC, abs=1e-6)
    (tmp_path / "t.tsv").write_text("ra\tdec\n12 00 09.5\t-00 01 01\n")
    assert degrees(tmp_path / "t.tsv")[0] == pytest.approx([180.0 + 9.5 / 240])
    assert degrees(tmp_path / "t.tsv", "dec_deg", "dec")[0] == pytest.approx([-61 / 3600])


@pytest.mark.parametrize("cell", ["east", "400", "-361", "inf", "12:99:00", "25:00:00", "1,5"])
def test_what_is_no_position_is_told_with_its_line(tmp_path, cell):
    (tmp_path / "t.csv").write_text(f'id,ra\na,1\nb,\nc,"{cell}"\n')
    found, problem = degrees(tmp_path / "t.csv")
    assert found[0] == 1.0 and np.isnan(found[1:]).all()
    assert problem == f"ra {cell!r} in line 4 of {tmp_path / 't.csv'}"


@pytest.mark.parametrize(
    "found, wanted",
    [
        (["ID", "RAJ2000", "DECJ2000"], ("ID", "RAJ2000", "DECJ2000")),  # KiDS
        (["COADD_OBJECT_ID", "RA", "DEC"], ("COADD_OBJECT_ID", "RA", "DEC")),  # DES
        (["object_id", "ra", "dec"], ("object_id", "ra", "dec")),  # HSC
        (["objectId", "coord_ra", "coord_dec"], ("objectId", "coord_ra", "coord_dec")),  # Rubin
        (["OBJECT_ID", "RIGHT_ASCENSION", "DECLINATION"], ("OBJECT_ID", "RIGHT_ASCENSION", "DECLINATION")),  # Euclid
        (["release", "brickid", "brickname", "objid", "ra", "dec"], ("release+brickid+objid", "ra", "dec")),  # Legacy
        (["objID", "ra", "dec"], ("objID", "ra", "dec")),  # SDSS
        (["n", "ALPHA_J2000", "DELTA_J2000"], ("", "ALPHA_J2000", "DELTA_J2000")),
    ],
)
def test_columns_of_the_surveys(found, wanted):
    assert tuple(find_columns(found, ["id", "ra_deg", "dec_deg"]).values()) == wanted


def test_columns_that_are_given():
    given = {"id": "brick+n", "ra_deg": "x"}
    found = find_columns(["brick", "n", "x", "ra", "dec"], ["id", "ra_deg", "dec_deg"], given=given)
    assert found == {"id": "brick+n", "ra_deg": "x", "dec_deg": "dec"}
    with pytest.raises(InputError, match="unknown column of the table 'm'"):
        find_columns(["brick", "n"], ["id"], given={"id": "brick+m"})
    with pytest.raises(InputError, match=r"a column for ra_deg, got a, b: name it with --columns ra_deg=NAME"):
        need_positions(find_columns(["a", "b"], ["ra_deg", "dec_deg"]), ["a", "b"], "t.csv", option="--columns")


def test_no_name_is_given_twice_to_one_role():
    assert all(
        len(set(names)) == len(names) and all(name == name.lower() for name in names) for names in ROLES.values()
    )
    assert split_unit("flux") == ("flux", "") and split_unit(" RA [ deg ] ") == ("RA", "deg")
