#include "deblend/ProfilePicture.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace blendscope {

namespace {

constexpr double kCut = 23.0;              // a Gaussian is drawn out to exp(-kCut / 2) of its peak
constexpr double kMerge = 0.14;            // relative difference of the covariances of Gaussians that are drawn as one
constexpr double kDerivativeWeight = 0.02; // of a term without light yet, when Gaussians are merged
constexpr double kLeastExponent = -72.0;   // of single precision, with some room
constexpr int kFreshRows = 32;             // after which the exponential is taken anew: rounding adds up
constexpr int kMostTerms = 16, kMostPsfTerms = 8, kMostPieces = kMostTerms * kMostPsfTerms;

// Covariance of unit half-light radius^2, and its derivatives by (ln r, e1, e2).
struct ShapeMatrix {
    double xx, yy, xy;
    double dxx[3], dyy[3], dxy[3];

    ShapeMatrix(double logRadius, double e1, double e2) {
        const double r2 = std::exp(2.0 * logRadius);
        const double eta2 = e1 * e1 + e2 * e2;
        const double eta = std::sqrt(eta2);
        const double c = std::cosh(eta);
        const double s = eta > 1e-4 ? std::sinh(eta) / eta : 1.0 + eta2 / 6.0;
        const double t = eta > 1e-3 ? (c - s) / eta2 : 1.0 / 3.0;
        xx = r2 * (c + s * e1);
        yy = r2 * (c - s * e1);
        xy = r2 * s * e2;
        dxx[0] = 2.0 * xx;
        dyy[0] = 2.0 * yy;
        dxy[0] = 2.0 * xy;
        const double e[2] = {e1, e2};
        for (int i = 0; i < 2; ++i) {
            const double dc = s * e[i], ds = t * e[i];
            dxx[1 + i] = r2 * (dc + ds * e1 + (i == 0 ? s : 0.0));
            dyy[1 + i] = r2 * (dc - ds * e1 - (i == 0 ? s : 0.0));
            dxy[1 + i] = r2 * (ds * e2 + (i == 1 ? s : 0.0));
        }
    }
};

// A Gaussian of the convolved profile.
struct Piece {
    double amplitude, derivative;
    double profile, psf; // multiples of the two shapes in its covariance
    double xx, yy, xy;
    double slopeProfile, slopePsf; // sums of derivative times what profile and psf differ from the merged ones
};

void setCovariance(Piece& p, const ShapeMatrix& shape, const GaussianPsf& psf) {
    p.xx = p.profile * shape.xx + p.psf * psf.shapeXx;
    p.yy = p.profile * shape.yy + p.psf * psf.shapeYy;
    p.xy = p.profile * shape.xy + p.psf * psf.shapeXy;
}

bool alike(const Piece& a, const Piece& b) {
    const double xx = std::max(a.xx, b.xx), yy = std::max(a.yy, b.yy);
    return std::abs(a.xx - b.xx) < kMerge * xx && std::abs(a.yy - b.yy) < kMerge * yy &&
           std::abs(a.xy - b.xy) < kMerge * std::sqrt(xx * yy);
}

int listPieces(const JointSource& s, const GaussianPsf& psf, const ShapeMatrix& shape, bool derivatives,
               Piece* pieces) {
    ProfileTerm terms[kMostTerms];
    const int n = listProfileTerms(s, derivatives, terms);
    int count = 0;
    for (int i = 0; i < n; ++i) {
        for (std::size_t j = 0; j < std::min(psf.terms.size(), std::size_t(kMostPsfTerms)); ++j) {
            const GaussianTerm& p = psf.terms[j];
            Piece& piece = pieces[count++];
            piece.amplitude = terms[i].amplitude * p.amplitude;
            piece.derivative = terms[i].derivative * p.amplitude;
            piece.profile = terms[i].variance;
            piece.psf = p.variance;
            piece.slopeProfile = piece.slopePsf = 0.0;
            setCovariance(piece, shape, psf);
        }
    }
    std::sort(pieces, pieces + count, [](const Piece& a, const Piece& b) { return a.xx + a.yy < b.xx + b.yy; });
    int merged = 0;
    for (int i = 0; i < count; ++i) {
        const Piece p = pieces[i];
        int into = -1;
        for (int k = merged - 1; k >= std::max(0, merged - 4) && into < 0; --k) {
            if (alike(pieces[k], p)) into = k;
        }
        if (into < 0) {
            pieces[merged++] = p;
            continue;
        }
        Piece& q = pieces[into];
        const double a = q.amplitude + kDerivativeWeight * std::abs(q.derivative);
        const double b = p.amplitude + kDerivativeWeight * std::abs(p.derivative);
        const double share = a + b > 0.0 ? b / (a + b) : 0.5;
        const double toProfile = share * (p.profile - q.profile), toPsf = share * (p.psf - q.psf);
        q.slopeProfile += p.slopeProfile - q.derivative * toProfile;
        q.slopePsf += p.slopePsf - q.derivative * toPsf;
        q.profile += toProfile;
        q.psf += toPsf;
        q.slopeProfile += p.derivative * (p.profile - q.profile);
        q.slopePsf += p.derivative * (p.psf - q.psf);
        q.amplitude += p.amplitude;
        q.derivative += p.derivative;
        setCovariance(q, shape, psf);
    }
    return merged;
}

struct Brush { // a piece, ready to be drawn
    float ixx, iyy, ixy;
    float value, derivative, half;   // of the picture, by the bulge share, by the covariance
    float slopeXx, slopeYy, slopeXy; // of the bulge share, by what was merged
};

template <bool Derivatives>
[[gnu::always_inline]] inline void add(const Brush& brush, Lanes e, Lanes px, Lanes py, Lanes* at, std::size_t plane) {
    const Lanes v = lanes(brush.value) * e;
    at[0] += v;
    if constexpr (Derivatives) {
        const Lanes h = lanes(brush.half) * e;
        const Lanes xx = px * px - lanes(brush.ixx), yy = py * py - lanes(brush.iyy), xy = px * py - lanes(brush.ixy);
        at[plane] += v * px;
        at[2 * plane] += v * py;
        at[3 * plane] += h * xx;
        at[4 * plane] += h * yy;
        at[5 * plane] += h * xy;
        at[6 * plane] += e * (lanes(brush.derivative) + lanes(brush.slopeXx) * xx + lanes(brush.slopeYy) * yy +
                              lanes(brush.slopeXy) * xy);
    }
}

// Lane by lane down the rows: from row to row the exponential follows by two products.
template <bool Derivatives>
[[gnu::always_inline]] inline void drawColumns(const Brush& brush, double cx, double cy, const LaneWindow& w, int l0,
                                               int l1, int y0, int y1, Lanes* images) {
    const std::size_t plane = w.size();
    const Lanes ramp = {0, 1, 2, 3, 4, 5, 6, 7};
    const Lanes ixx = lanes(brush.ixx), iyy = lanes(brush.iyy), ixy = lanes(brush.ixy);
    const Lanes bend = lanes(float(std::exp(-double(brush.iyy))));
    for (int first = y0; first < y1; first += kFreshRows) {
        const int last = std::min(y1, first + kFreshRows);
        const Lanes dy = lanes(float(first - cy));
        for (int l = l0; l < l1; ++l) {
            const Lanes dx = ramp + lanes(float(l * kLanes - cx));
            Lanes px = ixx * dx + ixy * dy, py = ixy * dx + iyy * dy;
            Lanes e = expNegative(lanes(-0.5f) * (dx * px + dy * py));
            Lanes ratio = expNegative(lanes(-0.5f) * iyy - py);
            Lanes* at = images + std::size_t(first - w.y0) * w.lanes + (l - w.lane0);
            for (int y = first; y < last; ++y, at += w.lanes) {
                add<Derivatives>(brush, e, px, py, at, plane);
                e *= ratio;
                ratio *= bend;
                px += ixy;
                py += iyy;
            }
        }
    }
}

// Row by row, within the ellipse: for what is thin or small.
template <bool Derivatives>
[[gnu::always_inline]] inline void drawRows(const Brush& brush, double cx, double cy, const LaneWindow& w, int y0,
                                            int y1, double yy, Lanes* images) {
    const std::size_t plane = w.size();
    const Lanes ramp = {0, 1, 2, 3, 4, 5, 6, 7};
    const Lanes ixx = lanes(brush.ixx), iyy = lanes(brush.iyy), ixy = lanes(brush.ixy);
    for (int y = y0; y < y1; ++y) {
        const double dy = y - cy;
        const double room = (kCut - dy * dy / yy) / brush.ixx;
        if (room <= 0.0) continue;
        const double centre = cx - double(brush.ixy) / brush.ixx * dy, reach = std::sqrt(room);
        const int l0 = std::max(w.lane0, int(std::floor((centre - reach) / kLanes)));
        const int l1 = std::min(w.lane0 + w.lanes, int(std::floor((centre + reach) / kLanes)) + 1);
        const Lanes vdy = lanes(float(dy));
        Lanes* row = images + std::size_t(y - w.y0) * w.lanes;
        for (int l = l0; l < l1; ++l) {
            const Lanes dx = ramp + lanes(float(l * kLanes - cx));
            const Lanes px = ixx * dx + ixy * vdy, py = ixy * dx + iyy * vdy;
            add<Derivatives>(brush, expNegative(lanes(-0.5f) * (dx * px + vdy * py)), px, py, row + (l - w.lane0),
                             plane);
        }
    }
}

struct Sketch { // what is to be drawn
    const Piece* pieces;
    int count;
    const JointSource& source;
    const ShapeMatrix& shape;
    const GaussianPsf& psf;
    const LaneWindow& window;
    bool derivatives;
    Lanes* images;
};

template <bool Derivatives>
[[gnu::always_inline]] inline void drawPieces(const Sketch& sketch) {
    const JointSource& s = sketch.source;
    const LaneWindow& w = sketch.window;
    for (int i = 0; i < sketch.count; ++i) {
        const Piece& p = sketch.pieces[i];
        const double det = p.xx * p.yy - p.xy * p.xy;
        const double norm = 1.0 / (2.0 * std::numbers::pi * std::sqrt(det));
        const double half = 0.5 * norm;
        const double sxx = p.slopeProfile * sketch.shape.xx + p.slopePsf * sketch.psf.shapeXx;
        const double syy = p.slopeProfile * sketch.shape.yy + p.slopePsf * sketch.psf.shapeYy;
        const double sxy = p.slopeProfile * sketch.shape.xy + p.slopePsf * sketch.psf.shapeXy;
        const Brush brush{float(p.yy / det),         float(p.xx / det),          float(-p.xy / det),
                          float(norm * p.amplitude), float(norm * p.derivative), float(half * p.amplitude * p.profile),
                          float(half * sxx),         float(half * syy),          float(2.0 * half * sxy)};
        const double reachX = std::sqrt(kCut * p.xx), reachY = std::sqrt(kCut * p.yy);
        const int y0 = std::max(w.y0, int(std::ceil(s.y - reachY)));
        const int y1 = std::min(w.y0 + w.rows, int(std::floor(s.y + reachY)) + 1);
        const int l0 = std::max(w.lane0, int(std::floor((s.x - reachX) / kLanes)));
        const int l1 = std::min(w.lane0 + w.lanes, int(std::floor((s.x + reachX) / kLanes)) + 1);
        if (y0 >= y1 || l0 >= l1) continue;
        // The least exponent lies in a corner.
        double least = 0.0;
        for (const double dx : {l0 * kLanes - s.x, l1 * kLanes - 1 - s.x}) {
            for (const double dy : {y0 - s.y, y1 - 1 - s.y}) {
                least = std::min(least, -0.5 * (p.yy * dx * dx + p.xx * dy * dy - 2.0 * p.xy * dx * dy) / det);
            }
        }
        if (least > kLeastExponent) {
            drawColumns<Derivatives>(brush, s.x, s.y, w, l0, l1, y0, y1, sketch.images);
        } else {
            drawRows<Derivatives>(brush, s.x, s.y, w, y0, y1, p.yy, sketch.images);
        }
    }
}

// From derivatives by the covariance to derivatives by ln r, e1, e2; the off-diagonal element counts twice.
[[gnu::always_inline]] inline void turnDerivatives(const ShapeMatrix& shape, std::size_t plane, Lanes* d) {
    Lanes m[3][3];
    for (int i = 0; i < 3; ++i) {
        m[i][0] = lanes(float(shape.dxx[i]));
        m[i][1] = lanes(float(shape.dyy[i]));
        m[i][2] = lanes(float(2.0 * shape.dxy[i]));
    }
    for (std::size_t k = 0; k < plane; ++k) {
        const Lanes a = d[k], b = d[k + plane], c = d[k + 2 * plane];
        for (int i = 0; i < 3; ++i)
            d[k + std::size_t(i) * plane] = m[i][0] * a + m[i][1] * b + m[i][2] * c;
    }
}

[[gnu::always_inline]] inline void drawAll(const Sketch& sketch) {
    if (!sketch.derivatives) {
        drawPieces<false>(sketch);
        return;
    }
    drawPieces<true>(sketch);
    const std::size_t plane = sketch.window.size();
    if (!sketch.source.point) turnDerivatives(sketch.shape, plane, sketch.images + 3 * plane);
}

void drawPlain(const Sketch& sketch) {
    drawAll(sketch);
}

#if BLENDSCOPE_WIDE_LANES
// The same sums in the same order in wider registers: the same result.
[[gnu::target("avx2")]] void drawWide(const Sketch& sketch) {
    drawAll(sketch);
}
#endif

} // namespace

void ProfilePicture::draw(const JointSource& source, const GaussianPsf& psf, const LaneWindow& window, bool derivatives,
                          Lanes* images) {
    std::fill(images, images + window.size() * (derivatives ? kImages : 1), lanes(0.0f));
    const ShapeMatrix shape(source.logRadius, source.e1, source.e2);
    Piece pieces[kMostPieces];
    const int count = listPieces(source, psf, shape, derivatives, pieces);
    const Sketch sketch{pieces, count, source, shape, psf, window, derivatives, images};
#if BLENDSCOPE_WIDE_LANES
    if (wideLanes()) {
        drawWide(sketch);
        return;
    }
#endif
    drawPlain(sketch);
}

} // namespace blendscope
