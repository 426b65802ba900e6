"""Every system of hand-made features is one row of one table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lensdetect.classical.gabor import gabor_moments
from lensdetect.classical.gradients import band_gradients
from lensdetect.classical.margins import KernelMargin, LinearMargin, Margin

#: Stamps on which the kernel's two numbers are searched: the time grows with their square.
_SEARCH_STAMPS = 2000


@dataclass(frozen=True)
class ClassicalSpec:
    """One system: features, classifier, views.

    Parameters
    ----------
    features : callable
        ``(cutouts, bands)`` to float32 ``(n, feature)``.
    fit : callable
        ``(features, is_lens, seed)`` to a ``Margin``.
    num_views : int
        Quarter turns of each stamp that are trained on, and over which the score is the mean.
    source : str
        Where it was published.
    deviations : str
        In what ours is another.
    """

    features: Callable[[np.ndarray, tuple[str, ...]], np.ndarray]
    fit: Callable[[np.ndarray, np.ndarray, int], Margin]
    num_views: int
    source: str
    deviations: str


def _fit_kernel_machine(features: np.ndarray, is_lens: np.ndarray, seed: int) -> KernelMargin:
    from sklearn.model_selection import GridSearchCV, StratifiedKFold
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    pipeline = make_pipeline(StandardScaler(), SVC(kernel="rbf", cache_size=500))
    width = 1 / features.shape[1]
    grid = {"svc__C": [1.0, 10.0, 100.0], "svc__gamma": [0.1 * width, 0.3 * width, width]}
    folds = int(min(3, is_lens.sum(), (~is_lens).sum()))
    if folds > 1:
        search = GridSearchCV(
            pipeline, grid, scoring="roc_auc", cv=StratifiedKFold(folds, shuffle=True, random_state=seed), refit=False
        )
        rows = _balanced_rows(is_lens, seed)
        search.fit(features[rows], is_lens[rows])
        pipeline.set_params(**search.best_params_)
    else:
        pipeline.set_params(svc__gamma=width)
    scaler, machine = pipeline.fit(features, is_lens)
    return KernelMargin.of(scaler, machine)


def _balanced_rows(is_lens: np.ndarray, seed: int) -> np.ndarray:
    """Some stamps of both classes."""
    rng = np.random.default_rng([seed, 1])
    groups = (np.flatnonzero(is_lens), np.flatnonzero(~is_lens))
    return np.sort(np.concatenate([rng.permutation(group)[: _SEARCH_STAMPS // 2] for group in groups]))


def _fit_logistic(features: np.ndarray, is_lens: np.ndarray, seed: int) -> LinearMargin:
    from sklearn.linear_model import LogisticRegression

    # C as the entry had it. The solver is convex: the seed changes nothing.
    return LinearMargin.of(LogisticRegression(C=0.1, max_iter=500, random_state=seed).fit(features, is_lens))


CLASSICAL: dict[str, ClassicalSpec] = {
    "manchester_svm": ClassicalSpec(
        features=gabor_moments,
        fit=_fit_kernel_machine,
        num_views=1,
        source="Hartley+ 2017 (MNRAS 471, 3378), Metcalf+ 2019 (A&A 625 A119)",
        deviations=(
            "published: polar transform, real Gabor kernels, moments, SVM with a radial kernel; "
            "wavelengths, rotations, the asinh stretch and the grid of C and gamma are ours"
        ),
    ),
    "all_star": ClassicalSpec(
        features=band_gradients,
        fit=_fit_logistic,
        num_views=4,
        source="Avestruz+ 2019 (ApJ 877, 58), Metcalf+ 2019 (A&A 625 A119)",
        deviations="the mean over four turns is of logits, not of probabilities, which saturate",
    ),
}
