#include "simulate/Population.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace blendscope {

namespace {

constexpr double kReferenceNm = 756.0;
constexpr double kCountSlope = 0.31;

double mix(double young, double passive, double type) {
    return young + (passive - young) * type;
}

double orDrawn(double wished, double drawn) {
    return std::isnan(wished) ? drawn : wished;
}

/// Mean f_nu in a box filter of 18 % width.
double throughFilter(double type, double redshift, double wavelengthNm) {
    constexpr int kPoints = 9;
    double sum = 0.0;
    for (int i = 0; i < kPoints; ++i) {
        const double observed = wavelengthNm * (0.91 + 0.18 * (i + 0.5) / kPoints);
        double flux = Population::restFlux(type, observed / (1.0 + redshift));
        if (observed < 121.6 * (1.0 + redshift)) {
            flux *= std::exp(-0.0036 * std::pow(observed / 121.6, 3.46));
        }
        sum += flux;
    }
    return sum / kPoints;
}

/// AB magnitudes relative to i along the stellar locus: u, g, r, z, y.
struct LocusPoint {
    double colour, u, g, r, z, y;
};
constexpr std::array<LocusPoint, 6> kLocus = {{{0.00, 1.25, 0.36, 0.08, 0.00, 0.02},
                                               {0.25, 1.75, 0.62, 0.17, -0.06, -0.08},
                                               {0.50, 2.90, 1.15, 0.33, -0.16, -0.22},
                                               {0.70, 4.40, 1.95, 0.62, -0.33, -0.48},
                                               {0.85, 5.20, 2.65, 1.22, -0.60, -0.90},
                                               {1.00, 6.00, 3.30, 1.80, -0.95, -1.40}}};
constexpr std::array<double, 6> kLocusNm = {365.0, 480.0, 622.0, 756.0, 870.0, 980.0};

double locusOffset(double colour, double wavelengthNm) {
    size_t i = 0;
    while (i + 2 < kLocus.size() && kLocus[i + 1].colour < colour) {
        ++i;
    }
    const LocusPoint &a = kLocus[i], &b = kLocus[i + 1];
    const double t = std::clamp((colour - a.colour) / (b.colour - a.colour), 0.0, 1.0);
    const std::array<double, 6> offset = {mix(a.u, b.u, t), mix(a.g, b.g, t), mix(a.r, b.r, t), 0.0,
                                          mix(a.z, b.z, t), mix(a.y, b.y, t)};
    const double log = std::log(wavelengthNm);
    size_t j = 0;
    while (j + 2 < kLocusNm.size() && kLocusNm[j + 1] < wavelengthNm) {
        ++j;
    }
    const double l0 = std::log(kLocusNm[j]), l1 = std::log(kLocusNm[j + 1]);
    // Outside the optical the ends go on, at most by an octave's worth.
    const double s = std::clamp((log - l0) / (l1 - l0), -1.0, 3.0);
    return offset[j] + s * (offset[j + 1] - offset[j]);
}

constexpr double kBluestLate = 0.6, kReddestEarly = 0.55;

/// Bright stars of a high-latitude field are mostly F to K dwarfs, faint ones mostly M dwarfs.
double lateShare(double magnitude) {
    return std::clamp(0.25 + 0.12 * (magnitude - 18.0), 0.2, 0.9);
}

double starColour(bool late, double uniform) {
    return late ? kBluestLate + (1.0 - kBluestLate) * uniform : kReddestEarly * uniform;
}

} // namespace

Population::Population(Survey survey) : m_survey(std::move(survey)) {}

double Population::galaxyDensity(double bright, double faint) {
    const auto cumulative = [](double m) { return 46.0 * std::pow(10.0, kCountSlope * (m - 25.0)); };
    return std::max(0.0, cumulative(faint) - cumulative(bright));
}

double Population::drawMagnitude(Random& random, double bright, double faint) {
    const double low = std::pow(10.0, kCountSlope * (bright - faint));
    return faint + std::log10(low + (1.0 - low) * random.uniform()) / kCountSlope;
}

