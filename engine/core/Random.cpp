#include "core/Random.h"

#include "core/LogGamma.h"

#include <bit>
#include <initializer_list>

namespace blendscope {

namespace {

std::uint64_t splitMix(std::uint64_t& x) {
    std::uint64_t z = (x += 0x9e3779b97f4a7c15ull);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
    return z ^ (z >> 31);
}

} // namespace

Random::Random(std::uint64_t seed, std::uint64_t key1, std::uint64_t key2, std::uint64_t key3) {
    std::uint64_t x = seed;
    for (const std::uint64_t key : {key1, key2, key3}) {
        std::uint64_t mixed = splitMix(x) ^ key;
        x = splitMix(mixed);
    }
    for (std::uint64_t& s : m_state) {
        s = splitMix(x);
    }
}

Random::result_type Random::operator()() {
    const std::uint64_t result = std::rotl(m_state[0] + m_state[3], 23) + m_state[0];
    const std::uint64_t t = m_state[1] << 17;
    m_state[2] ^= m_state[0];
    m_state[3] ^= m_state[1];
    m_state[1] ^= m_state[2];
    m_state[0] ^= m_state[3];
    m_state[2] ^= t;
    m_state[3] = std::rotl(m_state[3], 45);
    return result;
}

double Random::uniform() {
    return static_cast<double>((*this)() >> 11) * 0x1.0p-53;
}

int Random::integer(int low, int high) {
    const std::uint64_t range = static_cast<std::uint64_t>(static_cast<std::int64_t>(high) - low) + 1;
    const std::uint64_t limit = max() - max() % range;
    std::uint64_t u;
    do {
        u = (*this)();
    } while (u >= limit);
    return static_cast<int>(low + static_cast<std::int64_t>(u % range));
}

double Random::normal() {
    if (m_hasSpare) {
        m_hasSpare = false;
        return m_spare;
    }
    double u, v, s;
    do {
        u = 2.0 * uniform() - 1.0;
        v = 2.0 * uniform() - 1.0;
        s = u * u + v * v;
    } while (s >= 1.0 || s == 0.0);
    const double factor = std::sqrt(-2.0 * std::log(s) / s);
    m_spare = v * factor;
    m_hasSpare = true;
    return u * factor;
}

long long Random::poisson(double mean) {
    if (!(mean > 0.0)) return 0;
    if (mean < 12.0) {
        const double limit = std::exp(-mean);
        long long k = 0;
        for (double p = uniform(); p > limit; p *= uniform()) {
            ++k;
        }
        return k;
    }
    const double b = 0.931 + 2.53 * std::sqrt(mean);
    const double a = -0.059 + 0.02483 * b;
    const double invAlpha = 1.1239 + 1.1328 / (b - 3.4);
    const double vr = 0.9277 - 3.6224 / (b - 2.0);
    const double logMean = std::log(mean);
    for (;;) {
        const double u = uniform() - 0.5;
        const double v = uniform();
        const double us = 0.5 - std::abs(u);
        const double k = std::floor((2.0 * a / us + b) * u + mean + 0.43);
        if (us >= 0.07 && v <= vr) return static_cast<long long>(k);
        if (k < 0.0 || (us < 0.013 && v > us)) continue;
        if (std::log(v) + std::log(invAlpha) - std::log(a / (us * us) + b) <= -mean + k * logMean - logGamma(k + 1.0)) {
            return static_cast<long long>(k);
        }
    }
}

} // namespace blendscope
