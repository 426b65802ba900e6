"""Figures on disk."""

from __future__ import annotations

from pathlib import Path

from matplotlib.figure import Figure

from lensdetect.errors import InputError
from lensdetect.runs import write_whole


def save_figure(figure: Figure, path: Path | str, *, dpi: int = 120) -> None:
    """Write a figure whole or not at all.

    Parameters
    ----------
    figure : Figure
        What to write.
    path : path
        Its extension chooses the format: png, pdf, svg, jpg and others.
    dpi : int
        Pixels per inch, for formats made of pixels.

    Raises
    ------
    InputError
        If the extension is not that of a picture, or the file cannot be written.
    """
    path = Path(path)
    known = figure.canvas.get_supported_filetypes()
    extension = path.suffix.removeprefix(".").lower()
    if extension not in known:
        raise InputError(f"a figure's name must end in one of {', '.join(sorted(known))}, got {path.name}: try .png")
    try:
        write_whole(path, lambda file: figure.savefig(file, format=extension, dpi=dpi))
    except OSError as error:
        raise InputError(
            f"figure must go into an existing folder that can be written to, got {path} ({error.strerror}): "
            "make the folder or choose another"
        ) from error
