"""Fitted classifiers as plain arrays: what they answer, and how they are kept.

scikit-learn fits them. Its own objects can be kept only as pickles, which run
whatever they hold when they are read; arrays hold nothing but numbers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Margin(Protocol):
    """Signed distance from the border between others and lenses."""

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Float64 ``(n,)``, above 0 for a lens, of features ``(n, feature)``."""

    @property
    def num_parameters(self) -> int:
        """Numbers that were learned."""


@dataclass(frozen=True, eq=False)
class LinearMargin:
    """Log odds of a logistic regression.

    Parameters
    ----------
    weights : ndarray
        ``(feature,)``.
    intercept : ndarray
        A scalar.
    """

    weights: np.ndarray
    intercept: np.ndarray

    @classmethod
    def of(cls, regression) -> LinearMargin:
        """That of a fitted ``LogisticRegression`` of two classes."""
        return cls(regression.coef_[0], regression.intercept_[0])

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Log odds, float64 ``(n,)``, of features ``(n, feature)``."""
        return features @ self.weights + self.intercept

    @property
    def num_parameters(self) -> int:
        """Weights, and the intercept."""
        return self.weights.size + 1


@dataclass(frozen=True, eq=False)
class KernelMargin:
    """Distance from the border of a support vector machine with a radial kernel.

    Parameters
    ----------
    mean, scale : ndarray
        ``(feature,)`` Taken from the features, and what they are divided by then.
    vectors : ndarray
        ``(m, feature)`` Support vectors, so scaled.
    factors : ndarray
        ``(m,)`` Of each of them.
    gamma : ndarray
        A scalar: the kernel is exp(-gamma d^2) at a distance d.
    intercept : ndarray
        A scalar.
    """

    mean: np.ndarray
    scale: np.ndarray
    vectors: np.ndarray
    factors: np.ndarray
    gamma: np.ndarray
    intercept: np.ndarray

    @classmethod
    def of(cls, scaler, machine) -> KernelMargin:
        """That of a fitted ``StandardScaler`` and the ``SVC`` of two classes behind it."""
        return cls(
            mean=scaler.mean_,
            scale=scaler.scale_,
            vectors=machine.support_vectors_,
            factors=machine.dual_coef_[0],
            gamma=np.float64(machine.gamma),
            intercept=machine.intercept_[0],
        )

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Distance, float64 ``(n,)``, of features ``(n, feature)``."""
        from sklearn.metrics.pairwise import rbf_kernel

        scaled = (features - self.mean) / self.scale
        return rbf_kernel(scaled, self.vectors, gamma=float(self.gamma)) @ self.factors + self.intercept

    @property
    def num_parameters(self) -> int:
        """Support vectors with their factors, and the intercept."""
        return self.vectors.size + self.factors.size + 1


def margin_to_arrays(margin: LinearMargin | KernelMargin) -> dict[str, np.ndarray]:
    """What has to be kept of a classifier.

    Parameters
    ----------
    margin : LinearMargin or KernelMargin

    Returns
    -------
    dict of str to ndarray
        For ``margin_from_arrays``.
    """
    return {field.name: np.asarray(getattr(margin, field.name)) for field in dataclasses.fields(margin)}


def margin_from_arrays(arrays: Mapping[str, np.ndarray]) -> LinearMargin | KernelMargin:
    """The classifier that was kept.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        From ``margin_to_arrays``.

    Returns
    -------
    LinearMargin or KernelMargin

    Raises
    ------
    ValueError
        If names, types or shapes are not those of either.
    """
    kind = next((kind for kind, shapes in _SHAPES.items() if set(arrays) == set(shapes)), None)
    if kind is None:
        raise ValueError(f"no classifier has the arrays {', '.join(sorted(arrays)) or 'none'}")
    _check_shapes(arrays, _SHAPES[kind])
    return kind(**arrays)


def _check_shapes(arrays: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[str, ...]]) -> None:
    sizes: dict[str, int] = {}
    for name, axes in shapes.items():
        array = arrays[name]
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite numbers")
        if array.ndim != len(axes) or any(
            sizes.setdefault(axis, n) != n for axis, n in zip(axes, array.shape, strict=True)
        ):
            raise ValueError(f"{name} has a shape that does not go with the others, {array.shape}")


#: Axes of each array; those of one name have one length.
_SHAPES = {
    LinearMargin: {"weights": ("feature",), "intercept": ()},
    KernelMargin: {
        **{"mean": ("feature",), "scale": ("feature",)},
        **{"vectors": ("vector", "feature"), "factors": ("vector",), "gamma": (), "intercept": ()},
    },
}
