"""Values some of which are missing, compared and computed.

What is not known is neither true nor false, and what follows from it is not known
either, unless it holds whatever the value (Kleene's logic, as in SQL).
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lensdetect.errors import InputError
from lensdetect.images.rows import EXACT, Rows
from lensdetect.text import shown

_INT64 = 2**63


@dataclass(frozen=True)
class Known:
    """Values, and whether each is known; what stands where it is not means nothing."""

    values: np.ndarray
    known: np.ndarray
    #: Where they are from, if they are cells of text as they stand in a column.
    cells: tuple[Rows, str] | None = None
    #: Whether they are one for all rows, written in the expression.
    is_constant: bool = False

    @property
    def kind(self) -> str:
        """What they are: condition, number or text."""
        return {"b": "condition", "O": "text", "U": "text"}.get(self.values.dtype.kind, "number")


def constant(value: bool | float | str) -> Known:
    """A value that is written in the expression, the same for all rows."""
    if type(value) is int and not -_INT64 <= value < 2 * _INT64:
        raise OverflowError(f"{value} is beyond 64 bits")
    return Known(np.asarray(value), np.True_, is_constant=True)


def column_of(rows: Rows, name: str) -> Known:
    """A column; what cells of text are, numbers or text, follows from what they are compared with."""
    column = rows.table[name]
    known = column.is_valid().to_numpy()
    if pa.types.is_string(column.type):
        return Known(rows.texts(name), known, (rows, name))
    zero = pa.scalar(False if pa.types.is_boolean(column.type) else 0, column.type)
    return Known(pc.fill_null(column, zero).to_numpy(), known)


def condition(part: Known) -> Known:
    """The same, if it is true or false for each row."""
    if part.cells is not None:
        part = _truths(part)
    if part.kind != "condition":
        raise TypeError("and, or and not join conditions, not numbers or text: put comparisons in brackets")
    return part


def _truths(part: Known) -> Known:
    """A column of words for true and false, in which files of text write them."""
    words = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
    found = [words.get(str(cell).lower()) for cell in part.values]
    odd = next((cell for cell, one in zip(part.values, found, strict=True) if one is None and cell is not None), None)
    if odd is not None:
        raise TypeError(f"column {part.cells[1]} must be true or false to stand alone, got {shown(odd)}: compare it")
    return Known(np.array([bool(one) for one in found], bool), part.known)


def _number(part: Known) -> Known:
    """Numbers, also those that are written in cells of text: whole ones exactly."""
    if part.cells is None:
        if part.kind == "text":
            raise TypeError(f"numbers are compared and computed with numbers, got the text {shown(part.values)}")
        return part
    rows, name = part.cells
    column = rows.table[name]
    try:
        return Known(pc.fill_null(column.cast(pa.int64()), 0).to_numpy(), part.known)
    except pa.ArrowInvalid:
        return Known(np.where(part.known, rows.numbers(name), 0.0), part.known)


def all_of(parts: list[Known]) -> Known:
    """Whether all hold: not, where one is known not to, whatever is missing elsewhere."""
    values, known = np.True_, np.True_
    for part in parts:
        false = (~values & known) | (~part.values & part.known)
        values, known = values & part.values, (known & part.known) | false
        values = values & ~false
    return Known(values, known)


def not_of(part: Known) -> Known:
    """Whether it does not hold; not known where it is not known."""
    return Known(~part.values, part.known)


def signed(op: ast.unaryop, part: Known) -> Known:
    """``not``, ``~``, ``+`` or ``-`` of something."""
    if isinstance(op, (ast.Not, ast.Invert)):
        return not_of(condition(part))
    part = _number(part)
    return computed(ast.Sub(), constant(0), part) if isinstance(op, ast.USub) else part


_COMPARE = {
    ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal,
    ast.Eq: np.equal, ast.NotEq: np.not_equal,
}  # fmt: skip
_ARITHMETIC = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.true_divide, ast.Mod: np.mod}
_BITS = {ast.BitAnd: np.bitwise_and, ast.BitOr: np.bitwise_or}


def compared(op: ast.cmpop, left: Known, right: Known) -> Known:
    """A comparison of numbers, or of text with text."""
    if not _both_text(left, right):
        left, right = _alike(_number(left), _number(right))
    known = left.known & right.known
    if left.kind == "text":
        return Known(_compared_texts(_COMPARE[type(op)], left, right, known), known)
    return Known(_COMPARE[type(op)](left.values, right.values), known)


def _both_text(left: Known, right: Known) -> bool:
    """Whether text is compared: with text in quotes, or two columns that are not both of numbers."""
    if left.kind != "text" or right.kind != "text":
        return False
    if left.cells is None or right.cells is None:
        return True
    try:
        _number(left), _number(right)
    except InputError:
        return True
    return False


def _compared_texts(compare, left: Known, right: Known, known: np.ndarray) -> np.ndarray:
    shape = known.shape
    found = np.zeros(shape, bool)
    a, b = (np.broadcast_to(part.values.astype(object), shape) for part in (left, right))
    found[known] = compare(a[known], b[known])
    return found


def _alike(left: Known, right: Known) -> tuple[Known, Known]:
    """A number that is written in the expression is compared in the precision of the column, as in 0.1 == 0.1."""
    if left.is_constant != right.is_constant:
        number, column = (left, right) if left.is_constant else (right, left)
        if column.values.dtype == np.float32:
            number = Known(number.values.astype(np.float32), number.known)
        return (number, column) if left.is_constant else (column, number)
    return left, right


def computed(op: ast.operator, left: Known, right: Known) -> Known:
    """Arithmetic, or bits of whole numbers."""
    left, right = _wide(_number(left)), _wide(_number(right))
    known = left.known & right.known
    if type(op) in _BITS:
        return Known(_BITS[type(op)](_whole(left), _whole(right)), known)
    if isinstance(op, ast.Pow):
        values = np.power(left.values.astype(float), right.values.astype(float))
    else:
        values = _exact(_ARITHMETIC[type(op)], left.values, right.values, known)
    if values.dtype.kind == "f":
        # 0 / 0 and the root of -1 are no numbers
        known = known & ~np.isnan(values)
    return Known(values, known)


def _exact(compute, left: np.ndarray, right: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Whole numbers in 64 bits where the result has room there; floats otherwise."""
    near = compute(left.astype(float), right.astype(float))
    if left.dtype.kind == "f" or right.dtype.kind == "f" or compute is np.true_divide:
        return near
    if np.any(known & ~(np.abs(near) < _INT64)):
        return near
    return compute(left, right)


def _wide(part: Known) -> Known:
    """Truth values as 0 and 1, whole numbers with 64 bits, floats with 64 bits."""
    values = part.values
    if values.dtype == np.uint64:
        values = values.astype(np.int64) if np.all(values < _INT64) else values.astype(float)
    kind = np.int64 if values.dtype.kind in "bi" else np.float64
    return Known(values.astype(kind), part.known, is_constant=part.is_constant)


def _whole(part: Known) -> np.ndarray:
    """Whole numbers for bits; also those that a table keeps as floats because some are missing."""
    values = part.values
    if values.dtype.kind == "f":
        if part.is_constant or np.any(part.known & ~((np.abs(values) < EXACT) & (values == np.floor(values)))):
            raise TypeError("& and | are for bits of whole numbers: join conditions with and, or")
        values = np.where(part.known, values, 0.0)
    return values.astype(np.int64)
