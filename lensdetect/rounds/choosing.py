"""What to grade next, of objects with scores and features: the best, the disputed, the strange, or some of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lensdetect.errors import InputError, unknown_name

SCORE, HIGH, DISAGREEMENT, NOVELTY, RANDOM = "score", "high", "disagreement", "novelty", "random"
#: Where nothing is wished for: the very highest scores are nearly all of one kind, and teach little else
#: (benchmarks/rounds.md); those further down have all kinds that are taken for lenses.
USUAL = HIGH
WAYS = (SCORE, HIGH, DISAGREEMENT, NOVELTY, RANDOM)
#: From how many of the highest scores is chosen at random.
AMONG = 2000


@dataclass(frozen=True)
class Wishes:
    """Shares of what is to be graded next, by why.

    Parameters
    ----------
    shares : tuple of (str, float)
        One or more of ``WAYS``; the shares are taken relative to their sum.

    Raises
    ------
    InputError
        If a way is unknown or named twice, or no share is positive.
    """

    shares: tuple[tuple[str, float], ...] = ((SCORE, 1.0),)

    def __post_init__(self):
        """Check names and numbers."""
        names = [name for name, _ in self.shares]
        for name, share in self.shares:
            if name not in WAYS:
                raise unknown_name("way to choose", name, WAYS)
            if not 0 < share < 1e6:
                raise InputError(f"the share of {name} must be a positive number, got {share:g}: leave it out")
        if not names or len(set(names)) < len(names):
            came = ", ".join(names) or "none"
            raise InputError(f"ways to choose must be one or more of {', '.join(WAYS)}, each once, got {came}")

    def counts(self, count: int) -> dict[str, int]:
        """How many objects each way may choose, ``count`` together."""
        total = sum(share for _, share in self.shares)
        ends = np.cumsum([share for _, share in self.shares]) / total * count
        edges = [0, *np.floor(ends + 0.5).astype(int)]
        return {name: int(edges[i + 1] - edges[i]) for i, (name, _) in enumerate(self.shares)}


def parse_wishes(text: str) -> Wishes:
    """Wishes as they are typed: ``score:0.5,disagreement:0.2,novelty:0.3``, or one name.

    Parameters
    ----------
    text : str

    Returns
    -------
    Wishes

    Raises
    ------
    InputError
        If a share is no number, or as ``Wishes``.
    """
    shares = []
    for word in filter(None, (part.strip() for part in text.split(","))):
        name, _, number = word.partition(":")
        try:
            shares.append((name.strip(), float(number) if number else 1.0))
        except ValueError:
            raise InputError(f"ways to choose must be like score:0.5,novelty:0.5, got {word!r}") from None
    return Wishes(tuple(shares))


def choose(
    wishes: Wishes,
    count: int,
    *,
    logit: np.ndarray,
    members: np.ndarray | None = None,
    features: np.ndarray | None = None,
    seen: np.ndarray | None = None,
    fair: np.ndarray | None = None,
    among: int = AMONG,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Choose objects to be graded.

    Parameters
    ----------
    wishes : Wishes
    count : int
        How many; all, if there are fewer.
    logit : ndarray
        ``(n,)`` By which is ranked.
    members : ndarray, optional
        ``(n, detectors)`` Logits of the detectors of a committee, for disagreement.
    features : ndarray, optional
        ``(n, dim)`` What the detector makes of each, for novelty; objects of NaN are not chosen for that.
    seen : ndarray, optional
        ``(m, dim)`` The same of what has been graded already: what is near to that is not novel.
    fair : ndarray of bool, optional
        ``(n,)`` Which are a fair sample of all objects, to be chosen from at random; all, if not given.
    among : int
        From how many of the highest scores is chosen at random, for the way "high".
    seed : int
        Of what is chosen at random.

    Returns
    -------
    rows : ndarray of int
        Which, in the order in which they were chosen.
    ways : ndarray of str
        Why each was chosen.

    Raises
    ------
    InputError
        If what a way needs is not given.
    """
    chosen: list[int] = []
    ways: list[str] = []
    known = {"logit": logit, "members": members, "features": features, "seen": seen, "fair": fair, "among": among}
    for way, wanted in wishes.counts(min(count, len(logit))).items():
        free = np.setdiff1d(np.arange(len(logit)), chosen)
        order = _ORDERS[way](free, wanted, taken=chosen, seed=seed, **known)
        chosen += order[:wanted].tolist()
        ways += [way] * len(order[:wanted])
    return np.array(chosen, int), np.array(ways, object)


