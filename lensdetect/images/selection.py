"""Which rows of a catalogue are taken: an expression over its columns."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

import numpy as np

from lensdetect.errors import InputError, reason_of, unknown_name
from lensdetect.images.rows import Rows
from lensdetect.images.ternary import Known, all_of, column_of, compared, computed, condition, constant, not_of, signed

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

    def _value(self, node: ast.AST, rows: Rows) -> Known:
        """Value of a part of the expression, one a row or one for all."""
        match node:
            case ast.Constant(value=value):
                return constant(value)
            case ast.Name(id=name):
                return column_of(rows, self._names.get(name, name))
            case ast.BoolOp(op=op, values=values):
                parts = [condition(self._value(value, rows)) for value in values]
                return all_of(parts) if isinstance(op, ast.And) else not_of(all_of([not_of(part) for part in parts]))
            case ast.UnaryOp(op=op, operand=operand):
                return signed(op, self._value(operand, rows))
            case ast.BinOp(op=op, left=left, right=right):
                return computed(op, self._value(left, rows), self._value(right, rows))
            case ast.Compare(left=left, ops=ops, comparators=others):
                return self._chain(self._value(left, rows), ops, others, rows)
        raise TypeError("a list must stand behind in")

    def _chain(self, left: Known, ops: list[ast.cmpop], others: list[ast.expr], rows: Rows) -> Known:
        """A chain of comparisons, as in ``0.1 < Z_B < 0.4``."""
        parts = []
        for op, other in zip(ops, others, strict=True):
            if isinstance(op, (ast.In, ast.NotIn)):
                if not isinstance(other, (ast.List, ast.Tuple)):
                    raise TypeError("in needs a list, as in [1, 2]")
                equal = [compared(ast.Eq(), left, self._value(one, rows)) for one in other.elts]
                found = not_of(all_of([not_of(part) for part in equal])) if equal else Known(np.False_, left.known)
                parts.append(not_of(found) if isinstance(op, ast.NotIn) else found)
            else:
                right = self._value(other, rows)
                parts.append(compared(op, left, right))
                left = right
        return all_of(parts)


def _is_simple(node: ast.AST) -> bool:
    return not isinstance(node, ast.Constant) or type(node.value) in (bool, int, float, str)
