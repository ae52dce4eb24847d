#include "judge/IsolatedImages.h"

#include "core/Error.h"
#include "jobs/Progress.h"
#include "jobs/TaskPool.h"
#include "simulate/CutoutPlane.h"
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
    std::optional<TruthRenderer> renderer;    ///< for bands without images in the file
    std::vector<char> drawn;                  ///< per band of the scene: by the renderer
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
        if (drawn[b]) out[b] = trimmed(drawing.bands[b], drawing.box, static_cast<int>(b));
    }
    return out;
}

IsolatedImages::IsolatedImages(const Scene& scene, Progress& progress, int threads, QStringList& notes)
    : m_state(std::make_unique<State>(State{scene, {}, {}, {}, {}, {}, {}})) {
    State& s = *m_state;
    const Truth& truth = *scene.truth;
    const size_t objects = truth.objects.size();
    s.cutouts.resize(scene.bands.size());
    QStringList missing;
    for (size_t b = 0; b < scene.bands.size(); ++b) {
        s.level.push_back(kFaintest * typicalNoise(scene.bands[b]));
        const bool given = b < truth.isolated.size() && truth.isolated[b].size() == objects &&
                           std::all_of(truth.isolated[b].begin(), truth.isolated[b].end(),
                                       [&](const PlanePtr& p) { return p && p->size() == scene.size; });
        if (given) {
            s.bands.push_back(static_cast<int>(b));
        } else {
            missing << scene.bands[b].name;
        }
    }
    const long long steps = static_cast<long long>(objects) * static_cast<long long>(s.bands.size());
    progress.begin(QStringLiteral("reading isolated images"), steps);
    for (const int b : s.bands) {
        const std::vector<PlanePtr>& planes = truth.isolated[static_cast<size_t>(b)];
        std::vector<Cutout>& cutouts = s.cutouts[static_cast<size_t>(b)];
        cutouts.resize(objects);
        TaskPool::shared().parallelFor(
            static_cast<int>(objects),
            [&](int i) {
                const Plane& plane = *planes[static_cast<size_t>(i)];
                const auto* small = dynamic_cast<const CutoutPlane*>(&plane);
                const Box box = small ? small->cutoutBox() : scene.box();
                cutouts[static_cast<size_t>(i)] = s.trimmed(small ? small->cutout() : plane.read(box), box, b);
                progress.advance();
            },
            threads);
    }
    if (missing.isEmpty()) return;

    const QString missingBands = missing.join(QStringLiteral(", "));
    QString reason;
    s.drawn.assign(scene.bands.size(), 0);
    s.kept.assign(objects, 0);
    try {
        s.renderer.emplace(scene);
        for (const TruthObject& object : truth.objects) {
            if (!std::isfinite(object.x) || !std::isfinite(object.y)) continue;
            reason = s.renderer->problem(object);
            if (!reason.isEmpty()) break;
        }
    } catch (const UsageError& e) {
        reason = e.message();
    }
    QStringList rendered, without;
    for (size_t b = 0; b < scene.bands.size(); ++b) {
        if (std::find(s.bands.begin(), s.bands.end(), static_cast<int>(b)) != s.bands.end()) continue;
        const bool fluxes = std::all_of(truth.objects.begin(), truth.objects.end(), [&](const TruthObject& object) {
            return b < object.flux.size() && std::isfinite(object.flux[b]);
        });
        const bool can = reason.isEmpty() && scene.bands[b].psf.known() && fluxes;
        s.drawn[b] = can;
        (can ? rendered : without) << scene.bands[b].name;
        if (can) {
            s.bands.push_back(static_cast<int>(b));
            s.cutouts[b].resize(objects);
        }
    }
    std::sort(s.bands.begin(), s.bands.end());
    if (!rendered.isEmpty()) {
        notes << QStringLiteral("isolated images of %1 were rendered from the truth table through the scene's PSFs")
                     .arg(rendered.size() == static_cast<qsizetype>(scene.bands.size())
                              ? QStringLiteral("the true objects")
                              : QStringLiteral("the true objects in ") + rendered.join(QStringLiteral(", ")));
    }
    if (!without.isEmpty()) {
        notes << QStringLiteral("the isolated runs leave out %1: there are no isolated images, and they cannot be "
                                "rendered%2")
                     .arg(without.join(QStringLiteral(", ")), reason.isEmpty()
                                                                  ? QStringLiteral(" without PSF and fluxes")
                                                                  : QStringLiteral(" (%1)").arg(reason));
    }
    if (rendered.isEmpty()) return;
    progress.begin(QStringLiteral("rendering isolated images"), static_cast<long long>(objects));
    std::atomic<long long> bytes{0};
    TaskPool::shared().parallelFor(
        static_cast<int>(objects),
        [&](int i) {
            progress.advance();
            if (bytes > kKeptBytes) return;
            const auto object = static_cast<size_t>(i);
            long long own = 0;
            const std::vector<Cutout> cutouts = s.draw(object);
            for (size_t b = 0; b < cutouts.size(); ++b) {
                if (!s.drawn[b]) continue;
                own += cutouts[b].box.area() * 4;
                s.cutouts[b][object] = cutouts[b];
            }
            s.kept[object] = 1;
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
    if (b < s.drawn.size() && s.drawn[b] && !s.kept[object]) return s.draw(object)[b];
    return s.cutouts[b][object];
}

} // namespace blendscope
