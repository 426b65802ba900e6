"""A ranking in words and columns, for a screen of 100 characters."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd

from lensdetect import flags as quality
from lensdetect.text import for_screen

_REASONS_SHOWN = 5


def ranked_lines(table: pd.DataFrame, *, rows: int = 10, extra: tuple[str, ...] = ()) -> str:
    """The first rows of a ranking, aligned.

    Parameters
    ----------
    table : DataFrame
        From ``score``; rows without a score are left out.
    rows : int
        How many.
    extra : tuple of str
        Further columns of text to show.

    Returns
    -------
    str
        Without a final newline; empty if nothing has a score.
    """
    shown = table[table["logit"].notna()].head(rows)
    if not len(shown):
        return ""
    columns = {
        "rank": [str(number + 1) for number in range(len(shown))],
        "id": [for_screen(name) for name in shown["id"]],
        "logit": [f"{value:.3f}" for value in shown["logit"]],
        "probability": [probability_text(value) for value in shown["probability"]],
        **{name: shown[name].tolist() for name in extra},
        "flags": [" ".join(quality.names(value)) for value in shown["flags"]],
    }
    return aligned(columns, left=("id", "flags", *extra))


def aligned(columns: dict[str, list[str]], *, left: tuple[str, ...] = ()) -> str:
    """Columns of text under their names, numbers to the right.

    Parameters
    ----------
    columns : dict of list of str
        All of one length; a column without any text is left out.
    left : tuple of str
        Names of the columns that are set to the left.

    Returns
    -------
    str
        Without a final newline.
    """
    columns = {name: values for name, values in columns.items() if any(values)}
    widths = {name: max(len(name), *map(len, values)) for name, values in columns.items()}
    lines = [list(columns), *zip(*columns.values(), strict=True)]
    return "\n".join(
        "  ".join(
            text.ljust(widths[name]) if name in left else text.rjust(widths[name])
            for name, text in zip(columns, line, strict=True)
        ).rstrip()
        for line in lines
    )


def probability_text(probability: float) -> str:
    """A probability with as many digits as it takes to tell it from 0 and 1."""
    if np.isnan(probability):
        return ""
    return f"{probability:.1e}" if probability < 5e-4 else f"{probability:.3f}"


def prior_words(prior: float | None) -> str:
    """For what share of lenses the probabilities hold.

    Parameters
    ----------
    prior : float or None
        That share; None if it is not known.

    Returns
    -------
    str
    """
    if prior is None:
        return "probability P: for the unknown share of lenses of its calibration; rank by logit"
    if prior < 0.1:
        return f"probability P: where 1 image in {round(1.0 / prior):,} is a lens"
    return f"probability P: where {100.0 * prior:.0f} % of the images are lenses"


def counts_lines(table: pd.DataFrame) -> str:
    """How many were scored, flagged and refused, and why the first were refused.

    Parameters
    ----------
    table : DataFrame
        From ``score``.

    Returns
    -------
    str
        Without a final newline.
    """
    refused = table[table["logit"].isna()]
    lines = [
        f"{len(table):,} image{'s' * (len(table) != 1)}: {len(table) - len(refused):,} scored, {len(refused):,} refused"
    ]
    flagged = Counter(name for value in table["flags"] for name in quality.names(value))
    if flagged:
        lines.append("flags: " + ", ".join(f"{name} {count:,}" for name, count in sorted(flagged.items())))
    lines += [for_screen(f"refused {row.id}: {row.reason}") for row in refused.head(_REASONS_SHOWN).itertuples()]
    if len(refused) > _REASONS_SHOWN:
        lines.append(f"and {len(refused) - _REASONS_SHOWN:,} more, each with its reason at the end of the table")
    return "\n".join(lines)
