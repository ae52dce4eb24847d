#pragma once

#include <vector>

namespace blendscope {

/// b of a Sersic profile I(r) ~ exp(-b (r / r_e)^(1/n)): half of the light lies within r_e. Solved to 1e-10 from the
/// incomplete gamma function. 0.3 <= n <= 10.
[[nodiscard]] double sersicB(double n);

/// Surface brightness of a round Sersic profile of unit flux and r_e = 1 at radius r (area in r_e^2).
[[nodiscard]] double sersicValue(double n, double r);

/// Fourier (Hankel) transform of a round Sersic profile of unit flux and r_e = 1, tabulated in ln k and interpolated by
/// cubics to 1e-6 of the flux or better; k in radian per r_e. Exact for n = 0.5 and n = 1. For other n the integral
/// over J0 is taken along the real axis for small k, and for large k (n > 1) along the imaginary axis, where J0 turns
/// into K0 and nothing oscillates any more.
class SersicTransform {
public:
    /// Throws UsageError for n outside 0.5..8.
    explicit SersicTransform(double n);
    [[nodiscard]] double n() const { return m_n; }
    [[nodiscard]] double operator()(double k) const;

private:
    double m_n;
    std::vector<double> m_table; ///< at k = exp(kLogFirst + i kLogStep)
};

/// Fourier transform of a Moffat profile (1 + (r / alpha)^2)^-beta of unit flux, without the pixel: closed form with
/// the Bessel function K of order beta - 1, tabulated; k in radian per unit of fwhm.
class MoffatTransform {
public:
    /// Throws UsageError for fwhm <= 0 or beta <= 1.
    MoffatTransform(double fwhm, double beta);
    [[nodiscard]] double operator()(double k) const;
    /// Where the transform falls below 1e-7 for good.
    [[nodiscard]] double cutoff() const { return m_cutoff; }
    [[nodiscard]] double fwhm() const { return m_fwhm; }
    [[nodiscard]] double beta() const { return m_beta; }
    /// Surface brightness at radius r, unit flux.
    [[nodiscard]] double value(double r) const;
    /// Share of the flux beyond radius r.
    [[nodiscard]] double fluxBeyond(double r) const;

private:
    double m_fwhm, m_beta, m_alpha, m_cutoff = 0.0, m_step = 0.0;
    std::vector<double> m_table; ///< at k = i m_step
};

} // namespace blendscope
