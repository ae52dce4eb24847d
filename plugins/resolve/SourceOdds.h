#pragma once

#include <QString>

namespace blendscope {

/// What tells a source of its own from structure of the galaxy on which it lies: a knot, an arm, what dust leaves.
struct SourceTraits {
    double gain = 0.0;     ///< chi-square, a poor model's share taken off
    double rawGain = 0.0;  ///< chi-square as it is
    double contrast = 0.0; ///< its light against that of all others in its own pixels, or theirs if that is less
    double alien = 0.0;    ///< chi-square by which its spectrum differs from any that is nowhere redder than the host's
    double hostRadius = 0.0; ///< half-light radius of the host, FWHM
    double reach = 0.0;      ///< distance from the host's centre in its half-light ellipses
    double separation = 0.0; ///< the same in FWHM
    double bluer = 0.0;      ///< ln of blue over red light, less the host's
    double mirrored = 0.0;   ///< gain of a source more at its place turned by half around the host: arms come in pairs

    /// ln of the odds of a source against structure: a logistic regression, quadratic in these terms, on candidates of
    /// simulated scenes whose truth is known (train/fit_odds.py; README).
    [[nodiscard]] double logOdds() const;
    [[nodiscard]] double probability() const;
    /// For a person, and in brackets all traits by name.
    [[nodiscard]] QString words() const;
};

} // namespace blendscope
