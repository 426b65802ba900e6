"""Words that say what kind of image something is: in names of files, names of extensions and headers."""

from __future__ import annotations

import re

_WORDS_OF_KIND = {
    "sci": ("sci", "science", "image", "img", "coadd"),
    "wei": ("wei", "wgt", "weight", "weights", "wht", "invvar", "ivar"),
    "var": ("var", "variance"),
    "rms": ("rms", "err", "error", "sigma"),
    "msk": ("msk", "mask", "masks", "maskbits", "flag", "flags", "dq"),
}
_KIND_OF_WORD = {word: kind for kind, words in _WORDS_OF_KIND.items() for word in words}

#: Images that come beside those of the sky and are none.
_NEVER_SKY = frozenset(
    "model blobmodel resid residual chi2 nexp depth galdepth psfdepth psfsize psf psfex bgmod bkg background nobkg "
    "segmap seg segmentation blob expmap exptime nimage hist".split()
)
_WORD = re.compile(r"[A-Za-z0-9]+")


def words_of(text: str) -> list[re.Match]:
    """Words of a text: runs of letters and digits.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of re.Match
    """
    return list(_WORD.finditer(text))


def kind_of(word: str) -> str:
    """Kind that a word means.

    Parameters
    ----------
    word : str

    Returns
    -------
    str
        One of ``survey.rows.KINDS``, or empty.
    """
    return _KIND_OF_WORD.get(word.lower(), "")


def is_never_sky(word: str) -> bool:
    """Whether a word means an image that is none of the sky: a model, a count of exposures, a PSF.

    Parameters
    ----------
    word : str

    Returns
    -------
    bool
    """
    # DES_PSF11406730: the word and a number in one
    return word.lower() in _NEVER_SKY or word.lower().startswith("psf")
