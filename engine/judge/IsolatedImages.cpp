#include "judge/IsolatedImages.h"

#include "core/CutoutPlane.h"
#include "core/Error.h"
#include "jobs/Progress.h"
#include "jobs/TaskPool.h"
#include "simulate/TruthRenderer.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <optional>

namespace blendscope {

namespace {

// Light below this share of the sky's noise per pixel is cut off.
constexpr float kFaintest = 1e-3f;
// Bytes of drawn images that are kept; beyond, an object is drawn again whenever it is asked for.
constexpr long long kKeptBytes = 400'000'000;

/// The box of all pixels with |value| > level, in the coordinates of `image`.
Box lightBox(const cv::Mat& image, float level) {
    int x0 = image.cols, x1 = -1, y0 = image.rows, y1 = -1;
    for (int y = 0; y < image.rows; ++y) {
        const auto* v = image.ptr<float>(y);
        int first = -1, last = -1;
        for (int x = 0; x < image.cols; ++x) {
            if (!(std::abs(v[x]) > level)) continue;
            if (first < 0) first = x;
            last = x;
        }
        if (first < 0) continue;
        x0 = std::min(x0, first);
        x1 = std::max(x1, last);
        y0 = std::min(y0, y);
        y1 = y;
    }
    return x1 < 0 ? Box{} : Box{x0, y0, x1 - x0 + 1, y1 - y0 + 1};
}

float typicalNoise(const Band& band) {
    const cv::Size size = band.variance->size();
    const int step = std::max(1, std::max(size.width, size.height) / 64);
    const cv::Mat v = band.variance->readSampled(Box::of(size), step);
    std::vector<float> values;
    for (int y = 0; y < v.rows; ++y) {
        for (int x = 0; x < v.cols; ++x) {
            const float value = v.at<float>(y, x);
            if (value > 0.0f && std::isfinite(value)) values.push_back(value);
        }
    }
    if (values.empty()) return 0.0f;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return std::sqrt(*middle);
}

} // namespace

struct IsolatedImages::State {
    const Scene& scene;
    std::vector<int> bands;
    std::vector<float> level;                 ///< per band of the scene
    std::vector<std::vector<Cutout>> cutouts; ///< [band of the scene][object]
    std::optional<TruthRenderer> renderer;    ///< for what has no image in the file
    std::vector<std::vector<char>> drawn;     ///< [band of the scene][object]: by the renderer
    std::vector<char> kept;                   ///< per object: its drawn images are in `cutouts`

