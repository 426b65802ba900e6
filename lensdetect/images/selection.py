"""Which rows of a catalogue are taken: an expression over its columns."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lensdetect.errors import InputError, reason_of, unknown_name
from lensdetect.images.rows import EXACT, Rows

#: What an expression may consist of; calls, attributes and indexing are no selection.
_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.Invert,
    ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod, ast.Pow, ast.BitAnd, ast.BitOr,
    ast.Compare, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq, ast.In, ast.NotIn,
    ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple,
)  # fmt: skip
_LONGEST = 100_000
#: Text in quotes, which is left as it is, or a name in backticks.
_QUOTED = re.compile(r"""("[^"]*"|'[^']*')|`([^`]*)`""")
_INT64 = 2**63


class Selection:
    r"""A condition on the columns of a catalogue.

    A comparison with a missing value is neither true nor false, and no row is
    taken on it: ``z < 0.3``, ``z != 0.3`` and ``not (z < 0.3)`` all leave a row
    out whose ``z`` is missing, as in SQL. Whole numbers are computed with 64 bits,
    whatever they are stored as.

    Parameters
    ----------
    expression : str
        As in ``Z_B < 0.4 and MAG_AUTO < 21``: comparisons, ``and``, ``or``,
        ``not``, arithmetic, ``in [..]``, and ``&`` for bits of whole numbers
        (``MASK & 16384 == 0`` is read from left to right, bits first). Names
        that Python would not take stand in backticks, as pandas has them:
        ``\`class\` == "GALAXY"``.

    Attributes
    ----------
    columns : tuple of str
        The columns that it needs, in the order in which they come.

    Raises
    ------
    InputError
        If it is no such expression.
    """

    def __init__(self, expression: str):
        self.expression = expression.strip()
        self._names: dict[str, str] = {}
        try:
            if len(expression) > _LONGEST:
                raise SyntaxError(f"it is longer than {_LONGEST:,} letters")
            tree = ast.parse(_QUOTED.sub(self._named, self.expression).strip(), mode="eval")
            nodes = list(ast.walk(tree))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            said = error.msg if isinstance(error, SyntaxError) else reason_of(error)
            raise InputError(
                f'a selection must be an expression such as "Z_B < 0.4 and MAG_AUTO < 21", got {expression[:200]!r}: '
                f"{said} (a column whose name is no word, or one of Python's, is put in backticks, as `class`)"
            ) from error
        for node in nodes:
            if not isinstance(node, _ALLOWED) or not _is_simple(node):
                raise InputError(
                    "a selection may hold columns, numbers, text, comparisons, and, or, not and arithmetic, "
                    f"got {ast.unparse(node) if hasattr(node, 'lineno') else type(node).__name__!r} in {expression!r}"
                )
        names = (self._names.get(node.id, node.id) for node in nodes if isinstance(node, ast.Name))
        self.columns: tuple[str, ...] = tuple(dict.fromkeys(names))
        self._tree = tree.body

    def _named(self, found: re.Match) -> str:
        """Put a word in the place of a name in backticks."""
        if found[2] is None:
            return found[0]
        word = f"_quoted_{len(self._names)}_"
        self._names[word] = found[2].strip()
        return f" {word} "

    def check_columns(self, columns: Iterable[str]) -> None:
        """Refuse a catalogue that lacks a column.

        Parameters
        ----------
        columns : iterable of str
            Of the catalogue.

        Raises
        ------
        InputError
            With the nearest names.
        """
        known = list(columns)
        for name in self.columns:
            if name not in known:
                raise unknown_name("column of the catalogue", name, known)

    def __call__(self, rows: Rows) -> np.ndarray:
        """Which rows are selected.

        Parameters
        ----------
        rows : Rows
            With the columns that the expression names.

        Returns
        -------
        ndarray
            bool ``(len(rows),)``.

        Raises
        ------
        InputError
            If the expression is no condition, or does not suit the columns.
        """
        try:
            with np.errstate(all="ignore"):
                found = self._value(self._tree, rows)
            if found.kind != "condition":
                raise TypeError("it must be true or false for each row, got values: compare them")
        except InputError:
            raise
        except (TypeError, ValueError, OverflowError, RecursionError) as error:
            raise InputError(
                f"the selection {self.expression!r} does not suit the columns: {str(error) or 'it is too deep'}"
            ) from error
        return np.broadcast_to(found.values & found.known, len(rows))

    def _value(self, node: ast.AST, rows: Rows) -> _Known:
        """Value of a part of the expression, one a row or one for all."""
        match node:
            case ast.Constant(value=value):
                return _constant(value)
            case ast.Name(id=name):
                return _column(rows, self._names.get(name, name))
            case ast.BoolOp(op=op, values=values):
                parts = [_condition(self._value(value, rows)) for value in values]
                return _all(parts) if isinstance(op, ast.And) else _not(_all([_not(part) for part in parts]))
            case ast.UnaryOp(op=op, operand=operand):
                return _unary(op, self._value(operand, rows))
            case ast.BinOp(op=op, left=left, right=right):
                return _arithmetic(op, self._value(left, rows), self._value(right, rows))
            case ast.Compare(left=left, ops=ops, comparators=others):
                return self._chain(self._value(left, rows), ops, others, rows)
        raise TypeError("a list must stand behind in")

    def _chain(self, left: _Known, ops: list[ast.cmpop], others: list[ast.expr], rows: Rows) -> _Known:
        """A chain of comparisons, as in ``0.1 < Z_B < 0.4``."""
        parts = []
        for op, other in zip(ops, others, strict=True):
            if isinstance(op, (ast.In, ast.NotIn)):
                if not isinstance(other, (ast.List, ast.Tuple)):
                    raise TypeError("in needs a list, as in [1, 2]")
                equal = [_compared(ast.Eq(), left, self._value(one, rows)) for one in other.elts]
                found = _not(_all([_not(part) for part in equal])) if equal else _Known(np.False_, left.known)
                parts.append(_not(found) if isinstance(op, ast.NotIn) else found)
            else:
                right = self._value(other, rows)
                parts.append(_compared(op, left, right))
                left = right
        return _all(parts)


