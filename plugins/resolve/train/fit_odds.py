#!/usr/bin/env python3
"""Fits the odds of SourceTraits anew and prints the body of OddsWeights.h.

  fit_odds.py TRUTH=RESULT[:single]...

TRUTH: a folder that `blend simulate` wrote; RESULT: what `blend run TRUTH --pipeline threshold+resolve --set
resolve.LEAST_PROBABILITY=0 --out RESULT` made of it. An accepted candidate is good where its object is the partner of a
truth within 4 pixels (nearest first, one to one); with `:single` every candidate is bad. numpy and astropy only.
"""
import csv, glob, os, re, sys
import numpy as np
from astropy.io import fits

TRAITS = re.compile(r"\[traits ([^\]]+)\]")
PENALTY = 15.0  # chosen by tenfold cross-validation over scenes; 6 and 40 do as well
FOLDS = 10
MOST = 2.5      # standard deviations: beyond, a trait counts as if it were there


def terms(gain, misfit, t):
    """as in SourceTraits::logOdds"""
    clip = lambda name, low, high: min(max(t[name], low), high)
    return [min(np.log(max(gain / max(misfit, 1.0) ** 2, 1.0) / 50.0), 3.0), np.log(clip("contrast", 1e-3, 3.0)),
            np.log1p(t["alien"] / 5.0), min(t["alien"] / max(gain, 1.0), 1.0), np.log(clip("radius", 0.1, 2.0)),
            np.log(clip("reach", 0.3, 8.0)), min(t["separation"], 2.5), clip("bluer", -1.5, 1.5),
            np.log1p(max(t["mirrored"], 0.0) / 10.0)]


def partners(tx, ty, x, y, most=4.0):
    taken, free, out = set(), set(range(len(tx))), set()
    distance = np.hypot(tx[:, None] - x[None], ty[:, None] - y[None])
    for flat in np.argsort(distance, axis=None):
        i, j = np.unravel_index(flat, distance.shape)
        if distance[i, j] > most:
            break
        if i in free and j not in taken:
            free.discard(i)
            taken.add(j)
            out.add(j)
    return out


def read(truth, result, single):
    rows, good, scene = [], [], []
    for path in sorted(glob.glob(os.path.join(truth, "*.fits*"))):
        name = os.path.basename(path).split(".")[0]
        folder = os.path.join(result, name)
        if not os.path.exists(os.path.join(folder, "candidates.csv")):
            continue
        with fits.open(path) as h:
            tx, ty = (np.array(h["TRUTH"].data[c], float) for c in "xy")
        objects = list(csv.DictReader(open(os.path.join(folder, "catalog.csv"))))
        x, y = (np.array([float(o[c]) for o in objects]) for c in "xy")
        matched = {int(objects[j]["id"]) for j in partners(tx, ty, x, y)}
        for c in csv.DictReader(open(os.path.join(folder, "candidates.csv"))):
            found = TRAITS.search(c["reason"])
            if not found or int(c["object"]) <= 0:
                continue
            traits = {k: float(v) for k, v in (item.split("=") for item in found.group(1).split())}
            rows.append(terms(float(c["gain"]), float(c["misfit"]), traits))
            good.append(not single and int(c["object"]) in matched)
            scene.append(truth + name)
    return rows, good, scene


def expand(z):
    n = z.shape[1]
    return np.column_stack([z] + [z[:, i] * z[:, j] for i in range(n) for j in range(i, n)] + [np.ones(len(z))])


def fit(a, y):
    w, ridge = np.zeros(a.shape[1]), np.full(a.shape[1], PENALTY)
    ridge[-1] = 1e-3
    for _ in range(50):
        p = 1.0 / (1.0 + np.exp(-np.clip(a @ w, -30, 30)))
        w += np.linalg.solve(a.T @ (a * (p * (1 - p))[:, None]) + np.diag(ridge), a.T @ (y - p) - ridge * w)
    return w


def main():
    rows, good, scene = [], [], []
    for argument in sys.argv[1:]:
        truth, result = argument.split("=")
        single = result.endswith(":single")
        r, g, s = read(truth, result.removesuffix(":single"), single)
        print(f"// {os.path.basename(truth.rstrip('/'))}: {len(r)} candidates, {sum(g)} of them sources", file=sys.stderr)
        rows, good, scene = rows + r, good + g, scene + s
    x, y, scene = np.array(rows), np.array(good, float), np.array(scene)
    mean, deviation = x.mean(0), x.std(0)
    a = expand(np.clip((x - mean) / deviation, -MOST, MOST))
    names = np.unique(scene)
    np.random.default_rng(0).shuffle(names)
    held = np.zeros(len(y))
    for k in range(FOLDS):
        out = np.isin(scene, names[k::FOLDS])
        held[out] = a[out] @ fit(a[~out], y[~out])
    for t in (-1.0, -0.5, 0.0, 0.5, 1.0):
        print(f"// held out, ln odds above {t}: {(held[y == 1] > t).mean():.3f} of the sources, "
              f"{(held[y == 0] > t).mean():.3f} of the structure", file=sys.stderr)
    w = fit(a, y)
    line = lambda v: ", ".join(f"{q:.4f}" for q in v)
    n = x.shape[1]
    print(f"constexpr int kTerms = {n};\nconstexpr double kMost = {MOST};\nconstexpr double kMean[kTerms] = {{{line(mean)}}};")
    print(f"constexpr double kDeviation[kTerms] = {{{line(deviation)}}};")
    print(f"constexpr double kConstant = {w[-1]:.4f};\nconstexpr double kLinear[kTerms] = {{{line(w[:n])}}};")
    print(f"constexpr double kProduct[kTerms * (kTerms + 1) / 2] = {{{line(w[n:-1])}}};")


main()
