"""Means of pixels: strips of five rows, cells of five by five, and what is around a cell."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

#: Rows of a strip, and side of a cell.
CELL_PIX = 5


def strips_of(planes: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
    """Means of five rows: ``(..., height, width)`` to ``(..., height // 5, width)``."""
    rows = planes.shape[-2] // CELL_PIX
    parts = planes[..., : rows * CELL_PIX, :].reshape(*planes.shape[:-2], rows, CELL_PIX, -1)
    total = np.add(parts[..., 0, :], parts[..., 1, :], out=out)
    for number in range(2, CELL_PIX):
        total += parts[..., number, :]
    total *= np.float32(1.0 / CELL_PIX)
    return total


def along_x(strips: np.ndarray) -> np.ndarray:
    """Means of five columns: ``(..., rows, width)`` to ``(..., rows, width // 5)``."""
    width = strips.shape[-1]
    return (strips.reshape(-1, width) @ _binning(width)).reshape(*strips.shape[:-1], -1)


@lru_cache(maxsize=32)
def _binning(width: int) -> np.ndarray:
    """Weights ``(width, cell)``."""
    count = width // CELL_PIX
    cell = np.arange(width)[:, None] // CELL_PIX
    return ((cell == np.arange(count)) / CELL_PIX).astype(np.float32)


def smooth(cells: np.ndarray) -> np.ndarray:
    """Mean of each cell and its eight neighbours; beyond the border as on it."""
    padded = np.empty((*cells.shape[:-2], cells.shape[-2] + 2, cells.shape[-1] + 2), cells.dtype)
    padded[..., 1:-1, 1:-1] = cells
    padded[..., 0, 1:-1], padded[..., -1, 1:-1] = cells[..., 0, :], cells[..., -1, :]
    padded[..., 0], padded[..., -1] = padded[..., 1], padded[..., -2]
    rows = padded[..., :-2, :] + padded[..., 1:-1, :]
    rows += padded[..., 2:, :]
    total = rows[..., :-2] + rows[..., 1:-1]
    total += rows[..., 2:]
    total *= np.float32(1.0 / 9.0)
    return total
