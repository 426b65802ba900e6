"""Which rows of a catalogue are searched: an expression over its columns."""

from __future__ import annotations

import ast

import numpy as np
import pandas as pd

from lensdetect.errors import InputError, unknown_name

#: What an expression may consist of; calls, attributes and indexing are no selection.
_ALLOWED = (
    ast.Expression, ast.BoolOp, ast.And, ast.Or, ast.UnaryOp, ast.Not, ast.USub, ast.UAdd, ast.Invert,
    ast.BinOp, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.Mod, ast.Pow, ast.BitAnd, ast.BitOr,
    ast.Compare, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq, ast.In, ast.NotIn,
    ast.Name, ast.Load, ast.Constant, ast.List, ast.Tuple,
)  # fmt: skip


class Selection:
    """A condition on the columns of a catalogue.

    Parameters
    ----------
    expression : str
        As in ``Z_B < 0.4 and MAG_AUTO < 21``: comparisons, ``and``, ``or``,
        ``not``, arithmetic, ``in [..]``, and ``&`` for bits of whole numbers
        (``MASK & 16384 == 0`` is read from left to right, bits first).

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
        try:
            tree = ast.parse(self.expression, mode="eval")
        except SyntaxError as error:
            raise InputError(
                f'a selection must be an expression such as "Z_B < 0.4 and MAG_AUTO < 21", got {expression!r}: '
                f"{error.msg} at character {error.offset}"
            ) from error
        for node in ast.walk(tree):
            if not isinstance(node, _ALLOWED):
                raise InputError(
                    "a selection may hold columns, numbers, comparisons, and, or, not and arithmetic, "
                    f"got {ast.unparse(node) if hasattr(node, 'lineno') else type(node).__name__!r} in {expression!r}"
                )
        names = (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
        self.columns: tuple[str, ...] = tuple(dict.fromkeys(names))
        self._tree = tree.body

    def check_columns(self, columns) -> None:
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

    def __call__(self, rows: pd.DataFrame) -> np.ndarray:
        """Which rows are selected.

        Parameters
        ----------
        rows : DataFrame
            With the columns that the expression names.

        Returns
        -------
        ndarray
            bool ``(len(rows),)``; a comparison with a missing value is false.

        Raises
        ------
        InputError
            If the expression is no condition, or compares text with numbers.
        """
        try:
            found = np.broadcast_to(_value(self._tree, rows), len(rows))
        except (TypeError, ValueError) as error:
            raise InputError(f"the selection {self.expression!r} does not suit the columns: {error}") from error
        if found.dtype != bool:
            raise InputError(
                f"a selection must be true or false for each row, got numbers from {self.expression!r}: compare them"
            )
        return found


_COMPARE = {
    ast.Lt: np.less, ast.LtE: np.less_equal, ast.Gt: np.greater, ast.GtE: np.greater_equal,
    ast.Eq: np.equal, ast.NotEq: np.not_equal,
}  # fmt: skip
_ARITHMETIC = {
    ast.Add: np.add, ast.Sub: np.subtract, ast.Mult: np.multiply, ast.Div: np.true_divide, ast.Mod: np.mod,
    ast.Pow: np.power, ast.BitAnd: np.bitwise_and, ast.BitOr: np.bitwise_or,
}  # fmt: skip


def _value(node: ast.AST, rows: pd.DataFrame):
    """Value of a part of an expression, one a row or one for all."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(id=name):
            return rows[name].to_numpy()
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            return [_value(element, rows) for element in elements]
        case ast.BoolOp(op=op, values=values):
            parts = [_truth(_value(value, rows)) for value in values]
            return (np.logical_and if isinstance(op, ast.And) else np.logical_or).reduce(np.broadcast_arrays(*parts))
        case ast.UnaryOp(op=op, operand=operand):
            return _unary(op, _value(operand, rows))
        case ast.BinOp(op=op, left=left, right=right):
            return _ARITHMETIC[type(op)](_value(left, rows), _value(right, rows))
        case ast.Compare(left=left, ops=ops, comparators=comparators):
            return _compared(_value(left, rows), ops, [_value(other, rows) for other in comparators])
    raise AssertionError(f"{ast.dump(node)} was let through")


def _truth(value) -> np.ndarray:
    value = np.asarray(value)
    if value.dtype != bool:
        raise TypeError("and, or and not join conditions, not numbers")
    return value


def _unary(op: ast.unaryop, value):
    if isinstance(op, (ast.Not, ast.Invert)):
        return ~_truth(value)
    return -value if isinstance(op, ast.USub) else value


def _compared(left, ops: list[ast.cmpop], others: list) -> np.ndarray:
    """A chain of comparisons, as in ``0.1 < Z_B < 0.4``."""
    result = np.True_
    for op, other in zip(ops, others, strict=True):
        if isinstance(op, (ast.In, ast.NotIn)):
            found = np.isin(left, other)
            result = result & (~found if isinstance(op, ast.NotIn) else found)
        else:
            result = result & _COMPARE[type(op)](left, other).astype(bool)
        left = other
    return result
