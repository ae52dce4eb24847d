#include "judge/IsolatedRuns.h"

#include "jobs/Progress.h"
#include "jobs/TaskPool.h"

#include <QJsonArray>
#include <algorithm>
#include <cmath>
#include <mutex>
#include <numbers>
#include <numeric>

namespace blendscope {

namespace {

constexpr int kCell = 8;                ///< pixels of the coarse map in which places are taken
constexpr float kCoreLight = 0.02f;     ///< S/N per pixel at the border of an object's own place
constexpr float kFootprintLight = 0.4f; ///< about the edge of its footprint
constexpr double kBrightSnr = 40.0;     ///< brighter objects may clean away fainter ones farther off
constexpr float kOwnLight = 0.1f;       ///< of an object's brightest pixel: a detection on such light is its own
constexpr long long kParallelPixels = 4'000'000; ///< larger scenes run one after the other, each in parallel

/// Weight of each band in the sum of light: the typical spectrum of the true objects over the noise.
std::vector<double> bandWeights(const Scene& scene, const std::vector<int>& bands) {
    std::vector<double> weights;
    for (const int b : bands) {
        double sum = 0.0;
        for (const TruthObject& t : scene.truth->objects) {
            double norm = 0.0;
            for (const int other : bands) {
                const auto k = static_cast<size_t>(other);
                if (k < t.flux.size() && std::isfinite(t.flux[k])) norm += t.flux[k] * t.flux[k];
            }
            const auto k = static_cast<size_t>(b);
            const double flux = k < t.flux.size() ? t.flux[k] : 0.0;
            if (norm > 0.0 && flux > 0.0) sum += flux / std::sqrt(norm);
        }
        weights.push_back(sum);
    }
    if (std::all_of(weights.begin(), weights.end(), [](double w) { return w <= 0.0; })) {
        std::fill(weights.begin(), weights.end(), 1.0);
    }
    return weights;
}

struct Place {
    Box core, zone; ///< own light; what the light of others must keep clear of
};

Box coarse(const Box& box, cv::Size cells) {
    const Box all = Box::of(cells);
    const int x0 = std::clamp(box.x0 / kCell - (box.x0 < 0), 0, cells.width),
              y0 = std::clamp(box.y0 / kCell - (box.y0 < 0), 0, cells.height);
    const int x1 = (std::max(0, box.x1()) + kCell - 1) / kCell, y1 = (std::max(0, box.y1()) + kCell - 1) / kCell;
    return Box{x0, y0, x1 - x0, y1 - y0}.intersected(all);
}

bool taken(const cv::Mat& map, const Box& box) {
    return !box.empty() && cv::countNonZero(map(box.rect())) > 0;
}

} // namespace

IsolatedRuns::IsolatedRuns(const Scene& scene, const IsolatedImages& images, const std::vector<char>& usable,
                           double fwhmPixels, bool each, Progress& progress, int threads)
    : m_scene(scene), m_images(images), m_threads(threads) {
    measure(progress);
    colour(usable, fwhmPixels, each);
}

void IsolatedRuns::measure(Progress& progress) {
    const std::vector<int>& bands = m_images.bands();
    const std::vector<double> weights = bandWeights(m_scene, bands);
    m_lights.resize(m_scene.truth->objects.size());
    progress.begin(QStringLiteral("measuring the light of true objects"), static_cast<long long>(m_lights.size()));
    TaskPool::shared().parallelFor(
        static_cast<int>(m_lights.size()),
        [&](int i) {
            progress.advance();
            std::vector<IsolatedImages::Cutout> cutouts;
            Box box;
            for (const int b : bands) {
                cutouts.push_back(m_images.cutout(static_cast<size_t>(i), b));
                box = box.united(cutouts.back().box);
            }
            if (box.empty()) return;
            ObjectLight& out = m_lights[static_cast<size_t>(i)];
            cv::Mat sum = cv::Mat::zeros(box.size(), CV_32F), noise = cv::Mat::zeros(box.size(), CV_32F);
            double snr2 = 0.0;
            for (size_t k = 0; k < bands.size(); ++k) {
                const Band& band = m_scene.bands[static_cast<size_t>(bands[k])];
                const cv::Mat variance = band.variance->read(box);
                const cv::Mat mask = band.mask ? band.mask->read(box) : cv::Mat();
                const int bits = band.unusableBits();
                const auto& [inner, light] = cutouts[k];
                const auto w = static_cast<float>(weights[k]);
                for (int y = 0; y < box.height; ++y) {
                    const auto* v = variance.ptr<float>(y);
                    const int* m = mask.empty() ? nullptr : mask.ptr<int>(y);
                    auto* s = sum.ptr<float>(y);
                    auto* n = noise.ptr<float>(y);
                    const bool row = y + box.y0 >= inner.y0 && y + box.y0 < inner.y1();
                    const float* l = row ? light.ptr<float>(y + box.y0 - inner.y0) : nullptr;
                    for (int x = 0; x < box.width; ++x) {
                        if (!(v[x] > 0.0f) || !std::isfinite(v[x]) || (m && (m[x] & bits))) continue;
                        n[x] += w * w / v[x];
                        const int lx = x + box.x0 - inner.x0;
                        if (!l || lx < 0 || lx >= inner.width) continue;
                        s[x] += w * l[lx] / v[x];
                        snr2 += double(l[lx]) * double(l[lx]) / double(v[x]);
                    }
                }
            }
            int x0 = box.width, x1 = -1, y0 = box.height, y1 = -1;
            for (int y = 0; y < box.height; ++y) {
                auto* s = sum.ptr<float>(y);
                const auto* n = noise.ptr<float>(y);
                for (int x = 0; x < box.width; ++x) {
                    s[x] = n[x] > 0.0f ? s[x] / std::sqrt(n[x]) : 0.0f;
                    if (s[x] < kCoreLight) continue;
                    x0 = std::min(x0, x);
                    x1 = std::max(x1, x);
                    y0 = std::min(y0, y);
                    y1 = y;
                }
            }
            out.snr = std::sqrt(snr2);
            if (x1 < 0) return;
            const Box bright{x0, y0, x1 - x0 + 1, y1 - y0 + 1};
            out.box = bright.shifted(box.x0, box.y0);
            out.light = sum(bright.rect()).clone();
        },
        m_threads);
}

void IsolatedRuns::colour(const std::vector<char>& usable, double fwhmPixels, bool each) {
    const size_t count = m_lights.size();
    std::vector<Place> places(count);
    std::vector<size_t> order;
    const int margin = static_cast<int>(std::ceil(2.5 * std::max(1.0, fwhmPixels)));
    for (size_t i = 0; i < count; ++i) {
        if (!usable[i]) continue;
        const TruthObject& t = m_scene.truth->objects[i];
        Place& p = places[i];
        const int cx = static_cast<int>(std::lround(t.x)), cy = static_cast<int>(std::lround(t.y));
        p.core = m_lights[i].box.united({cx, cy, 1, 1});
        p.zone = p.core.grown(margin);
        if (m_lights[i].snr > kBrightSnr) {
            const double area = cv::countNonZero(m_lights[i].light > kFootprintLight);
            const int reach = static_cast<int>(4.2 * std::sqrt(area / std::numbers::pi)) + 12;
            p.zone = p.zone.united(Box{cx, cy, 1, 1}.grown(reach));
        }
        order.push_back(i);
    }
    if (each) {
        for (const size_t i : order) {
            m_groups.push_back({i});
        }
        return;
    }
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return places[a].zone.area() > places[b].zone.area(); });
    const cv::Size cells((m_scene.size.width + kCell - 1) / kCell, (m_scene.size.height + kCell - 1) / kCell);
    struct Map {
        cv::Mat core, zone;
    };
    std::vector<Map> maps;
    for (const size_t i : order) {
        const Box core = coarse(places[i].core, cells), zone = coarse(places[i].zone, cells);
        size_t g = 0;
        while (g < maps.size() && (taken(maps[g].core, zone) || taken(maps[g].zone, core))) {
            ++g;
        }
        if (g == maps.size()) {
            maps.push_back({cv::Mat::zeros(cells, CV_8U), cv::Mat::zeros(cells, CV_8U)});
            m_groups.emplace_back();
        }
        if (!core.empty()) maps[g].core(core.rect()).setTo(1);
        if (!zone.empty()) maps[g].zone(zone.rect()).setTo(1);
        m_groups[g].push_back(i);
    }
}