double Population::drawRedshift(Random& random, double magnitude) {
    const double z0 = std::clamp(0.0417 * magnitude - 0.744, 0.03, 0.6);
    const double z = z0 * (random.exponential() + random.exponential() + random.exponential());
    return std::clamp(z, 0.02, 5.0);
}

double Population::restFlux(double type, double restNm) {
    if (restNm < 91.2) return 1e-3; // a leak beyond the Lyman limit keeps magnitudes finite
    const double ultraviolet = mix(0.0, 3.2, type), optical = mix(0.4, 2.6, type), red = mix(0.1, 1.7, type);
    const double step = mix(1.05, 2.2, type);
    if (restNm < 400.0) return std::pow(restNm / 400.0, ultraviolet) / step;
    if (restNm < 650.0) return std::pow(restNm / 400.0, optical);
    const double bend = std::min(restNm, 1600.0);
    return std::pow(650.0 / 400.0, optical) * std::pow(bend / 650.0, red);
}

std::vector<double> Population::relativeFlux(double type, double redshift) const {
    const double reference = std::max(throughFilter(type, redshift, kReferenceNm), 1e-12);
    std::vector<double> out;
    for (const SurveyBand& band : m_survey.bands) {
        out.push_back(throughFilter(type, redshift, band.wavelength) / reference);
    }
    return out;
}

Galaxy Population::galaxy(Random& random, const Wish& wish) const {
    Galaxy g;
    const double m = wish.magnitude;
    // Everything is drawn, wished for or not, so that a wish changes nothing else.
    const double redshift = drawRedshift(random, m);
    const double passiveShare = std::clamp(0.40 - 0.065 * (m - 20.5), 0.06, 0.45);
    const bool passiveDrawn = random.uniform() < passiveShare;
    const double young = std::clamp(random.normal(0.46 - 0.05 * (m - 20.0), 0.16), 0.0, 0.75);
    g.redshift = orDrawn(wish.redshift, redshift);
    const double late = passiveDrawn ? std::clamp(random.normal(0.96, 0.04), 0.85, 1.0) : young;
    const double type = orDrawn(wish.type, wish.irregular && wish.forced ? young : late);
    const bool passive = type > 0.8;

    const double spread = random.normal();
    const double trend = 0.35 * std::pow(10.0, -0.11 * (m - 24.0) + 0.18 * spread) * (passive ? 0.85 : 1.0);
    const double hlr = std::max(orDrawn(wish.hlrArcsec, std::clamp(trend * wish.sizeFactor, 0.06, 6.0)), 1e-3);

    const double u = random.uniform(), v = random.uniform();
    const double bulge = std::clamp(orDrawn(wish.bulge, passive ? 0.55 + 0.45 * u : 0.45 * u * u), 0.0, 1.0);
    // A disk of thickness 0.2 at a random inclination; a spheroid is rounder.
    const double cosine = random.uniform();
    const double round = std::clamp(random.normal(0.75, 0.14), 0.4, 1.0);
    const double diskRatio =
        std::clamp(orDrawn(wish.axisRatio, passive ? round : std::sqrt(0.04 + 0.96 * cosine * cosine)), 0.05, 1.0);
    const double bulgeRatio = passive ? diskRatio : std::sqrt(diskRatio) * 0.5 + 0.5 * round;
    const double angle = orDrawn(wish.angle, 180.0 * random.uniform());
    const double bulgeSize = passive ? 0.9 : 0.28 + 0.3 * v;

    const std::vector<double> disk = relativeFlux(passive ? type - 0.06 : type, g.redshift);
    const std::vector<double> spheroid = relativeFlux(type + 0.75 * (1.0 - type), g.redshift);
    SersicComponent d, b;
    d.n = 1.0;
    b.n = 4.0;
    d.angle = b.angle = angle;
    d.aArcsec = hlr / std::sqrt(diskRatio);
    d.bArcsec = hlr * std::sqrt(diskRatio);
    b.aArcsec = bulgeSize * hlr / std::sqrt(bulgeRatio);
    b.bArcsec = bulgeSize * hlr * std::sqrt(bulgeRatio);
    for (size_t i = 0; i < m_survey.bands.size(); ++i) {
        const double one = m_survey.electrons(m_survey.bands[i], m) / m_survey.gain;
        d.flux.push_back(one * (1.0 - bulge) * disk[i]);
        b.flux.push_back(one * bulge * spheroid[i]);
    }
    if (bulge < 1.0 && wish.irregular && !passive) {
        makeIrregular(g, random, *wish.irregular, d, type, 1.0 - bulge, m);
    }
    if (bulge < 1.0 && g.maps.empty()) g.components.push_back(d);
    if (bulge > 0.0) g.components.push_back(b);
    for (size_t i = 0; i < m_survey.bands.size(); ++i) {
        const double relative = g.totalFlux(i) / (m_survey.electrons(m_survey.bands[i], m) / m_survey.gain);
        g.magnitude.push_back(relative > 0.0 ? m - 2.5 * std::log10(relative) : std::nan(""));
    }
    return g;
}

