#!/usr/bin/env python3
"""Flux errors of catalogues of `blend run` beside SEP with the hot and cold settings of Boucaud et al. 2020 (MNRAS 491, 2481).

  compare_fluxes.py --scenes DIR --band i NAME=CATALOG.csv [NAME=CATALOG.csv ...] [--bright 24] [--snr 10] [--json OUT]

DIR      scenes of `blend simulate` (truth table TRUTH; images named by band)
CATALOG  catalog.csv of `blend run DIR --out ...`: scene_id, x, y, flux_<band>, flux_err_<band>

A true object brighter than --bright in the band (two or more of them in a scene) is matched to the nearest detection of a run within 1 arcsec, one to
one, nearest pairs first. The mean absolute error |F / F_true - 1| is given for all matched objects of a run, and, run by
run, for the scenes in which SEP finds every bright object; what SEP misses is counted apart. Needs numpy, astropy, sep.
"""
import argparse, csv, glob, json, os
import numpy as np
from astropy.io import fits
import sep

COLD = dict(minarea=10, thresh=5.0, deblend_cont=0.01, deblend_nthresh=64)
HOT = dict(minarea=6, thresh=4.0, deblend_cont=1e-4, deblend_nthresh=64)


def auto_flux(image, objects, seg, ids):
    """SExtractor's FLUX_AUTO as SEP's manual builds it, neighbours masked."""
    kron, _ = sep.kron_radius(image, objects["x"], objects["y"], objects["a"], objects["b"], objects["theta"], 6.0, segmap=seg, seg_id=ids)
    kron = np.where(np.isfinite(kron), kron, 0.0)
    flux, err, flag = sep.sum_ellipse(image, objects["x"], objects["y"], objects["a"], objects["b"], objects["theta"], 2.5 * kron, subpix=1, segmap=seg, seg_id=ids)
    small = kron * np.sqrt(objects["a"] * objects["b"]) < 1.75
    circle, _, _ = sep.sum_circle(image, objects["x"][small], objects["y"][small], 1.75, subpix=1, segmap=seg, seg_id=ids[small])
    flux[small] = circle
    return flux


def hot_cold(image):
    """Detections of the cold pass, and those of the hot one outside of its segments."""
    image = np.ascontiguousarray(image.astype(np.float32))
    rms = sep.Background(image).globalrms
    out = []
    taken = np.zeros(image.shape, bool)
    for step in (COLD, HOT):
        objects, seg = sep.extract(image, step["thresh"] * rms, minarea=step["minarea"], deblend_cont=step["deblend_cont"],
                                   deblend_nthresh=step["deblend_nthresh"], segmentation_map=True)
        if len(objects) == 0:
            continue
        ids = np.arange(1, len(objects) + 1, dtype=np.int32)
        flux = auto_flux(image, objects, seg, ids)
        for k in range(len(objects)):
            x, y = objects["x"][k], objects["y"][k]
            iy, ix = min(max(int(round(y)), 0), image.shape[0] - 1), min(max(int(round(x)), 0), image.shape[1] - 1)
            if not taken[iy, ix]:
                out.append((x, y, flux[k], np.nan))
        taken |= seg > 0
    return np.array(out).reshape(-1, 4)


def match(truth, found, radius):
    """Index of the detection of each truth, -1 = none; one to one, nearest pairs first."""
    own = np.full(len(truth), -1)
    if len(found) == 0:
        return own
    d = np.hypot(truth[:, 0, None] - found[None, :, 0], truth[:, 1, None] - found[None, :, 1])
    used = np.zeros(len(found), bool)
    for t, f in zip(*np.unravel_index(np.argsort(d, axis=None), d.shape)):
        if d[t, f] > radius:
            break
        if own[t] < 0 and not used[f]:
            own[t] = f
            used[f] = True
    return own


