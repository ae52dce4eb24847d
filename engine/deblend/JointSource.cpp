#include "deblend/JointSource.h"

#include "deblend/GaussianMixture.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {
constexpr double kGaussianVariance = 0.7213475; // of a Gaussian of unit half-light radius
}

int listProfileTerms(const JointSource& s, bool derivatives, ProfileTerm* terms) {
    if (s.point) {
        terms[0] = {1.0, 0.0, 0.0};
        return 1;
    }
    int n = 0;
    if (s.bulge < 0.0) {
        for (const GaussianTerm& t : exponentialGaussians()) {
            terms[n++] = {(1.0 + s.bulge) * t.amplitude, t.amplitude, t.variance};
        }
        terms[n++] = {-s.bulge, -1.0, kGaussianVariance};
        return n;
    }
    const bool bulge = s.bulge > 1e-4 || (derivatives && s.fitBulge);
    for (const GaussianTerm& t : exponentialGaussians()) {
        terms[n++] = {(1.0 - s.bulge) * t.amplitude, -t.amplitude, t.variance};
    }
    if (bulge) {
        for (const GaussianTerm& t : deVaucouleursGaussians()) {
            terms[n++] = {s.bulge * t.amplitude, t.amplitude, t.variance};
        }
    }
    return n;
}

double halfLightRadius(const std::vector<JointSource>& parts) {
    double total = 0.0, widest = 0.0;
    std::vector<double> weights;
    for (const JointSource& s : parts) {
        double flux = 0.0;
        for (const double f : s.flux)
            flux += f;
        weights.push_back(flux);
        total += flux;
        if (!s.point) widest = std::max(widest, std::exp(s.logRadius));
    }
    if (!(total > 0.0) || !(widest > 0.0)) return 0.0;
    double low = 0.0, high = 5.0 * widest;
    for (int i = 0; i < 40; ++i) {
        const double r = 0.5 * (low + high);
        double inside = 0.0;
        for (std::size_t p = 0; p < parts.size(); ++p) {
            if (parts[p].point) {
                inside += weights[p];
                continue;
            }
            ProfileTerm terms[16];
            const int n = listProfileTerms(parts[p], false, terms);
            const double u = r / std::exp(parts[p].logRadius);
            for (int k = 0; k < n; ++k) {
                inside += weights[p] * terms[k].amplitude * (1.0 - std::exp(-0.5 * u * u / terms[k].variance));
            }
        }
        (inside < 0.5 * total ? low : high) = r;
    }
    return 0.5 * (low + high);
}

} // namespace blendscope
