#pragma once

#include "core/Psf.h"

#include <array>
#include <vector>

namespace blendscope {

/// A PSF as a sum of round Gaussians on a fixed grid of widths, so that convolved profiles have closed forms and the
/// PSFs of several bands can be averaged weight by weight.
class PsfMixture {
public:
    static constexpr int kCount = 18;
    static constexpr double kRatio = 1.2; ///< of neighbouring widths

    /// Grid from `leastSigma` (pixel) upwards; all weight on the narrowest: nearly a point.
    explicit PsfMixture(double leastSigma);
    /// Non-negative least squares on the light per annulus of the PSF's image.
    PsfMixture(double leastSigma, const Psf& psf);

    /// Adds `factor` times another one of the same grid.
    void add(const PsfMixture& other, double factor);
    void clear() { m_weight.fill(0.0); }
    void normalise(); ///< weights to sum 1; makes terms()

    struct Term {
        double variance; ///< sigma^2, pixel^2
        double weight;
    };
    /// The Gaussians that carry light, from narrow to wide: at least one, once normalised.
    [[nodiscard]] const std::vector<Term>& terms() const { return m_terms; }

private:
    std::array<double, kCount> m_variance{};
    std::array<double, kCount> m_weight{};
    std::vector<Term> m_terms;
};

} // namespace blendscope
