#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>
#include <vector>

namespace blendscope {

/// Eight floats side by side. The compiler maps them to whatever registers the processor has; the order of sums, and so
/// every result, stays the same on all of them.
using Lanes = float __attribute__((vector_size(32)));
using LaneInts = std::int32_t __attribute__((vector_size(32)));
inline constexpr int kLanes = 8;

/// Whether the processor has registers for a whole Lanes. Hot loops are compiled for both kinds.
#if defined(__x86_64__) && defined(__GNUC__)
#define BLENDSCOPE_WIDE_LANES 1
[[nodiscard]] inline bool wideLanes() {
    static const bool wide = __builtin_cpu_supports("avx2") != 0;
    return wide;
}
#else
#define BLENDSCOPE_WIDE_LANES 0
#endif

/// Memory on 32 bytes: without AVX the compiler wants Lanes on 16 only, but loops compiled for AVX read all 32 at once.
template <class T>
struct WideAllocator {
    using value_type = T;
    WideAllocator() = default;
    template <class U>
    WideAllocator(const WideAllocator<U>&) {}
    [[nodiscard]] T* allocate(std::size_t n) {
        return static_cast<T*>(::operator new(n * sizeof(T), std::align_val_t(sizeof(Lanes))));
    }
    void deallocate(T* p, std::size_t) { ::operator delete(p, std::align_val_t(sizeof(Lanes))); }
    template <class U>
    bool operator==(const WideAllocator<U>&) const {
        return true;
    }
};
using LaneVector = std::vector<Lanes, WideAllocator<Lanes>>;

[[nodiscard, gnu::always_inline]] inline Lanes lanes(float v) {
    return Lanes{v, v, v, v, v, v, v, v};
}

/// exp(x) for x <= 80 with a relative error below 3e-6; 0 below about -80.
[[nodiscard, gnu::always_inline]] inline Lanes expNegative(Lanes x) {
    x = x < lanes(-80.0f) ? lanes(-80.0f) : x;
    const Lanes t = x * lanes(1.44269504f);
    const Lanes magic = lanes(12582912.0f); // adding 1.5 * 2^23 rounds to an integer
    const Lanes n = (t + magic) - magic;
    const Lanes f = t - n;
    // 2^f on [-0.5, 0.5], Taylor series of exp(f ln 2) to fifth order
    Lanes p = lanes(1.33335581e-3f);
    p = p * f + lanes(9.61812911e-3f);
    p = p * f + lanes(5.55041087e-2f);
    p = p * f + lanes(2.40226507e-1f);
    p = p * f + lanes(6.93147181e-1f);
    p = p * f + lanes(1.0f);
    const LaneInts bits = (__builtin_convertvector(n, LaneInts) + 127) << 23;
    Lanes scale;
    std::memcpy(&scale, &bits, sizeof scale);
    return p * scale;
}

[[nodiscard, gnu::always_inline]] inline Lanes squareRoot(Lanes v) {
    for (int i = 0; i < kLanes; ++i) {
        v[i] = __builtin_sqrtf(v[i]);
    }
    return v;
}

[[nodiscard, gnu::always_inline]] inline float sum(Lanes v) {
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

} // namespace blendscope