@dataclass(frozen=True)
class _Known:
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


def _is_simple(node: ast.AST) -> bool:
    return not isinstance(node, ast.Constant) or type(node.value) in (bool, int, float, str)


def _constant(value: bool | float | str) -> _Known:
    if type(value) is int and not -_INT64 <= value < 2 * _INT64:
        raise OverflowError(f"{value} is beyond 64 bits")
    return _Known(np.asarray(value), np.True_, is_constant=True)


def _column(rows: Rows, name: str) -> _Known:
    column = rows.table[name]
    known = column.is_valid().to_numpy()
    if pa.types.is_string(column.type):
        return _Known(rows.texts(name), known, (rows, name))
    zero = pa.scalar(False if pa.types.is_boolean(column.type) else 0, column.type)
    return _Known(pc.fill_null(column, zero).to_numpy(), known)


def _condition(part: _Known) -> _Known:
    if part.cells is not None:
        part = _truths(part)
    if part.kind != "condition":
        raise TypeError("and, or and not join conditions, not numbers or text: put comparisons in brackets")
    return part


def _truths(part: _Known) -> _Known:
    """A column of words for true and false, in which files of text write them."""
    words = {"true": True, "t": True, "1": True, "false": False, "f": False, "0": False}
    found = [words.get(str(cell).lower()) for cell in part.values]
    odd = next((cell for cell, one in zip(part.values, found, strict=True) if one is None and cell is not None), None)
    if odd is not None:
        raise TypeError(f"column {part.cells[1]} must be true or false to stand alone, got {odd!r}: compare it")
    return _Known(np.array([bool(one) for one in found], bool), part.known)


def _number(part: _Known) -> _Known:
    """Numbers, also those that are written in cells of text: whole ones exactly."""
    if part.cells is None:
        if part.kind == "text":
            raise TypeError(f"numbers are compared and computed with numbers, got the text {str(part.values)!r}")
        return part
    rows, name = part.cells
    column = rows.table[name]
    try:
        return _Known(pc.fill_null(column.cast(pa.int64()), 0).to_numpy(), part.known)
    except pa.ArrowInvalid:
        return _Known(np.nan_to_num(rows.numbers(name)), part.known)


