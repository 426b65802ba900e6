"""Glitches are looked for where the score is high, and nothing passes for clean that was not looked at."""

from __future__ import annotations

import numpy as np
import pytest
from astropy.io import fits

from lensdetect.errors import InputError
from lensdetect.flags import FLAGS, names
from lensdetect.search.cutouts import open_tile
from lensdetect.search.glitches import LEAST, flag_best
from lensdetect.search.index import index_tiles

from .tile_files import KIDS, write_tile

SHAPE = (700, 320)
UNEXAMINED = FLAGS["unexamined"].value


@pytest.fixture
def look(tmp_path, rng):
    """Looks at the places of a tile with a column that is too bright, with scores of one's choice."""
    write_tile(tmp_path, SHAPE)
    with fits.open(tmp_path / KIDS.tile_file(180.0, 0.5, band="r"), mode="update") as units:
        units[0].data[:, 160] += 50 * KIDS.select(["r"])[0].noise_sigma
    with open_tile(index_tiles(tmp_path, KIDS).tiles[0], KIDS) as tile:

        def run(logit, share):
            x, y = np.full(len(logit), 150.0), rng.uniform(60.0, 640.0, len(logit))
            return flag_best(tile, x, y, logit=np.asarray(logit, float), size=101, share=share)

        yield run


def test_only_the_best_are_looked_at(look, rng):
    logit = rng.permutation(LEAST + 40).astype(float)
    logit[7] = np.nan
    flags = look(logit, 0.1)
    left = np.flatnonzero(flags & UNEXAMINED)
    assert len(left) == 39 and logit[left].max() < np.nanmin(np.delete(logit, left))
    assert (flags[left] == UNEXAMINED).all() and flags[7] == 0
    assert all("bad_column" in names(int(one)) for one in np.delete(flags, [*left, 7]))


def test_all_can_be_looked_at(look):
    assert not (look(np.arange(LEAST + 40), 1.0) & UNEXAMINED).any()


def test_few_are_all_looked_at(look):
    assert not (look(np.arange(30), 0.0) & UNEXAMINED).any()
    assert look([np.nan], 0.1).tolist() == [0]


def test_a_part_beyond_all_is_refused(search):
    with pytest.raises(InputError, match="examine must be from 0 to 1, got 1.5"):
        search(examine=1.5)
