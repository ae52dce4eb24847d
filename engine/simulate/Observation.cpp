#include "simulate/Observation.h"

#include "core/Random.h"
#include "simulate/Streams.h"

#include <array>
#include <cmath>
#include <numbers>

namespace blendscope {

namespace {

std::vector<QString> bandNames(const Survey& survey) {
    std::vector<QString> out;
    for (const SurveyBand& b : survey.bands) {
        out.push_back(b.name);
    }
    return out;
}

/// Smooth change over the field: size by tilt and bowl, shape by the patterns of coma and astigmatism.
struct Variation {
    std::array<double, 3> size{}, g1{}, g2{};
    double width = 1.0, height = 1.0;

    [[nodiscard]] PsfModel at(double x, double y, const PsfModel& psf) const {
        const double u = std::clamp(2.0 * x / width - 1.0, -1.5, 1.5),
                     v = std::clamp(2.0 * y / height - 1.0, -1.5, 1.5);
        const double bowl = u * u + v * v;
        const double factor = std::exp(size[0] * u + size[1] * v + size[2] * bowl);
        const double a = g1[0] * u + g1[1] * v + g1[2] * (u * u - v * v);
        const double b = g2[0] * u + g2[1] * v + g2[2] * 2.0 * u * v;
        return psf.scaled(factor).sheared(a, b);
    }
};

} // namespace

Observatory::Observatory(const Recipe& recipe)
    : m_recipe(recipe), m_psfs(recipe.psf, bandNames(recipe.survey)),
      m_bank(std::make_shared<SersicBank>(Population::sersicIndices())) {}

Observatory::Night Observatory::observe(std::uint64_t seed, int index) const {
    const Survey& survey = m_recipe.survey;
    Night night;
    std::vector<PsfModel> psfs;
    std::vector<double> sigma;
    Renderer::Optics optics;
    std::vector<Variation> variations;
    // The atmosphere stretches all bands of a scene nearly alike.
    Random common(seed, static_cast<std::uint64_t>(index), 0, StreamVariation);
    const double angle = 2.0 * std::numbers::pi * common.uniform();
    for (size_t b = 0; b < survey.bands.size(); ++b) {
        Random random(seed, static_cast<std::uint64_t>(index), b, StreamSeeing);
        const SurveyBand& band = survey.bands[b];
        const double seeing = m_recipe.seeingFactor * m_recipe.layout.seeingOf(index) * m_recipe.bands[b].seeing *
                              std::exp(m_recipe.seeingScatter * random.normal());
        PsfModel psf =
            m_psfs.make(b, band.fwhmArcsec * seeing / survey.pixelScale, seeing, band.wavelength, survey.pixelScale);
        if (m_recipe.psfEllipticity.second > 0.0) {
            const double e = random.uniform(m_recipe.psfEllipticity.first, m_recipe.psfEllipticity.second);
            const double turned = angle + random.normal(0.0, 0.2);
            psf = psf.sheared(e * std::cos(2.0 * turned), e * std::sin(2.0 * turned));
        }
        psfs.push_back(psf);
        NoiseModel noise;
        noise.skyElectrons = survey.skyElectrons(band);
        noise.readElectrons = band.readNoise;
        noise.gain = survey.gain;
        noise.correlation = m_recipe.noiseCorrelation;
        sigma.push_back(noise.sigma());
        night.noise.push_back(noise);
        cv::Point2d offset = m_recipe.bands[b].offset;
        if (m_recipe.offsetScatter > 0.0) {
            offset.x += random.normal(0.0, m_recipe.offsetScatter);
            offset.y += random.normal(0.0, m_recipe.offsetScatter);
        }
        night.offsets.push_back(offset);
        Variation variation;
        variation.width = m_recipe.width;
        variation.height = m_recipe.height;
        for (size_t i = 0; i < 3; ++i) {
            variation.size[i] = m_recipe.psfSizeVariation * random.normal() * 0.6;
            variation.g1[i] = m_recipe.psfShapeVariation * random.normal() * 0.6;
            variation.g2[i] = m_recipe.psfShapeVariation * random.normal() * 0.6;
        }
        variations.push_back(variation);
    }
    for (const cv::Point2d& o : night.offsets) {
        if (o.x != 0.0 || o.y != 0.0) optics.offsets = night.offsets;
    }
    night.varies = m_recipe.psfSizeVariation > 0.0 || m_recipe.psfShapeVariation > 0.0;
    if (night.varies) {
        optics.vary = [variations](size_t band, double x, double y, const PsfModel& psf) {
            return variations[band].at(x, y, psf);
        };
    }
    night.renderer =
        std::make_unique<const Renderer>(survey.pixelScale, std::move(psfs), m_bank, std::move(sigma), optics);
    return night;
}

Observatory::Exposure Observatory::expose(const Night& night, size_t band, const std::vector<Galaxy>& objects,
                                          const cv::Mat& noiseless, std::uint64_t seed, int index) const {
    const auto key = static_cast<std::uint64_t>(index);
    const auto realization = 256 * static_cast<std::uint64_t>(m_recipe.realization);
    Exposure out;
    out.image = noiseless.clone();
    const Artefacts& artefacts = m_recipe.artefacts;
    ArtefactBand how;
    Random random(seed, key, band, StreamArtefacts + realization);
    if (artefacts.any) {
        const SurveyBand& from = m_recipe.survey.bands[band];
        out.mask = cv::Mat::zeros(out.image.size(), CV_32S);
        const cv::Mat psf = night.renderer->psf(static_cast<int>(band), 15).image;
        how.sigma = night.noise[band].sigma();
        how.sky = night.noise[band].skyElectrons / night.noise[band].gain;
        how.fwhm = measureFwhm(psf);
        cv::minMaxLoc(psf, nullptr, &how.peak);
        how.wavelength = from.wavelength;
        how.saturationFlux = m_recipe.survey.electrons(from, artefacts.saturation) / m_recipe.survey.gain;
        how.number = band;
        addSkyArtefacts(artefacts, how, objects, random, Random(seed, key, 1000, StreamArtefacts), out.image, out.mask);
    }
    if (m_recipe.noise) {
        Random noise(seed, key, band, StreamNoise + realization);
        night.noise[band].apply(out.image, noise);
    }
    if (artefacts.any) addDetectorArtefacts(artefacts, how, random, out.image, out.mask);
    return out;
}

} // namespace blendscope