void Population::makeIrregular(Galaxy& galaxy, Random& random, const Morphology::Wish& wish,
                               const SersicComponent& disk, double type, double share, double magnitude) const {
    const double axisRatio = disk.bArcsec / disk.aArcsec;
    const Morphology morphology = Morphology::draw(random, wish, axisRatio);
    // Finer than the pixels, and fine enough for the arms of a small galaxy.
    const double pitch = std::min(0.4 * m_survey.pixelScale, disk.aArcsec / 12.0);
    MorphologyMaps maps = drawMorphology(morphology, random, disk, pitch);
    const std::vector<double> young = relativeFlux(0.0, galaxy.redshift);
    const std::vector<double> old = relativeFlux(std::min(0.85, type + 0.3), galaxy.redshift);
    const double reference = MorphologyMaps::blueness(kReferenceNm);
    const double passed = reference * maps.passedBlue + (1.0 - reference) * maps.passedRed;
    galaxy.mapDisk = disk;
    galaxy.mapDisk.flux.clear();
    for (size_t i = 0; i < m_survey.bands.size(); ++i) {
        const SurveyBand& band = m_survey.bands[i];
        const double one = share * m_survey.electrons(band, magnitude) / m_survey.gain;
        const double blue = MorphologyMaps::blueness(band.wavelength);
        const double dimmed = one * (1.0 - morphology.youngShare) * old[i] / std::max(passed, 1e-6);
        maps.young.flux.push_back(one * morphology.youngShare * young[i]);
        maps.oldBlue.flux.push_back(dimmed * blue * maps.passedBlue);
        maps.oldRed.flux.push_back(dimmed * (1.0 - blue) * maps.passedRed);
        galaxy.mapDisk.flux.push_back(maps.young.flux.back() + maps.oldBlue.flux.back() + maps.oldRed.flux.back());
    }
    galaxy.morphology = morphology.name(axisRatio);
    galaxy.hlrArcsec = maps.hlrArcsec;
    galaxy.maps = {std::move(maps.young), std::move(maps.oldBlue), std::move(maps.oldRed)};
}

Galaxy Population::star(Random& random, double magnitude, double colour) const {
    Galaxy g;
    g.star = true;
    const bool late = random.uniform() < lateShare(magnitude);
    const double c = std::clamp(orDrawn(colour, starColour(late, random.uniform())), 0.0, 1.0);
    for (const SurveyBand& band : m_survey.bands) {
        const double mag = magnitude + locusOffset(c, band.wavelength);
        g.magnitude.push_back(mag);
        g.pointFlux.push_back(m_survey.electrons(band, mag) / m_survey.gain);
    }
    return g;
}

double Population::meanStarColour(double magnitude, double wavelengthNm) {
    constexpr int kPoints = 16;
    const double late = lateShare(magnitude);
    double sum = 0.0;
    for (int i = 0; i < kPoints; ++i) {
        const double u = (i + 0.5) / kPoints;
        sum += late * locusOffset(starColour(true, u), wavelengthNm) +
               (1.0 - late) * locusOffset(starColour(false, u), wavelengthNm);
    }
    return sum / kPoints;
}

} // namespace blendscope
