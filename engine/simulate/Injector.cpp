#include "simulate/Injector.h"

#include "core/CutoutPlane.h"
#include "core/Error.h"
#include "jobs/Progress.h"
#include "jobs/TaskPool.h"
#include "simulate/AddedPlane.h"
#include "simulate/Layout.h"
#include "simulate/Streams.h"
#include "simulate/TruthRenderer.h"
#include "simulate/TruthTable.h"

#include <algorithm>
#include <cmath>
#include <mutex>

namespace blendscope {

namespace {

constexpr int kNoiseSamples = 16; // a side, of the grid on which a scene's noise is looked at

/// Median of the usable variances on a coarse grid of a box; 0 where there is none.
double typicalVariance(const Band& band, const Box& box) {
    if (!band.variance || box.empty()) return 0.0;
    const int step = std::max({1, box.width / kNoiseSamples, box.height / kNoiseSamples});
    const cv::Mat some = band.variance->readSampled(box, step);
    std::vector<float> values;
    for (int y = 0; y < some.rows; ++y) {
        for (int x = 0; x < some.cols; ++x) {
            const float v = some.at<float>(y, x);
            if (v > 0.0f && std::isfinite(v)) values.push_back(v);
        }
    }
    if (values.empty()) return 0.0;
    std::nth_element(values.begin(), values.begin() + static_cast<long>(values.size() / 2), values.end());
    return values[values.size() / 2];
}

} // namespace

struct Injector::OldTruth {
    std::once_flag once;
    std::vector<std::vector<PlanePtr>> isolated;
};

Injector::Injector(ScenePtr scene) : m_scene(std::move(scene)), m_old(std::make_shared<OldTruth>()) {
    if (!m_scene || m_scene->bands.empty()) throw UsageError(QStringLiteral("there is no scene to inject into"));
    if (!(m_scene->pixelScale > 0.0)) {
        throw UsageError(
            QStringLiteral("%1: the pixel scale is unknown, so that sizes in arcsec mean nothing").arg(m_scene->id));
    }
    m_survey.id = m_scene->id;
    m_survey.title = m_scene->id;
    m_survey.pixelScale = m_scene->pixelScale;
    std::vector<PsfModel> psfs;
    std::vector<double> sigma;
    for (const Band& b : m_scene->bands) {
        const auto lacks = [&](const QString& what, const QString& remedy) {
            throw UsageError(QStringLiteral("%1: band %2 has no %3%4").arg(m_scene->id, b.name, what, remedy));
        };
        if (!b.psf.known()) lacks(QStringLiteral("PSF"), QStringLiteral("; --psf gives it one"));
        if (!std::isfinite(b.zeroPoint)) {
            lacks(QStringLiteral("zero point"), QStringLiteral("; --zeropoint gives it one"));
        }
        SurveyBand band;
        band.name = b.name;
        band.exposureSeconds = 1.0;
        band.zeroPoint = b.zeroPoint;
        band.wavelength = b.wavelength > 0.0 ? b.wavelength : filterWavelength(b.name);
        if (!(band.wavelength > 0.0)) {
            lacks(QStringLiteral("known wavelength"), QStringLiteral("; --bands gives it a known name"));
        }
        band.fwhmArcsec = b.psf.fwhmPixels * m_scene->pixelScale;
        m_survey.bands.push_back(band);
        psfs.push_back(PsfModel::image(b.psf));
        const double variance = typicalVariance(b, m_scene->box());
        sigma.push_back(variance > 0.0 ? std::sqrt(variance) : 1e-3);
    }
    m_population = std::make_unique<Population>(m_survey);
    m_renderer =
        std::make_unique<Renderer>(m_scene->pixelScale, std::move(psfs), Population::sersicIndices(), std::move(sigma));
}

const std::vector<std::vector<PlanePtr>>& Injector::oldIsolated(int threads) const {
    std::call_once(m_old->once, [&] {
        const Truth& truth = *m_scene->truth;
        const bool there = truth.objects.empty() || truth.isolated.size() == m_scene->bands.size();
        m_old->isolated = there ? truth.isolated : TruthRenderer(*m_scene).isolated(threads);
    });
    return m_old->isolated;
}

std::vector<double> Injector::sigmaAt(double x, double y) const {
    const Box box = Box{static_cast<int>(x) - 16, static_cast<int>(y) - 16, 33, 33}.intersected(m_scene->box());
    std::vector<double> out;
    for (size_t b = 0; b < m_scene->bands.size(); ++b) {
        const double variance = typicalVariance(m_scene->bands[b], box);
        out.push_back(variance > 0.0 ? std::sqrt(variance) : m_renderer->sigma(b));
    }
    return out;
}

Galaxy Injector::galaxy(const Population::Wish& wished, double x, double y, std::uint64_t seed, int number,
                        std::optional<double> snr) const {
    Population::Wish wish = wished;
    Galaxy g;
    // Sizes change with magnitude: a second and a third look, then the rest is brightness alone.
    for (int round = 0; round < (snr ? 3 : 1); ++round) {
        Random random(seed, static_cast<std::uint64_t>(number), 1, StreamInjection);
        g = m_population->galaxy(random, wish);
        g.x = x;
        g.y = y;
        if (!snr) break;
        const Renderer::Drawing drawing = m_renderer->draw(g);
        std::vector<double> squares;
        for (const cv::Mat& m : drawing.bands) {
            squares.push_back(m.dot(m));
        }
        const double factor = *snr / std::max(detectionSnr(m_survey, squares, sigmaAt(x, y)), 1e-12);
        wish.magnitude -= 2.5 * std::log10(factor);
        if (round == 2) g.brighten(factor);
    }
    return g;
}

Galaxy Injector::star(double magnitude, double x, double y, std::uint64_t seed, int number, double colour) const {
    Random random(seed, static_cast<std::uint64_t>(number), 2, StreamInjection);
    Galaxy g = m_population->star(random, magnitude, colour);
    g.x = x;
    g.y = y;
    return g;
}

std::vector<Galaxy> Injector::objects(const QJsonObject& json, std::uint64_t seed, int index) const {
    const Recipe recipe = Recipe::forScene(json, m_survey, m_scene->size.width, m_scene->size.height);
    return drawObjects(recipe, *m_renderer, seed, index);
}

ScenePtr Injector::inject(const std::vector<Galaxy>& galaxies, std::uint64_t seed, int realization, Progress* progress,
                          int threads) const {
    Progress silent;
    if (!progress) progress = &silent;
    const size_t bands = m_scene->bands.size(), count = galaxies.size();
    const Box whole = m_scene->box();
    progress->begin(QStringLiteral("injecting"), static_cast<long long>(count));

    std::vector<std::vector<AddedPlane::Patch>> light(bands, std::vector<AddedPlane::Patch>(count)), noisy = light,
                                                                                                     variance = light;
    std::vector<std::vector<PlanePtr>> alone(bands, std::vector<PlanePtr>(count));
    std::vector<TruthObject> rows(count);
    const int before = m_scene->truth ? static_cast<int>(m_scene->truth->objects.size()) : 0;
    TaskPool::shared().parallelFor(
        static_cast<int>(count),
        [&](int k) {
            progress->check();
            const auto i = static_cast<size_t>(k);
            const Renderer::Drawing drawing = m_renderer->draw(galaxies[i]);
            const Box in = drawing.box.intersected(whole);
            std::vector<double> squares;
            for (size_t b = 0; b < bands; ++b) {
                squares.push_back(drawing.bands[b].dot(drawing.bands[b]));
                alone[b][i] =
                    std::make_shared<CutoutPlane>(m_scene->size, drawing.bands[b], drawing.box.x0, drawing.box.y0);
                if (in.empty()) continue;
                const cv::Mat pixels = drawing.bands[b](in.shifted(-drawing.box.x0, -drawing.box.y0).rect());
                light[b][i] = {in, pixels};
                const double gain = m_scene->bands[b].gain;
                if (!(gain > 0.0)) {
                    noisy[b][i] = light[b][i];
                    continue;
                }
                Random random(seed, static_cast<std::uint64_t>(k) * 64 + b, static_cast<std::uint64_t>(realization),
                              StreamInjection + 256);
                cv::Mat drawn(pixels.size(), CV_32F), extra(pixels.size(), CV_32F);
                for (int y = 0; y < pixels.rows; ++y) {
                    const float* from = pixels.ptr<float>(y);
                    auto *to = drawn.ptr<float>(y), *more = extra.ptr<float>(y);
                    for (int x = 0; x < pixels.cols; ++x) {
                        const double mean = std::max(0.0, gain * double(from[x]));
                        to[x] = static_cast<float>(static_cast<double>(random.poisson(mean)) / gain);
                        more[x] = static_cast<float>(mean / (gain * gain));
                    }
                }
                noisy[b][i] = {in, drawn};
                if (!m_scene->bands[b].varianceIsSkyOnly) variance[b][i] = {in, extra};
            }
            rows[i] = truthOf(galaxies[i], before + k + 1, m_survey, m_scene->wcs, squares,
                              sigmaAt(galaxies[i].x, galaxies[i].y));
            rows[i].columns[QStringLiteral("injected")] = 1.0;
            progress->advance();
        },
        threads);

    auto out = std::make_shared<Scene>(*m_scene);
    for (size_t b = 0; b < bands; ++b) {
        Band& band = out->bands[b];
        const auto drop = [](std::vector<AddedPlane::Patch>& patches) {
            std::erase_if(patches, [](const AddedPlane::Patch& p) { return p.box.empty(); });
        };
        drop(light[b]);
        drop(noisy[b]);
        drop(variance[b]);
        if (!noisy[b].empty()) band.image = std::make_shared<AddedPlane>(band.image, noisy[b]);
        if (!variance[b].empty() && band.variance) {
            band.variance = std::make_shared<AddedPlane>(band.variance, variance[b]);
        }
        if (count > 0 && !(band.gain > 0.0)) {
            out->assumptions
                << QStringLiteral("%1: the gain is unknown, so injected light has no noise of its own").arg(band.name);
        }
    }

    Truth truth = out->truth.value_or(Truth());
    if (!truth.objects.empty()) truth.isolated = oldIsolated(threads);
    truth.isolated.resize(bands);
    bool complete = true;
    for (size_t b = 0; b < bands; ++b) {
        truth.isolated[b].resize(static_cast<size_t>(before));
        truth.isolated[b].insert(truth.isolated[b].end(), alone[b].begin(), alone[b].end());
        for (const PlanePtr& p : truth.isolated[b]) {
            complete = complete && p;
        }
        if (b < truth.noiseless.size() && truth.noiseless[b]) {
            truth.noiseless[b] = std::make_shared<AddedPlane>(truth.noiseless[b], light[b]);
        }
    }
    if (!complete) truth.isolated.clear();
    truth.objects.insert(truth.objects.end(), rows.begin(), rows.end());
    std::vector<PixelPosition> positions;
    for (const TruthObject& o : truth.objects) {
        positions.push_back({o.x, o.y});
    }
    const std::vector<double> nearest = nearestArcsec(positions, m_scene->pixelScale);
    for (size_t i = 0; i < truth.objects.size(); ++i) {
        truth.objects[i].columns[QStringLiteral("nn_sep")] = nearest[i];
        if (i < static_cast<size_t>(before)) truth.objects[i].columns[QStringLiteral("injected")] = 0.0;
    }
    out->truth = std::move(truth);
    return out;
}

ScenePtr injectObjects(const ScenePtr& scene, const QJsonObject& recipe, std::uint64_t seed, Progress* progress,
                       int threads) {
    const Injector injector(scene);
    return injector.inject(injector.objects(recipe, seed), seed, 0, progress, threads);
}

} // namespace blendscope