Scene IsolatedRuns::withImages(const std::vector<cv::Mat>& images) const {
    Scene scene;
    scene.id = m_scene.id;
    scene.size = m_scene.size;
    scene.wcs = m_scene.wcs;
    scene.pixelScale = m_scene.pixelScale;
    scene.footprintMask = m_scene.footprintMask;
    const std::vector<int>& bands = m_images.bands();
    for (size_t k = 0; k < bands.size(); ++k) {
        Band band = m_scene.bands[static_cast<size_t>(bands[k])];
        band.image = std::make_shared<MemoryPlane>(images[k]);
        band.skySubtracted = true;
        scene.bands.push_back(std::move(band));
    }
    return scene;
}

cv::Mat IsolatedRuns::lightOf(const std::vector<cv::Mat>& images) const {
    const std::vector<int>& bands = m_images.bands();
    const std::vector<double> weights = bandWeights(m_scene, bands);
    cv::Mat sum = cv::Mat::zeros(m_scene.size, CV_32F), noise = cv::Mat::zeros(m_scene.size, CV_32F);
    for (size_t k = 0; k < bands.size(); ++k) {
        const cv::Mat variance = m_scene.bands[static_cast<size_t>(bands[k])].variance->read(m_scene.box());
        const auto w = static_cast<float>(weights[k]);
        for (int y = 0; y < sum.rows; ++y) {
            const auto* v = variance.ptr<float>(y);
            const auto* d = images[k].ptr<float>(y);
            for (int x = 0; x < sum.cols; ++x) {
                if (!(v[x] > 0.0f) || !std::isfinite(v[x]) || !std::isfinite(d[x])) continue;
                sum.at<float>(y, x) += w * d[x] / v[x];
                noise.at<float>(y, x) += w * w / v[x];
            }
        }
    }
    for (int y = 0; y < sum.rows; ++y) {
        for (int x = 0; x < sum.cols; ++x) {
            const float n = noise.at<float>(y, x);
            sum.at<float>(y, x) = n > 0.0f ? std::max(0.0f, sum.at<float>(y, x) / std::sqrt(n)) : 0.0f;
        }
    }
    return sum;
}

