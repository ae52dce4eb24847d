#include "deblend/LaneProducts.h"

#include <algorithm>

namespace blendscope::lane_products {

namespace {

constexpr int kMost = 7;
constexpr int kRowsAtOnce = 16; // are summed in single precision

template <int N>
[[gnu::always_inline]] inline void rowOfProducts(const LaneView& w, const Lanes* a, const LaneView& b,
                                                 std::size_t strideA, int rows, int count, float* out) {
    double total[N] = {};
    for (int first = 0; first < rows; first += kRowsAtOnce) {
        const int last = std::min(rows, first + kRowsAtOnce);
        Lanes s[N];
        for (int j = 0; j < N; ++j)
            s[j] = lanes(0.0f);
        for (int y = first; y < last; ++y) {
            const Lanes *pw = w.at + std::size_t(y) * w.stride, *pa = a + std::size_t(y) * strideA;
            const Lanes* pb = b.at + std::size_t(y) * b.stride;
            for (int l = 0; l < count; ++l) {
                const Lanes wa = pw[l] * pa[l];
                for (int j = 0; j < N; ++j)
                    s[j] += wa * pb[l + std::size_t(j) * b.plane];
            }
        }
        for (int j = 0; j < N; ++j)
            total[j] += sum(s[j]);
    }
    for (int j = 0; j < N; ++j)
        out[j] = float(total[j]);
}

[[gnu::always_inline]] inline void allBody(const LaneView& w, const LaneView& a, int m, const LaneView& b, int n,
                                           int rows, int count, float* out) {
    for (int i = 0; i < m; ++i) {
        const Lanes* ai = a.at + std::size_t(i) * a.plane;
        if (n == kMost) {
            rowOfProducts<kMost>(w, ai, b, a.stride, rows, count, out + i * n);
            continue;
        }
        for (int j = 0; j < n; ++j) {
            const LaneView bj{b.at + std::size_t(j) * b.plane, b.stride, 0};
            rowOfProducts<1>(w, ai, bj, a.stride, rows, count, out + i * n + j);
        }
    }
}

[[gnu::always_inline]] inline void residualBody(const LaneView& w, const LaneView& r, const LaneView& a, int m,
                                                int rows, int count, double* out) {
    for (int i = 0; i < m; ++i) {
        double total = 0.0;
        for (int y = 0; y < rows; ++y) {
            const Lanes *pw = w.at + std::size_t(y) * w.stride, *pr = r.at + std::size_t(y) * r.stride;
            const Lanes* pa = a.at + std::size_t(i) * a.plane + std::size_t(y) * a.stride;
            Lanes s = lanes(0.0f);
            for (int l = 0; l < count; ++l)
                s += pw[l] * pr[l] * pa[l];
            total += sum(s);
        }
        out[i] = total;
    }
}

[[gnu::always_inline]] inline void subtractBody(Lanes* r, std::size_t stride, const LaneView& t, float f, int rows,
                                                int count) {
    for (int y = 0; y < rows; ++y) {
        Lanes* pr = r + std::size_t(y) * stride;
        const Lanes* pt = t.at + std::size_t(y) * t.stride;
        for (int l = 0; l < count; ++l)
            pr[l] -= lanes(f) * pt[l];
    }
}

[[gnu::always_inline]] inline double squaresBody(const LaneView& w, const LaneView& r, int rows, int count) {
    double total = 0.0;
    for (int y = 0; y < rows; ++y) {
        const Lanes *pw = w.at + std::size_t(y) * w.stride, *pr = r.at + std::size_t(y) * r.stride;
        Lanes s = lanes(0.0f);
        for (int l = 0; l < count; ++l)
            s += pw[l] * pr[l] * pr[l];
        total += sum(s);
    }
    return total;
}

#if BLENDSCOPE_WIDE_LANES
[[gnu::target("avx2")]] void allWide(const LaneView& w, const LaneView& a, int m, const LaneView& b, int n, int rows,
                                     int count, float* out) {
    allBody(w, a, m, b, n, rows, count, out);
}
[[gnu::target("avx2")]] void residualWide(const LaneView& w, const LaneView& r, const LaneView& a, int m, int rows,
                                          int count, double* out) {
    residualBody(w, r, a, m, rows, count, out);
}
[[gnu::target("avx2")]] void subtractWide(Lanes* r, std::size_t stride, const LaneView& t, float f, int rows,
                                          int count) {
    subtractBody(r, stride, t, f, rows, count);
}
[[gnu::target("avx2")]] double squaresWide(const LaneView& w, const LaneView& r, int rows, int count) {
    return squaresBody(w, r, rows, count);
}
#endif

} // namespace

void all(const LaneView& w, const LaneView& a, int m, const LaneView& b, int n, int rows, int count, float* out) {
#if BLENDSCOPE_WIDE_LANES
    if (wideLanes()) return allWide(w, a, m, b, n, rows, count, out);
#endif
    allBody(w, a, m, b, n, rows, count, out);
}

void withResidual(const LaneView& w, const LaneView& r, const LaneView& a, int m, int rows, int count, double* out) {
#if BLENDSCOPE_WIDE_LANES
    if (wideLanes()) return residualWide(w, r, a, m, rows, count, out);
#endif
    residualBody(w, r, a, m, rows, count, out);
}

void subtract(Lanes* r, std::size_t stride, const LaneView& t, float f, int rows, int count) {
#if BLENDSCOPE_WIDE_LANES
    if (wideLanes()) return subtractWide(r, stride, t, f, rows, count);
#endif
    subtractBody(r, stride, t, f, rows, count);
}

double squares(const LaneView& w, const LaneView& r, int rows, int count) {
#if BLENDSCOPE_WIDE_LANES
    if (wideLanes()) return squaresWide(w, r, rows, count);
#endif
    return squaresBody(w, r, rows, count);
}

} // namespace blendscope::lane_products