    [[nodiscard]] std::vector<Cutout> draw(size_t object) const;
    [[nodiscard]] Cutout trimmed(const cv::Mat& image, const Box& box, int band) const {
        const Box inside = box.intersected(scene.box());
        if (image.empty() || inside.empty()) return {};
        const cv::Mat part = image(inside.shifted(-box.x0, -box.y0).rect());
        Box light = lightBox(part, level[static_cast<size_t>(band)]);
        if (light.empty()) return {};
        cv::Mat pixels = part(light.rect()).clone();
        cv::patchNaNs(pixels, 0.0);
        return {light.shifted(inside.x0, inside.y0), pixels};
    }
};

std::vector<IsolatedImages::Cutout> IsolatedImages::State::draw(size_t object) const {
    std::vector<Cutout> out(scene.bands.size());
    const TruthObject& truth = scene.truth->objects[object];
    if (!std::isfinite(truth.x) || !std::isfinite(truth.y)) return out;
    const Renderer::Drawing drawing = renderer->draw(truth);
    for (size_t b = 0; b < out.size() && b < drawing.bands.size(); ++b) {
        if (!drawn[b].empty() && drawn[b][object]) out[b] = trimmed(drawing.bands[b], drawing.box, static_cast<int>(b));
    }
    return out;
}

IsolatedImages::IsolatedImages(const Scene& scene, Progress& progress, int threads, QStringList& notes)
    : m_state(std::make_unique<State>(State{scene, {}, {}, {}, {}, {}, {}})) {
    State& s = *m_state;
    const Truth& truth = *scene.truth;
    const size_t objects = truth.objects.size();
    s.cutouts.resize(scene.bands.size());
    s.drawn.resize(scene.bands.size());
    s.kept.assign(objects, 0);
    const auto placed = [&](size_t i) {
        return std::isfinite(truth.objects[i].x) && std::isfinite(truth.objects[i].y);
    };
    const auto given = [&](size_t b, size_t i) {
        return b < truth.isolated.size() && truth.isolated[b].size() == objects && truth.isolated[b][i] &&
               truth.isolated[b][i]->size() == scene.size;
    };
    QString reason;
    const auto renderer = [&] {
        if (s.renderer || !reason.isEmpty()) return;
        try {
            s.renderer.emplace(scene);
        } catch (const UsageError& e) {
            reason = e.message();
        }
    };
    QStringList rendered, partly, without;
    for (size_t b = 0; b < scene.bands.size(); ++b) {
        s.level.push_back(kFaintest * typicalNoise(scene.bands[b]));
        size_t missing = 0;
        std::vector<char> drawn(objects, 0);
        QString problem;
        for (size_t i = 0; i < objects; ++i) {
            if (given(b, i)) continue;
            ++missing;
            if (!placed(i)) continue;
            renderer();
            const TruthObject& object = truth.objects[i];
            if (!s.renderer) {
                problem = reason;
            } else if (!scene.bands[b].psf.known() || b >= object.flux.size() || !std::isfinite(object.flux[b])) {
                problem = QStringLiteral("without PSF and fluxes");
            } else {
                problem = s.renderer->problem(object);
            }
            if (!problem.isEmpty()) break;
            drawn[i] = 1;
        }
        const QString& name = scene.bands[b].name;
        if (!problem.isEmpty()) {
            without << name;
            reason = problem;
            continue;
        }
        s.bands.push_back(static_cast<int>(b));
        s.cutouts[b].resize(objects);
        if (missing == 0) continue;
        s.drawn[b] = std::move(drawn);
        (missing == objects ? rendered : partly) << name;
    }
    if (!rendered.isEmpty()) {
        notes << QStringLiteral("isolated images of %1 were rendered from the truth table through the scene's PSFs")
                     .arg(rendered.size() == static_cast<qsizetype>(scene.bands.size())
                              ? QStringLiteral("the true objects")
                              : QStringLiteral("the true objects in ") + rendered.join(QStringLiteral(", ")));
    }
    if (!partly.isEmpty()) {
        notes << QStringLiteral(
                     "some isolated images in %1 were rendered from the truth table through the scene's PSFs")
                     .arg(partly.join(QStringLiteral(", ")));
    }
    if (!without.isEmpty()) {
        notes << QStringLiteral("the isolated runs leave out %1: there are no isolated images, and they cannot be "
                                "rendered (%2)")
                     .arg(without.join(QStringLiteral(", ")), reason);
    }
    progress.begin(QStringLiteral("isolated images"), static_cast<long long>(objects));
    std::atomic<long long> bytes{0};
    TaskPool::shared().parallelFor(
        static_cast<int>(objects),
        [&](int k) {
            const auto i = static_cast<size_t>(k);
            bool draws = false;
            for (const int b : s.bands) {
                const auto band = static_cast<size_t>(b);
                draws |= !s.drawn[band].empty() && s.drawn[band][i];
                if (!given(band, i)) continue;
                const Plane& plane = *truth.isolated[band][i];
                const auto* small = dynamic_cast<const CutoutPlane*>(&plane);
                const Box box = small ? small->cutoutBox() : scene.box();
                s.cutouts[band][i] = s.trimmed(small ? small->cutout() : plane.read(box), box, b);
            }
            progress.advance();
            if (!draws || bytes > kKeptBytes) return;
            long long own = 0;
            const std::vector<Cutout> cutouts = s.draw(i);
            for (size_t b = 0; b < cutouts.size(); ++b) {
                if (s.drawn[b].empty() || !s.drawn[b][i]) continue;
                own += cutouts[b].box.area() * 4;
                s.cutouts[b][i] = cutouts[b];
            }
            s.kept[i] = 1;
            bytes += own;
        },
        threads);
}

IsolatedImages::~IsolatedImages() = default;

const std::vector<int>& IsolatedImages::bands() const {
    return m_state->bands;
}

IsolatedImages::Cutout IsolatedImages::cutout(size_t object, int band) const {
    const State& s = *m_state;
    const auto b = static_cast<size_t>(band);
    if (object >= s.cutouts[b].size()) return {};
    if (!s.drawn[b].empty() && s.drawn[b][object] && !s.kept[object]) return s.draw(object)[b];
    return s.cutouts[b][object];
}

} // namespace blendscope