std::vector<IsolatedRuns::Found> IsolatedRuns::found(const Result& result) {
    std::vector<Found> list;
    if (!result.objects.empty()) {
        for (const Object& o : result.objects) {
            list.push_back({o.x, o.y, o.significance, o.parent});
        }
        return list;
    }
    for (const Footprint& f : result.footprints) {
        for (const Peak& p : f.peaks) {
            list.push_back({p.x, p.y, p.significance, f.id});
        }
    }
    return list;
}

std::vector<AloneFinding> IsolatedRuns::run(const std::vector<cv::Mat>& noise, const Pipeline& pipeline,
                                            const Registry& registry, const Conditions& conditions, double radius,
                                            const QString& device, Progress& progress) const {
    std::vector<AloneFinding> out(m_lights.size());
    const std::vector<int>& bands = m_images.bands();
    RunOptions options;
    options.device = device;
    options.detectionOnly = conditions.detectionOnly;
    options.conditions = conditions.conditions;
    for (const int b : bands) {
        const auto k = static_cast<size_t>(b);
        if (k < conditions.sky.size()) options.sky.push_back(conditions.sky[k]);
    }
    if (options.sky.size() != bands.size()) options.sky.clear();
    const bool large = m_scene.box().area() > kParallelPixels;
    options.threads = large ? m_threads : 1;
    progress.begin(QStringLiteral("looking at each object alone"), static_cast<long long>(m_groups.size()));
    const auto one = [&](int g) {
        progress.check();
        const std::vector<size_t>& group = m_groups[static_cast<size_t>(g)];
        std::vector<cv::Mat> images;
        for (size_t k = 0; k < bands.size(); ++k) {
            images.push_back(noise[k].clone());
            for (const size_t i : group) {
                const IsolatedImages::Cutout cutout = m_images.cutout(i, bands[k]);
                if (cutout.box.empty()) continue;
                cv::Mat view = images.back()(cutout.box.rect());
                view += cutout.light;
            }
        }
        // The detector's own steps are too small to show.
        Progress inner(progress.token());
        const ResultPtr result = runPipeline(withImages(images), pipeline, registry, inner, options);
        progress.check();
        const std::vector<Found> list = found(*result);
        std::vector<std::pair<int, size_t>> byRow;
        for (size_t i = 0; i < list.size(); ++i) {
            if (std::isfinite(list[i].x) && std::isfinite(list[i].y)) {
                byRow.emplace_back(static_cast<int>(std::lround(list[i].y)), i);
            }
        }
        std::sort(byRow.begin(), byRow.end());
        for (const size_t i : group) {
            const TruthObject& t = m_scene.truth->objects[i];
            const ObjectLight& light = m_lights[i];
            double top = 0.0;
            if (!light.light.empty()) cv::minMaxLoc(light.light, nullptr, &top);
            const Box reach = light.box.united(
                Box{static_cast<int>(std::lround(t.x)), static_cast<int>(std::lround(t.y)), 1, 1}.grown(
                    static_cast<int>(std::ceil(radius))));
            AloneFinding& finding = out[i];
            bool own = false;
            auto it = std::lower_bound(byRow.begin(), byRow.end(), std::pair<int, size_t>(reach.y0, 0));
            for (; it != byRow.end() && it->first < reach.y1(); ++it) {
                const Found& f = list[it->second];
                const int x = static_cast<int>(std::lround(f.x)), y = it->first;
                const bool near = std::hypot(f.x - t.x, f.y - t.y) <= radius;
                const float here =
                    light.box.contains(x, y) ? light.light.at<float>(y - light.box.y0, x - light.box.x0) : 0;
                const bool bright = here > 0.0f && here >= kOwnLight * static_cast<float>(top);
                if (!near && !bright && here < kFootprintLight) continue;
                own |= near || bright;
                ++finding.detections;
                if (!(finding.significance >= double(f.significance))) finding.significance = double(f.significance);
            }
            if (!own) finding = {};
        }
        progress.advance();
    };
    if (large) {
        for (int g = 0; g < static_cast<int>(m_groups.size()); ++g) {
            one(g);
        }
    } else {
        TaskPool::shared().parallelFor(static_cast<int>(m_groups.size()), one, m_threads);
    }
    return out;
}

QJsonObject conditionsOfBands(const QJsonObject& conditions, size_t from, const std::vector<int>& bands) {
    if (bands.size() == from) return conditions;
    QJsonObject out;
    for (auto it = conditions.begin(); it != conditions.end(); ++it) {
        if (it.value().isObject()) {
            out.insert(it.key(), conditionsOfBands(it.value().toObject(), from, bands));
        } else if (it.value().isArray() && static_cast<size_t>(it.value().toArray().size()) == from) {
            QJsonArray kept;
            for (const int b : bands) {
                kept.append(it.value().toArray().at(b));
            }
            out.insert(it.key(), kept);
        } else {
            out.insert(it.key(), it.value());
        }
    }
    return out;
}

} // namespace blendscope