def _by_score(free: np.ndarray, wanted: int, *, logit, **_) -> np.ndarray:
    return free[np.argsort(-logit[free], kind="stable")]


def _among_high(free: np.ndarray, wanted: int, *, logit, among, seed, **_) -> np.ndarray:
    best = free[np.argsort(-logit[free], kind="stable")][: max(among, wanted)]
    return np.random.default_rng(seed).permutation(best)


def _by_disagreement(free: np.ndarray, wanted: int, *, members, **_) -> np.ndarray:
    if members is None or members.shape[1] < 2:
        raise InputError(
            "disagreement needs a committee, got one detector: search with several (--model A B), or choose by novelty"
        )
    return free[np.argsort(-disagreement(members)[free], kind="stable")]


def disagreement(members: np.ndarray) -> np.ndarray:
    """How far detectors disagree on each object, by the ranks that they give it.

    Logits of two detectors cannot be compared, ranks can: the spread is that of
    the decimal logarithm of the share of objects that outrank it, so that it
    counts where lenses are looked for, at the top. An object that one detector
    puts among the best in a thousand and another among the best tenth has 2.

    Parameters
    ----------
    members : ndarray
        ``(n, detectors)``, finite.

    Returns
    -------
    ndarray
        float ``(n,)``, from 0.
    """
    order = np.argsort(-members, axis=0, kind="stable")
    ranks = np.empty(members.shape)
    np.put_along_axis(ranks, order, np.arange(1.0, len(members) + 1)[:, None], axis=0)
    return np.ptp(np.log10(ranks), axis=1)


def _by_novelty(free: np.ndarray, wanted: int, *, features, seen, taken, **_) -> np.ndarray:
    if features is None:
        raise InputError("novelty needs features of the objects, got none")
    known = np.isfinite(features).all(axis=1)
    free = free[known[free]]
    centres = features[[row for row in taken if known[row]]]
    return free[far_apart(features[free], wanted, centres=centres if seen is None else np.concatenate([seen, centres]))]


def far_apart(features: np.ndarray, count: int, *, centres: np.ndarray) -> np.ndarray:
    """Points that are far from some centres and from one another, the farthest first.

    The greedy 2-approximation of the k-centre problem (Gonzalez 1985, Theoretical
    Computer Science 38, 293), which Sener & Savarese 2018 (arXiv 1708.00489)
    choose batches to label by. Each feature is divided by its spread first.

    Parameters
    ----------
    features : ndarray
        ``(n, dim)``, finite.
    count : int
        How many points, at most ``n``.
    centres : ndarray
        ``(m, dim)``; without any, the point farthest from the mean comes first.

    Returns
    -------
    ndarray of int
        ``(count,)``.
    """
    scale = features.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    points = features / scale
    nearest = np.full(len(points), np.inf)
    for centre in centres if len(centres) else [features.mean(axis=0)]:
        nearest = np.minimum(nearest, np.sum((points - centre / scale) ** 2, axis=1))
    found = []
    for _ in range(min(count, len(points))):
        farthest = int(np.argmax(nearest))
        found.append(farthest)
        nearest = np.minimum(nearest, np.sum((points - points[farthest]) ** 2, axis=1))
        nearest[farthest] = -np.inf
    return np.array(found, int)


def nearest_to(features: np.ndarray, example: np.ndarray) -> np.ndarray:
    """Points in the order of their distance from an example, each feature divided by its spread.

    Parameters
    ----------
    features : ndarray
        ``(n, dim)``, finite.
    example : ndarray
        ``(dim,)``.

    Returns
    -------
    ndarray of int
        ``(n,)``.
    """
    scale = features.std(axis=0)
    scale = np.where(scale > 0, scale, 1.0)
    return np.argsort(np.sum(((features - example) / scale) ** 2, axis=1), kind="stable")


def _at_random(free: np.ndarray, wanted: int, *, fair, seed, **_) -> np.ndarray:
    free = free if fair is None else free[fair[free]]
    return np.random.default_rng(seed).permutation(free)


_ORDERS: dict[str, Callable[..., np.ndarray]] = {
    SCORE: _by_score,
    HIGH: _among_high,
    DISAGREEMENT: _by_disagreement,
    NOVELTY: _by_novelty,
    RANDOM: _at_random,
}
