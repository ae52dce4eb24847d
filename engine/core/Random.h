#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <numbers>

namespace blendscope {

/// Counter-based random stream: the same (seed, keys) gives the same numbers on any machine and thread. One stream per
/// (scene, band, kind of noise), so that noise fields are independent. SplitMix64 (Steele et al. 2014) seeds
/// xoshiro256++ (Blackman & Vigna 2019). Usable as a UniformRandomBitGenerator, but prefer the members: the
/// standard library's distributions differ between implementations.
class Random {
public:
    using result_type = std::uint64_t;

    explicit Random(std::uint64_t seed, std::uint64_t key1 = 0, std::uint64_t key2 = 0, std::uint64_t key3 = 0);

    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return std::numeric_limits<result_type>::max(); }
    result_type operator()();

    double uniform(); ///< 0 <= u < 1, 53 bits
    double uniform(double low, double high) { return low + (high - low) * uniform(); }
    int integer(int low, int high); ///< low <= n <= high, unbiased
    double normal();                ///< mean 0, variance 1 (polar method)
    double normal(double mean, double sigma) { return mean + sigma * normal(); }
    double exponential() { return -std::log1p(-uniform()); }
    /// Poisson: inversion below 12, otherwise the transformed rejection of Hormann 1993 (PTRS).
    long long poisson(double mean);

private:
    std::uint64_t m_state[4];
    double m_spare = 0.0;
    bool m_hasSpare = false;
};

} // namespace blendscope