def _all(parts: list[_Known]) -> _Known:
    """Whether all hold: not, where one is known not to, whatever is missing elsewhere."""
    values, known = np.True_, np.True_
    for part in parts:
        false = (~values & known) | (~part.values & part.known)
        values, known = values & part.values, (known & part.known) | false
        values = values & ~false
    return _Known(values, known)


def _not(part: _Known) -> _Known:
    return _Known(~part.values, part.known)


def _unary(op: ast.unaryop, part: _Known) -> _Known:
    if isinstance(op, (ast.Not, ast.Invert)):
        return _not(_condition(part))
    part = _number(part)
    return _arithmetic(ast.Sub(), _constant(0), part) if isinstance(op, ast.USub) else part


_COMPARE = {
    ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal,
    ast.Eq: np.equal, ast.NotEq: np.not_equal,
}  # fmt: skip
_ARITHMETIC = {ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.true_divide, ast.Mod: np.mod}
_BITS = {ast.BitAnd: np.bitwise_and, ast.BitOr: np.bitwise_or}


def _compared(op: ast.cmpop, left: _Known, right: _Known) -> _Known:
    if not _both_text(left, right):
        left, right = _alike(_number(left), _number(right))
    known = left.known & right.known
    if left.kind == "text":
        return _Known(_compared_texts(_COMPARE[type(op)], left, right, known), known)
    return _Known(_COMPARE[type(op)](left.values, right.values), known)


def _both_text(left: _Known, right: _Known) -> bool:
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


def _compared_texts(compare, left: _Known, right: _Known, known: np.ndarray) -> np.ndarray:
    shape = known.shape
    found = np.zeros(shape, bool)
    a, b = (np.broadcast_to(part.values.astype(object), shape) for part in (left, right))
    found[known] = compare(a[known], b[known])
    return found


def _alike(left: _Known, right: _Known) -> tuple[_Known, _Known]:
    """A number that is written in the expression is compared in the precision of the column, as in 0.1 == 0.1."""
    if left.is_constant != right.is_constant:
        constant, column = (left, right) if left.is_constant else (right, left)
        if column.values.dtype == np.float32:
            constant = _Known(constant.values.astype(np.float32), constant.known)
        return (constant, column) if left.is_constant else (column, constant)
    return left, right


def _arithmetic(op: ast.operator, left: _Known, right: _Known) -> _Known:
    left, right = _wide(_number(left)), _wide(_number(right))
    known = left.known & right.known
    if type(op) in _BITS:
        return _Known(_BITS[type(op)](_whole(left), _whole(right)), known)
    if isinstance(op, ast.Pow):
        values = np.power(left.values.astype(float), right.values.astype(float))
    else:
        values = _exact(_ARITHMETIC[type(op)], left.values, right.values, known)
    if values.dtype.kind == "f":
        # 0 / 0 and the root of -1 are no numbers
        known = known & ~np.isnan(values)
    return _Known(values, known)


def _exact(compute, left: np.ndarray, right: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Whole numbers in 64 bits where the result has room there; floats otherwise."""
    near = compute(left.astype(float), right.astype(float))
    if left.dtype.kind == "f" or right.dtype.kind == "f" or compute is np.true_divide:
        return near
    if np.any(known & ~(np.abs(near) < _INT64)):
        return near
    return compute(left, right)


def _wide(part: _Known) -> _Known:
    """Truth values as 0 and 1, whole numbers with 64 bits, floats with 64 bits."""
    values = part.values
    if values.dtype == np.uint64:
        values = values.astype(np.int64) if np.all(values < _INT64) else values.astype(float)
    kind = np.int64 if values.dtype.kind in "bi" else np.float64
    return _Known(values.astype(kind), part.known, is_constant=part.is_constant)


def _whole(part: _Known) -> np.ndarray:
    """Whole numbers for bits; also those that a table keeps as floats because some are missing."""
    values = part.values
    if values.dtype.kind == "f":
        if part.is_constant or np.any(part.known & ~((np.abs(values) < EXACT) & (values == np.floor(values)))):
            raise TypeError("& and | are for bits of whole numbers: join conditions with and, or")
        values = np.where(part.known, values, 0.0)
    return values.astype(np.int64)