def read_catalog(path, band):
    out = {}
    with open(path) as f:
        for row in csv.DictReader(f):
            value = lambda key: float(row[key]) if row.get(key) not in (None, "", "nan") else np.nan
            out.setdefault(row["scene_id"], []).append((value("x"), value("y"), value("flux_" + band), value("flux_err_" + band)))
    return {k: np.array(v) for k, v in out.items()}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--scenes", required=True)
    p.add_argument("--band", default="i")
    p.add_argument("--bright", type=float, default=24.0)
    p.add_argument("--snr", type=float, default=0.0)
    p.add_argument("--json")
    p.add_argument("runs", nargs="+")
    a = p.parse_args()
    names = ["SEP hot/cold"] + [r.split("=", 1)[0] for r in a.runs]
    catalogs = [read_catalog(r.split("=", 1)[1], a.band) for r in a.runs]
    rows = {n: [] for n in names}  # per truth: error (nan = missed), pull, snr, magnitude, scene
    common = []
    for path in sorted(glob.glob(os.path.join(a.scenes, "*.fits*"))):
        with fits.open(path) as h:
            t = h["TRUTH"].data
            image = [x for x in h if x.name.lower() == a.band.lower() or x.name.lower() == "sci_" + a.band.lower()][0]
            data, scale = np.array(image.data, np.float32), float(image.header.get("PIXSCALE", 0.2))
            scene = h[0].header.get("SCENEID", os.path.basename(path).split(".")[0])
            bright = (t["mag_" + a.band] < a.bright) & (t["snr_" + a.band] >= a.snr)
            truth = np.column_stack([t["x"], t["y"], t["flux_" + a.band], t["snr_" + a.band], t["mag_" + a.band]])[bright].astype(float)
        if len(truth) < 2:
            continue
        found = [hot_cold(data)] + [c.get(scene, np.zeros((0, 4))) for c in catalogs]
        own = [match(truth, f, 1.0 / scale) for f in found]
        common.append(bool(np.all(own[0] >= 0)))
        for n, f, o in zip(names, found, own):
            for k in range(len(truth)):
                hit = o[k] >= 0
                e = f[o[k], 2] / truth[k, 2] - 1 if hit else np.nan
                pull = (f[o[k], 2] - truth[k, 2]) / f[o[k], 3] if hit else np.nan
                rows[n].append((e, pull, truth[k, 3], truth[k, 4], len(common) - 1))
    rows = {n: np.array(v) for n, v in rows.items()}
    both = np.array(common)[rows[names[0]][:, 4].astype(int)]
    out = {"scenes": len(common), "scenes_where_sep_finds_all": int(np.sum(common)), "objects": int(len(both)), "runs": {}}
    rng = np.random.default_rng(1)
    print(f"{len(common)} scenes of two or more with {a.band} < {a.bright}, {len(both)} objects; SEP finds all of {np.sum(common)} scenes")
    head = "mean |dF/F|: all matched; where SEP finds all (+- bootstrap over scenes) | median, bias, beyond 50 % there | missed | pull width"
    print(head)
    for n in names:
        r = rows[n]
        seen = np.isfinite(r[:, 0])
        use = seen & both
        e = np.abs(r[use, 0])
        scenes = r[use, 4].astype(int)
        groups = [e[scenes == s] for s in np.unique(scenes)]
        boots = [np.mean(np.concatenate([groups[i] for i in rng.integers(0, len(groups), len(groups))])) for _ in range(200)] if groups else [np.nan]
        pull = r[use & np.isfinite(r[:, 1]), 1]
        width = 1.4826 * np.median(np.abs(pull - np.median(pull))) if len(pull) else np.nan
        d = dict(all_matched=float(np.mean(np.abs(r[seen, 0]))), common=float(np.mean(e)), common_error=float(np.std(boots)), median=float(np.median(e)),
                 bias=float(np.median(r[use, 0])), beyond_half=float(np.mean(e > 0.5)), missed=int(np.sum(~seen)), missed_common=int(np.sum(~seen & both)), pull_width=float(width))
        out["runs"][n] = d
        print(f"{n:34s} {d['all_matched']:.3f}; {d['common']:.4f} +- {d['common_error']:.4f} | {d['median']:.4f} {d['bias']:+.4f} {d['beyond_half']:.3f} | "
              f"{d['missed']} ({d['missed_common']} there) | {d['pull_width']:.2f}")
    if a.json:
        json.dump(out, open(a.json, "w"), indent=1)


if __name__ == "__main__":
    main()
