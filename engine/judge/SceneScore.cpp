#include "judge/SceneScore.h"

#include "core/CutoutPlane.h"
#include "core/Error.h"
#include "image/Display.h"
#include "judge/Bootstrap.h"
#include "judge/Matching.h"
#include "measure/AdaptiveMoments.h"
#include "simulate/TruthRenderer.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>
#include <numeric>
#include <unordered_map>

namespace blendscope {

namespace {

constexpr double kReferenceWavelength = 750.0; // nm
constexpr double kFallbackRadius = 5.0;        // pixels, where no scale is known
constexpr double kFallbackScale = 0.2;         // arcsec
constexpr int kFrameHalf = 60;                 // image metrics of objects in large scenes: 121 pixels
constexpr int kMomentsHalf = 30;
constexpr double kLeastBandSnr = 10.0; // images of objects that drown in a band say nothing
constexpr int kLeastMaskPixels = 10;
constexpr double kStarLimit = 0.5;
constexpr size_t kMostDrawn = 20000; // objects of a table, some tens of thousands a minute

double median(const Plane& plane) {
    std::vector<double> values;
    for (const float v : gridSample(plane)) {
        if (v > 0.0f) values.push_back(double(v));
    }
    return medianOf(std::move(values));
}

/// What scoring needs of the scene, band by band, looked up once.
struct Bands {
    std::vector<double> variance;  ///< median, counts^2
    std::vector<double> noiseArea; ///< pixels over which a point source's noise is collected: 1 / sum psf^2
    std::vector<int> place;        ///< in the result; -1 = absent
};

Bands describe(const Scene& scene, const Result& result) {
    Bands out;
    for (const Band& band : scene.bands) {
        out.variance.push_back(band.variance ? median(*band.variance) : double(kNan));
        const double squares = band.psf.known() ? band.psf.image.dot(band.psf.image) : 0.0;
        out.noiseArea.push_back(squares > 0.0 ? 1.0 / squares : 12.0);
        int place = -1;
        for (int i = 0; i < result.bands.size(); ++i) {
            if (result.bands[i].compare(band.name, Qt::CaseInsensitive) == 0) place = i;
        }
        out.place.push_back(place);
    }
    return out;
}

double column(const TruthObject& t, const QString& name) {
    const auto it = t.columns.constFind(name);
    if (it != t.columns.constEnd()) return *it;
    for (auto c = t.columns.constBegin(); c != t.columns.constEnd(); ++c) {
        if (c.key().compare(name, Qt::CaseInsensitive) == 0) return c.value();
    }
    return double(kNan);
}

bool usable(const Scene& scene, double x, double y) {
    if (!std::isfinite(x) || !std::isfinite(y)) return false;
    const double px = std::floor(x + 0.5), py = std::floor(y + 0.5);
    if (px < 0.0 || py < 0.0 || px >= scene.size.width || py >= scene.size.height) return false;
    if (!scene.footprintMask) return true;
    return scene.footprintMask->read({int(px), int(py), 1, 1}).at<int>(0, 0) == 0;
}

const Plane* isolated(const Scene& scene, size_t band, size_t object) {
    const auto& planes = scene.truth->isolated;
    if (band >= planes.size() || object >= planes[band].size()) return nullptr;
    return planes[band][object].get();
}

/// The pixels in which an object of a large scene is looked at; of a stamp, all.
Box frameOf(const Scene& scene, bool stamp, double x, double y, int half) {
    if (stamp) return scene.box();
    const Box box{static_cast<int>(std::nearbyint(x)) - half, static_cast<int>(std::nearbyint(y)) - half, 2 * half + 1,
                  2 * half + 1};
    return box.intersected(scene.box());
}

/// S/N of a matched filter on the object alone: the table's, else from its image, else that of a point source of its
/// flux, an upper limit.
double snrIn(const Scene& scene, const Bands& bands, size_t object, size_t band, bool stamp) {
    const TruthObject& t = scene.truth->objects[object];
    const double given = column(t, QStringLiteral("snr_") + scene.bands[band].name);
    if (std::isfinite(given)) return given;
    if (!(bands.variance[band] > 0.0)) return double(kNan);
    if (const Plane* plane = isolated(scene, band, object)) {
        const cv::Mat light = plane->read(frameOf(scene, stamp, t.x, t.y, kFrameHalf));
        return cv::norm(light) / std::sqrt(bands.variance[band]);
    }
    // The table's detection S/N without one for each band: bands that it does not name are not asked for.
    if (t.columns.contains(QStringLiteral("snr_det"))) return double(kNan);
    const double flux = band < t.flux.size() ? t.flux[band] : double(kNan);
    return flux / std::sqrt(bands.variance[band] * bands.noiseArea[band]);
}

double blendednessOf(const Scene& scene, size_t object, size_t band, bool stamp) {
    const TruthObject& t = scene.truth->objects[object];
    const double given = column(t, QStringLiteral("blend_") + scene.bands[band].name);
    if (std::isfinite(given)) return given;
    const Plane* own = isolated(scene, band, object);
    if (!own || band >= scene.truth->noiseless.size() || !scene.truth->noiseless[band]) return double(kNan);
    const Box box = frameOf(scene, stamp, t.x, t.y, kFrameHalf);
    const cv::Mat light = own->read(box);
    const double with = light.dot(scene.truth->noiseless[band]->read(box)), squares = light.dot(light);
    return with > 0.0 ? std::clamp(1.0 - squares / with, 0.0, 1.0) : double(kNan);
}

struct Ellipticity {
    double e1 = kNan, e2 = kNan;
};

Ellipticity ellipticity(double a, double b, double thetaDegrees) {
    const double e = (a * a - b * b) / (a * a + b * b), t = thetaDegrees * std::numbers::pi / 180.0;
    return {e * std::cos(2.0 * t), e * std::sin(2.0 * t)};
}

/// Shape of the object alone as seen, bands weighted with what they tell of it, as measurement does.
Ellipticity trueEllipticity(const Scene& scene, const Bands& bands, const TruthScore& t, bool stamp) {
    const Box box = stamp && std::max(scene.size.width, scene.size.height) <= 2 * kMomentsHalf + 1
                        ? scene.box()
                        : frameOf(scene, false, t.x, t.y, kMomentsHalf);
    cv::Mat sum = cv::Mat::zeros(box.size(), CV_32F);
    double sigma = 0.0;
    for (size_t b = 0; b < scene.bands.size(); ++b) {
        const Plane* plane = isolated(scene, b, static_cast<size_t>(t.truth));
        if (!plane || !(bands.variance[b] > 0.0) || !(t.bands[b].trueFlux > 0.0)) continue;
        const double weight = t.bands[b].trueFlux / bands.variance[b];
        cv::scaleAdd(plane->read(box), weight, sum, sum);
        sigma = std::max(sigma, scene.bands[b].psf.fwhmPixels / 2.3548);
    }
    if (!(sigma > 0.0)) return {};
    const Moments m = adaptiveMoments(sum, t.x - box.x0, t.y - box.y0, sigma, 3.0 * sigma);
    return m.valid ? ellipticity(m.a(), m.b(), m.theta()) : Ellipticity{};
}

/// A component's model in one band, in a frame of the scene.
cv::Mat modelIn(const Component* component, int band, const Box& frame) {
    cv::Mat out = cv::Mat::zeros(frame.size(), CV_32F);
    if (!component || band < 0 || static_cast<size_t>(band) >= component->model.size()) return out;
    const cv::Mat& model = component->model[static_cast<size_t>(band)];
    const Box in = component->box.intersected(frame);
    if (in.empty() || model.size() != component->box.size()) return out;
    model(in.shifted(-component->box.x0, -component->box.y0).rect())
        .copyTo(out(in.shifted(-frame.x0, -frame.y0).rect()));
    return out;
}

cv::Mat skyFree(const Scene& scene, const Result& result, const Bands& bands, size_t band, const Box& box) {
    cv::Mat data = scene.bands[band].image->read(box);
    const int place = bands.place[band];
    const SkyModelPtr sky =
        place >= 0 && static_cast<size_t>(place) < result.sky.size() ? result.sky[static_cast<size_t>(place)] : nullptr;
    return sky && !sky->isZero() ? cv::Mat(data - sky->level(box)) : data;
}

/// Light inside each blend's footprint per scene band: what a catalogue would say that does not deblend.
std::map<int, std::vector<double>> undeblendedFluxes(const Scene& scene, const Result& result, const Bands& bands) {
    std::map<int, std::vector<double>> out;
    for (const Blend& blend : result.blends) {
        const Footprint* footprint = result.footprint(blend.id);
        if (!footprint) continue;
        const Box box = footprint->box.intersected(scene.box());
        if (box.empty()) continue;
        std::vector<double> sums;
        for (size_t b = 0; b < scene.bands.size(); ++b) {
            const cv::Mat data = skyFree(scene, result, bands, b, box);
            double sum = 0.0;
            for (const Span& span : footprint->spans) {
                if (span.y < box.y0 || span.y >= box.y1()) continue;
                const float* row = data.ptr<float>(span.y - box.y0);
                for (int x = std::max(span.x0, box.x0); x < std::min(span.x1, box.x1()); ++x) {
                    const float v = row[x - box.x0];
                    if (std::isfinite(v)) sum += double(v);
                }
            }
            sums.push_back(sum);
        }
        out.emplace(blend.id, std::move(sums));
    }
    return out;
}

/// Squared residuals in sigma over the footprints, all bands, without the pixels that the mask calls unusable; the
/// models' own Poisson noise where the plane lacks it. Wings of other blends' models are taken off too.
void addResiduals(const Scene& scene, const Result& result, const Bands& bands, SceneScore& score) {
    if (result.components.empty()) return;
    std::unordered_map<int, double> reduced; // by footprint
    // Components by the tiles of the scene that they meet.
    constexpr int kTile = 128;
    const int across = scene.size.width / kTile + 1, down = scene.size.height / kTile + 1;
    std::vector<std::vector<const Component*>> tiles(static_cast<size_t>(across) * static_cast<size_t>(down));
    const auto eachTile = [&](const Box& box, const auto& visit) {
        for (int y = box.y0 / kTile; y <= (box.y1() - 1) / kTile; ++y) {
            for (int x = box.x0 / kTile; x <= (box.x1() - 1) / kTile; ++x) {
                visit(tiles[static_cast<size_t>(y) * static_cast<size_t>(across) + static_cast<size_t>(x)]);
            }
        }
    };
    for (const Component& c : result.components) {
        const Box box = c.box.intersected(scene.box());
        if (!box.empty()) eachTile(box, [&](auto& tile) { tile.push_back(&c); });
    }
    for (const Footprint& footprint : result.footprints) {
        const Box box = footprint.box.intersected(scene.box());
        if (box.empty() || !result.blend(footprint.id)) continue;
        std::vector<const Component*> meeting;
        eachTile(box, [&](const auto& tile) {
            for (const Component* c : tile) {
                if (!c->box.intersected(box).empty()) meeting.push_back(c);
            }
        });
        std::sort(meeting.begin(), meeting.end());
        meeting.erase(std::unique(meeting.begin(), meeting.end()), meeting.end());
        ResidualScore own;
        own.x = footprint.box.x0 + 0.5 * (footprint.box.width - 1);
        own.y = footprint.box.y0 + 0.5 * (footprint.box.height - 1);
        for (size_t b = 0; b < scene.bands.size(); ++b) {
            const Band& band = scene.bands[b];
            if (bands.place[b] < 0 || !band.variance) continue;
            cv::Mat model = cv::Mat::zeros(box.size(), CV_32F);
            for (const Component* c : meeting) {
                model += modelIn(c, bands.place[b], box);
            }
            const cv::Mat data = skyFree(scene, result, bands, b, box), variance = band.variance->read(box);
            const int bits = band.mask ? band.unusableBits() : 0;
            const cv::Mat mask = bits ? band.mask->read(box) : cv::Mat();
            const double gain = band.varianceIsSkyOnly && band.gain > 0.0 ? band.gain : 0.0;
            for (const Span& span : footprint.spans) {
                if (span.y < box.y0 || span.y >= box.y1()) continue;
                const int y = span.y - box.y0;
                for (int x = std::max(span.x0, box.x0) - box.x0; x < std::min(span.x1, box.x1()) - box.x0; ++x) {
                    if (bits && (mask.at<int>(y, x) & bits)) continue;
                    const double m = model.at<float>(y, x), d = data.at<float>(y, x);
                    const double v = double(variance.at<float>(y, x)) + (gain > 0.0 ? std::max(m, 0.0) / gain : 0.0);
                    if (!std::isfinite(d) || !std::isfinite(v) || !(v > 0.0)) continue;
                    own.chi2 += (d - m) * (d - m) / v;
                    own.pixels += 1.0;
                }
            }
        }
        if (!(own.pixels > 0.0)) continue;
        reduced.emplace(footprint.id, own.chi2 / own.pixels);
        score.residuals.push_back(own);
    }
    for (TruthScore& t : score.truths) {
        const Object* o = t.objectId > 0 ? result.object(t.objectId) : nullptr;
        const auto it = o ? reduced.find(o->parent) : reduced.end();
        if (it != reduced.end()) t.chi2 = it->second;
    }
}

struct Region {
    double pixels = 0.0;
    int x0 = 0, y0 = 0, x1 = 0, y1 = 0;
    [[nodiscard]] double boxArea() const { return double(x1 - x0) * (y1 - y0); }
};

std::unordered_map<int, Region> regionsOf(const cv::Mat& labels) {
    std::unordered_map<int, Region> out;
    for (int y = 0; y < labels.rows; ++y) {
        const int* row = labels.ptr<int>(y);
        for (int x = 0; x < labels.cols; ++x) {
            if (row[x] <= 0) continue;
            const auto [it, fresh] = out.try_emplace(row[x], Region{0.0, x, y, x + 1, y + 1});
            Region& r = it->second;
            r.pixels += 1.0;
            r.x0 = std::min(r.x0, x);
            r.x1 = std::max(r.x1, x + 1);
            r.y1 = y + 1;
        }
    }
    return out;
}

std::map<std::pair<int, int>, double> commonPixels(const cv::Mat& a, const cv::Mat& b) {
    std::map<std::pair<int, int>, double> out;
    for (int y = 0; y < a.rows; ++y) {
        const int *ra = a.ptr<int>(y), *rb = b.ptr<int>(y);
        for (int x = 0; x < a.cols; ++x) {
            if (ra[x] > 0 && rb[x] > 0) out[{ra[x], rb[x]}] += 1.0;
        }
    }
    return out;
}

double confidenceOf(const Object& o, int band) {
    if (std::isfinite(o.significance)) return double(o.significance);
    if (band < 0 || static_cast<size_t>(band) >= o.bands.size()) return 0.0;
    const BandFlux& f = o.bands[static_cast<size_t>(band)];
    if (f.fluxErr > 0.0f && std::isfinite(f.flux)) return double(f.flux / f.fluxErr);
    return std::isfinite(f.flux) ? double(f.flux) : 0.0;
}

int classOf(int id, const std::vector<char>& star) {
    if (id <= 0) return 0;
    return static_cast<size_t>(id) < star.size() && star[static_cast<size_t>(id)] ? 2 : 1;
}

void scoreMasks(const Scene& scene, const Result& result, const Bands& bands, SceneScore& score) {
    const cv::Mat truth = trueSegmentation(scene, score.reference);
    const cv::Mat& found = result.segmentation;
    const std::vector<TruthObject>& objects = scene.truth->objects;
    if (truth.empty() || found.size() != scene.size || found.type() != CV_32S) return;

    const auto trueRegions = regionsOf(truth), foundRegions = regionsOf(found);
    const auto common = commonPixels(truth, found);
    const auto iou = [&](int t, int f) {
        const auto it = common.find({t, f});
        const auto a = trueRegions.find(t), b = foundRegions.find(f);
        const double both = it == common.end() ? 0.0 : it->second;
        const double either = (a == trueRegions.end() ? 0.0 : a->second.pixels) +
                              (b == foundRegions.end() ? 0.0 : b->second.pixels) - both;
        return both / std::max(either, 1.0);
    };
    for (TruthScore& t : score.truths) {
        if (t.objectId <= 0 || !t.eligible) continue;
        const auto region = trueRegions.find(t.truth + 1);
        if (region == trueRegions.end() || region->second.pixels < kLeastMaskPixels) continue;
        t.maskIou = iou(t.truth + 1, t.objectId);
    }

    // Average precision: who overlaps whom, by pixels and by the boxes around them.
    std::unordered_map<int, int> row;
    for (const Object& o : result.objects) {
        if (!foundRegions.contains(o.id)) continue;
        row.emplace(o.id, static_cast<int>(score.masks.confidence.size()));
        score.masks.confidence.push_back(confidenceOf(o, bands.place[static_cast<size_t>(score.reference)]));
        score.masks.detectionAt.push_back({o.x, o.y});
        score.masks.detectionId.push_back(o.id);
    }
    for (const TruthObject& t : objects) {
        score.masks.truthAt.push_back({t.x, t.y});
    }
    score.masks.asked.assign(objects.size(), false);
    for (const TruthScore& t : score.truths) {
        score.masks.asked[static_cast<size_t>(t.truth)] = t.eligible;
    }
    score.boxes.confidence = score.masks.confidence;
    score.boxes.asked = score.masks.asked;
    score.boxes.detectionAt = score.masks.detectionAt;
    score.boxes.detectionId = score.masks.detectionId;
    score.boxes.truthAt = score.masks.truthAt;
    for (const auto& [pair, pixels] : common) {
        const auto it = row.find(pair.second);
        if (it == row.end() || pair.first > static_cast<int>(objects.size())) continue;
        const double value = iou(pair.first, pair.second);
        if (value >= iouThresholds().front()) score.masks.overlaps.push_back({it->second, pair.first - 1, value});
    }
    // Boxes that overlap by half have centres within half of the larger one's side.
    std::vector<PixelPosition> centres;
    std::vector<int> ids;
    double widest = 1.0;
    for (const Object& o : result.objects) {
        const auto it = foundRegions.find(o.id);
        if (it == foundRegions.end()) continue;
        centres.push_back({0.5 * (it->second.x0 + it->second.x1), 0.5 * (it->second.y0 + it->second.y1)});
        ids.push_back(o.id);
    }
    for (const auto& [id, r] : trueRegions) {
        widest = std::max(widest, std::hypot(r.x1 - r.x0, r.y1 - r.y0));
    }
    const PointGrid grid(centres, std::min(widest, 64.0));
    for (size_t k = 0; k < objects.size(); ++k) {
        const auto it = trueRegions.find(static_cast<int>(k) + 1);
        if (it == trueRegions.end()) continue;
        const Region& t = it->second;
        const double reach = std::hypot(t.x1 - t.x0, t.y1 - t.y0);
        for (const PointGrid::Hit& hit : grid.within(0.5 * (t.x0 + t.x1), 0.5 * (t.y0 + t.y1), reach)) {
            const int id = ids[static_cast<size_t>(hit.index)];
            const Region& f = foundRegions.at(id);
            const double both = std::max(0, std::min(t.x1, f.x1) - std::max(t.x0, f.x0)) *
                                static_cast<double>(std::max(0, std::min(t.y1, f.y1) - std::max(t.y0, f.y0)));
            const double value = both / (t.boxArea() + f.boxArea() - both);
            if (value >= iouThresholds().front())
                score.boxes.overlaps.push_back({row.at(id), static_cast<int>(k), value});
        }
    }

    // Pixels by class.
    std::vector<char> trueStar(objects.size() + 1, 0), foundStar;
    for (size_t k = 0; k < objects.size(); ++k) {
        trueStar[k + 1] = objects[k].kind == QLatin1String("star");
    }
    for (const Object& o : result.objects) {
        if (o.id < 0 || o.id > 100000000) continue;
        foundStar.resize(std::max(foundStar.size(), static_cast<size_t>(o.id) + 1), 0);
        foundStar[static_cast<size_t>(o.id)] = double(o.pStar) >= kStarLimit;
    }
    for (const char* name : {"background", "galaxy", "star"}) {
        score.classes.push_back({});
        score.classes.back().name = QLatin1String(name);
    }
    constexpr int tiles = ClassScore::kTiles;
    for (int y = 0; y < truth.rows; ++y) {
        const int *rt = truth.ptr<int>(y), *rf = found.ptr<int>(y);
        for (int x = 0; x < truth.cols; ++x) {
            const auto tile = static_cast<size_t>(y * tiles / truth.rows * tiles + x * tiles / truth.cols);
            ClassScore& a = score.classes[static_cast<size_t>(classOf(rt[x], trueStar))];
            ClassScore& b = score.classes[static_cast<size_t>(classOf(rf[x], foundStar))];
            a.either[tile] += 1.0;
            if (&a == &b) {
                a.both[tile] += 1.0;
            } else {
                b.either[tile] += 1.0;
            }
        }
    }
    for (ClassScore& c : score.classes) {
        c.intersection = std::accumulate(c.both.begin(), c.both.end(), 0.0);
        c.united = std::accumulate(c.either.begin(), c.either.end(), 0.0);
    }
}

void scoreImages(const Scene& scene, const Result& result, const Bands& bands, SceneScore& score) {
    if (result.components.empty() || scene.truth->isolated.empty()) return;
    for (TruthScore& t : score.truths) {
        if (t.objectId <= 0 || !t.eligible) continue;
        const Box frame = frameOf(scene, score.stamp, t.x, t.y, kFrameHalf);
        const Component* component = result.component(t.objectId);
        t.images.resize(scene.bands.size());
        for (size_t b = 0; b < scene.bands.size(); ++b) {
            const Plane* truth = isolated(scene, b, static_cast<size_t>(t.truth));
            if (!truth || !(t.bands[b].trueSnr >= kLeastBandSnr)) continue;
            t.images[b] = compareImages(modelIn(component, bands.place[b], frame), truth->read(frame), t.x - frame.x0,
                                        t.y - frame.y0);
            t.images[b].msr /= bands.variance[b];
        }
    }
}

/// Probabilities of 0, 1, 2, ... objects in a blend against how many known ones of at least `leastSnr` lie in its
/// footprint. Footprints that reach into the margin hold objects that are not asked for: they are left out.
void scoreCounts(const Scene& scene, const Result& result, double leastSnr, double margin, SceneScore& score) {
    const Box inside = scene.box().grown(-static_cast<int>(std::ceil(margin)));
    for (const Blend& blend : result.blends) {
        const Footprint* footprint = result.footprint(blend.id);
        const Object* first = blend.objects.empty() ? nullptr : result.object(blend.objects.front());
        std::vector<double> forecast(blend.countProbabilities.begin(), blend.countProbabilities.end());
        while (first && blend.countProbabilities.empty() &&
               first->extra.contains(QStringLiteral("count_p%1").arg(forecast.size()))) {
            forecast.push_back(first->extra.value(QStringLiteral("count_p%1").arg(forecast.size())));
        }
        if (!footprint || forecast.empty() || footprint->box.intersected(inside) != footprint->box) continue;
        int count = 0, member = -1;
        for (size_t k = 0; k < score.truths.size(); ++k) {
            const TruthScore& t = score.truths[k];
            if (!(t.snr >= leastSnr) ||
                !footprint->contains(static_cast<int>(std::lround(t.x)), static_cast<int>(std::lround(t.y)))) {
                continue;
            }
            ++count;
            if (member < 0 || (t.eligible && !score.truths[static_cast<size_t>(member)].eligible))
                member = static_cast<int>(k);
        }
        const int last = static_cast<int>(forecast.size()) - 1;
        for (int k = 0; k <= last; ++k) {
            const double p = forecast[static_cast<size_t>(k)];
            // The last class stands for "as many or more".
            score.countForecasts.push_back({p, k == last ? count >= last : count == k, 0, member});
        }
    }
}

std::vector<double> neighbourDistances(const std::vector<PixelPosition>& points, std::vector<int>& nearest) {
    std::vector<double> out;
    constexpr double farAway = 1e6;
    const PointGrid grid(points, 16.0);
    for (size_t i = 0; i < points.size(); ++i) {
        const PointGrid::Hit hit = grid.nearest(points[i].x, points[i].y, farAway, static_cast<int>(i));
        out.push_back(hit.index >= 0 ? hit.distance : double(kNan));
        nearest.push_back(hit.index);
    }
    return out;
}

} // namespace

int SceneScore::eligibleCount() const {
    return static_cast<int>(
        std::count_if(truths.begin(), truths.end(), [](const TruthScore& t) { return t.eligible; }));
}

int SceneScore::foundCount() const {
    return static_cast<int>(
        std::count_if(truths.begin(), truths.end(), [](const TruthScore& t) { return t.eligible && t.objectId > 0; }));
}

std::optional<bool> truthNamesAll(const Scene& scene) {
    if (!scene.truth || scene.truth->objects.empty()) return std::nullopt;
    const auto injected = [](const TruthObject& t) { return column(t, QStringLiteral("injected")) > 0.5; };
    if (std::all_of(scene.truth->objects.begin(), scene.truth->objects.end(), injected)) return false;
    if (!scene.truth->noiseless.empty()) return true;
    return std::nullopt;
}

void addJudgement(SceneScore& score, const Judgement& judgement) {
    score.judged = true;
    std::unordered_map<int, const TruthVerdict*> verdicts;
    for (const TruthVerdict& v : judgement.objects) {
        verdicts.emplace(v.id, &v);
    }
    std::unordered_map<int, Outcome> detections;
    for (const DetectionVerdict& d : judgement.detections) {
        detections.emplace(d.id, d.outcome);
        if (d.outcome == Outcome::Unknown) score.complete = false;
    }
    for (DetectionScore& d : score.detections) {
        const auto it = detections.find(d.objectId);
        if (it != detections.end()) d.verdict = it->second;
    }
    std::unordered_map<int, int> row;
    for (size_t k = 0; k < score.truths.size(); ++k) {
        TruthScore& t = score.truths[k];
        row.emplace(t.truthId, static_cast<int>(k));
        const auto it = verdicts.find(t.truthId);
        if (it == verdicts.end()) continue;
        t.verdict = it->second->outcome;
        t.detectedAlone = it->second->detectedAlone;
    }
    for (const BlendVerdict& b : judgement.blends) {
        if (!b.isBlend()) continue;
        BlendOutcome out;
        out.outcome = b.outcome;
        out.x = b.box.x0 + 0.5 * (b.box.width - 1);
        out.y = b.box.y0 + 0.5 * (b.box.height - 1);
        for (const int id : b.members) {
            const auto it = row.find(id);
            if (it != row.end()) out.members.push_back(it->second);
        }
        const auto faintest = std::min_element(out.members.begin(), out.members.end(), [&](int x, int y) {
            return score.truths[static_cast<size_t>(x)].snr < score.truths[static_cast<size_t>(y)].snr;
        });
        if (faintest != out.members.end()) score.truths[static_cast<size_t>(*faintest)].blendOutcome = b.outcome;
        score.blends.push_back(std::move(out));
    }
}

int referenceBand(const Scene& scene, const QString& name) {
    if (!name.isEmpty()) {
        const int index = scene.bandIndex(name);
        if (index < 0) {
            throw UsageError(QStringLiteral("scene %1 has no band \"%2\"; there are %3")
                                 .arg(scene.id, name, scene.bandNames().join(QStringLiteral(", "))));
        }
        return index;
    }
    int best = scene.bands.empty() ? -1 : static_cast<int>(scene.bands.size() / 2);
    double distance = std::numeric_limits<double>::infinity();
    for (size_t b = 0; b < scene.bands.size(); ++b) {
        const double wavelength = scene.bands[b].wavelength;
        if (wavelength > 0.0 && std::abs(wavelength - kReferenceWavelength) < distance) {
            distance = std::abs(wavelength - kReferenceWavelength);
            best = static_cast<int>(b);
        }
    }
    return best;
}

cv::Mat trueSegmentation(const Scene& scene, int band) {
    if (!scene.truth || band < 0) return {};
    if (scene.truth->segmentation) return scene.truth->segmentation->read(scene.box());
    const auto b = static_cast<size_t>(band);
    if (b >= scene.truth->isolated.size() || scene.truth->isolated[b].empty() || !scene.bands[b].variance) return {};
    cv::Mat ids = cv::Mat::zeros(scene.size, CV_32S), best = cv::Mat::zeros(scene.size, CV_32F);
    cv::Mat sum = cv::Mat::zeros(scene.size, CV_64F);
    for (size_t k = 0; k < scene.truth->isolated[b].size(); ++k) {
        const Plane* plane = scene.truth->isolated[b][k].get();
        if (!plane) continue;
        const auto* small = dynamic_cast<const CutoutPlane*>(plane);
        const Box box = small ? small->cutoutBox() : scene.box();
        if (box.empty()) continue;
        const cv::Mat light = small ? small->cutout() : plane->read(box);
        cv::Mat sumHere = sum(box.rect()), bestHere = best(box.rect());
        cv::add(sumHere, light, sumHere, cv::noArray(), CV_64F);
        const cv::Mat more = light > bestHere;
        light.copyTo(bestHere, more);
        ids(box.rect()).setTo(static_cast<int>(k) + 1, more);
    }
    ids.setTo(0, sum < std::sqrt(median(*scene.bands[b].variance)));
    return ids;
}

namespace {

/// The scene with isolated and noiseless images drawn where only the table is there; nothing where none can be drawn.
std::optional<Scene> withDrawnTruth(const Scene& scene) {
    if (!scene.truth || scene.truth->objects.empty() || scene.truth->objects.size() > kMostDrawn) return std::nullopt;
    const auto none = [](const auto& planes) { return planes.empty(); };
    if (!std::all_of(scene.truth->isolated.begin(), scene.truth->isolated.end(), none)) return std::nullopt;
    std::vector<std::vector<PlanePtr>> isolated;
    try {
        isolated = TruthRenderer(scene).isolated();
    } catch (const UsageError&) {
        return std::nullopt;
    }
    Scene drawn = scene;
    Truth& truth = *drawn.truth;
    if (truth.noiseless.empty()) {
        for (const std::vector<PlanePtr>& planes : isolated) {
            cv::Mat sum = cv::Mat::zeros(scene.size, CV_32F);
            bool any = false;
            for (const PlanePtr& plane : planes) {
                const auto* small = dynamic_cast<const CutoutPlane*>(plane.get());
                if (!small || small->cutoutBox().empty()) continue;
                cv::Mat view = sum(small->cutoutBox().rect());
                view += small->cutout();
                any = true;
            }
            truth.noiseless.push_back(any ? std::make_shared<MemoryPlane>(sum) : nullptr);
        }
    }
    truth.isolated = std::move(isolated);
    return drawn;
}

/// Tables of whole pixels have lost where their objects are: an image drawn there is half a pixel off.
bool wholePixels(const Truth& truth) {
    return std::all_of(truth.objects.begin(), truth.objects.end(),
                       [](const TruthObject& t) { return t.x == std::floor(t.x) && t.y == std::floor(t.y); });
}

} // namespace

SceneScore scoreScene(const Scene& given, const Result& result, const ScoreOptions& options) {
    const std::optional<Scene> drawn = options.draw ? withDrawnTruth(given) : std::nullopt;
    const Scene& scene = drawn ? *drawn : given;
    SceneScore score;
    score.sceneId = scene.id;
    score.bands = scene.bandNames();
    score.size = scene.size;
    score.objects = static_cast<int>(result.objects.size());
    score.pixelScale = scene.pixelScale > 0.0 ? scene.pixelScale : kFallbackScale;
    score.stamp = std::max(scene.size.width, scene.size.height) <= options.stampSide;
    for (const Object& o : result.objects) {
        score.withoutFlux +=
            std::none_of(o.bands.begin(), o.bands.end(), [](const BandFlux& f) { return std::isfinite(f.flux); });
    }
    double seconds = 0.0;
    for (const StageTiming& stage : result.stages) {
        seconds += stage.seconds;
    }
    if (!result.stages.empty()) score.seconds = seconds;
    score.reference = referenceBand(scene, options.band);
    if (score.reference < 0) return score;
    const auto ref = static_cast<size_t>(score.reference);
    const Bands bands = describe(scene, result);
    const Psf& psf = scene.bands[ref].psf;
    score.fwhmArcsec = options.fwhmArcsec > 0.0 ? options.fwhmArcsec
                       : psf.known()            ? psf.fwhmPixels * score.pixelScale
                                                : 4.0 * score.pixelScale;
    const double deepest = 5.0 * std::sqrt(bands.variance[ref] * bands.noiseArea[ref]);
    score.depth = scene.bands[ref].zeroPoint - 2.5 * std::log10(deepest);

    const double margin = score.stamp ? 0.0 : options.marginPixels;
    const auto inside = [&](double x, double y) {
        return x >= margin - 0.5 && x < scene.size.width - margin - 0.5 && y >= margin - 0.5 &&
               y < scene.size.height - margin - 0.5;
    };
    std::vector<PixelPosition> at;
    std::vector<const Object*> objects;
    for (const Object& o : result.objects) {
        if (!std::isfinite(o.x) || !std::isfinite(o.y) || !inside(o.x, o.y)) continue;
        at.push_back({o.x, o.y});
        objects.push_back(&o);
        DetectionScore d{o.id, o.x, o.y};
        const int place = bands.place[ref];
        if (place >= 0 && static_cast<size_t>(place) < o.bands.size()) {
            const BandFlux& f = o.bands[static_cast<size_t>(place)];
            if (f.flux > 0.0f) d.magnitude = scene.bands[ref].zeroPoint - 2.5 * std::log10(double(f.flux));
            if (f.fluxErr > 0.0f) d.snr = double(f.flux / f.fluxErr);
        }
        if (std::isfinite(o.significance)) d.snr = double(o.significance);
        score.detections.push_back(d);
    }
    if (!scene.truth) {
        addResiduals(scene, result, bands, score);
        return score;
    }
    score.complete = truthNamesAll(given).value_or(true);

    const std::vector<TruthObject>& truth = scene.truth->objects;
    for (size_t k = 0; k < truth.size(); ++k) {
        const TruthObject& t = truth[k];
        if (!usable(scene, t.x, t.y)) continue;
        TruthScore row;
        row.truth = static_cast<int>(k);
        row.truthId = t.id;
        row.kind = t.kind;
        row.x = t.x;
        row.y = t.y;
        row.snr = column(t, QStringLiteral("snr_det"));
        double squares = 0.0;
        for (size_t b = 0; b < scene.bands.size(); ++b) {
            BandScore band;
            band.trueFlux = b < t.flux.size() ? t.flux[b] : double(kNan);
            band.trueSnr = snrIn(scene, bands, k, b, score.stamp);
            if (std::isfinite(band.trueSnr)) squares += band.trueSnr * band.trueSnr;
            row.bands.push_back(band);
        }
        if (!std::isfinite(row.snr)) row.snr = std::sqrt(squares);
        if (!(row.snr >= options.knownSnr) && options.knownSnr > 0.0) continue;
        row.eligible = (row.snr >= options.leastSnr || options.leastSnr <= 0.0) && inside(t.x, t.y);
        const double flux = row.bands[ref].trueFlux;
        if (flux > 0.0) row.magnitude = scene.bands[ref].zeroPoint - 2.5 * std::log10(flux);
        if (t.hlrArcsec > 0.0) row.hlrArcsec = t.hlrArcsec;
        row.blendedness = blendednessOf(scene, k, ref, score.stamp);
        score.truths.push_back(std::move(row));
    }

    // Eligible objects choose first, the fainter known ones take from what is left.
    std::vector<PixelPosition> asked, known;
    std::vector<size_t> askedRow, knownRow;
    std::vector<double> askedHlr;
    for (size_t k = 0; k < score.truths.size(); ++k) {
        const TruthScore& t = score.truths[k];
        (t.eligible ? asked : known).push_back({t.x, t.y});
        (t.eligible ? askedRow : knownRow).push_back(k);
        if (t.eligible) askedHlr.push_back(t.hlrArcsec);
    }
    const double radius = scene.pixelScale > 0.0 ? options.radiusArcsec / scene.pixelScale : kFallbackRadius;
    const auto take = [&](size_t row, int detection) {
        const auto d = static_cast<size_t>(detection);
        TruthScore& t = score.truths[row];
        t.objectId = objects[d]->id;
        t.distancePixels = std::hypot(t.x - at[d].x, t.y - at[d].y);
        t.flags = objects[d]->flags;
        score.detections[d].matched = true;
        score.detections[d].point = t.kind == QLatin1String("star");
        score.detections[d].pStar = double(objects[d]->pStar);
        if (t.kind.isEmpty() || !std::isfinite(objects[d]->pStar)) return;
        score.starForecasts.push_back({double(objects[d]->pStar), score.detections[d].point, 0, static_cast<int>(row)});
    };
    if (options.byPosition) {
        std::map<int, size_t> rowOf;
        for (size_t k = 0; k < score.truths.size(); ++k) {
            rowOf.emplace(score.truths[k].truth, k);
        }
        for (size_t d = 0; d < objects.size(); ++d) {
            const auto it = rowOf.find(objects[d]->position);
            if (it == rowOf.end() || objects[d]->flags & (FlagNotDetected | FlagOutside | FlagNoFlux)) continue;
            if (score.truths[it->second].objectId == 0) take(it->second, static_cast<int>(d));
        }
    } else {
        const std::vector<int> partner = matchNearestFirst(asked, at, radius).partner;
        std::vector<char> used(at.size(), 0);
        for (size_t i = 0; i < partner.size(); ++i) {
            if (partner[i] < 0) continue;
            take(askedRow[i], partner[i]);
            used[static_cast<size_t>(partner[i])] = 1;
        }
        std::vector<PixelPosition> leftAt;
        std::vector<int> left;
        for (size_t d = 0; d < at.size(); ++d) {
            if (used[d]) continue;
            leftAt.push_back(at[d]);
            left.push_back(static_cast<int>(d));
        }
        const std::vector<int> faint = matchNearestFirst(known, leftAt, radius).partner;
        for (size_t i = 0; i < faint.size(); ++i) {
            if (faint[i] >= 0) take(knownRow[i], left[static_cast<size_t>(faint[i])]);
        }
    }
    const MatchOutcomes outcomes = matchOutcomes(asked, askedHlr, at, known, score.fwhmArcsec, score.pixelScale);
    for (const int d : outcomes.unexplained) {
        score.spurious.push_back(at[static_cast<size_t>(d)]);
    }
    std::vector<int> nearest;
    const std::vector<double> distances = neighbourDistances(asked, nearest);
    const std::vector<int> labels = score.stamp ? std::vector<int>(asked.size(), 0)
                                                : friendsOfFriends(asked, options.linkArcsec / score.pixelScale);
    for (size_t i = 0; i < asked.size(); ++i) {
        TruthScore& t = score.truths[askedRow[i]];
        t.outcome = outcomes.outcome[i];
        t.secondary = outcomes.secondary[i];
        if (nearest[i] >= 0) {
            t.neighbourArcsec = distances[i] * score.pixelScale;
            t.neighbourMagnitudes = score.truths[askedRow[static_cast<size_t>(nearest[i])]].magnitude - t.magnitude;
        }
        t.group = labels[i];
        score.groups.resize(std::max(score.groups.size(), static_cast<size_t>(labels[i]) + 1));
        GroupScore& group = score.groups[static_cast<size_t>(labels[i])];
        group.members.push_back(static_cast<int>(askedRow[i]));
        group.separationArcsec = std::min(group.separationArcsec, t.neighbourArcsec);
    }

    addResiduals(scene, result, bands, score);
    // Objects that are not asked for may be judged all the same: their neighbours are the eligible ones too.
    const PointGrid eligible(asked, 16.0);
    for (const size_t k : knownRow) {
        const PointGrid::Hit hit = eligible.nearest(score.truths[k].x, score.truths[k].y, 1e6);
        if (hit.index < 0) continue;
        TruthScore& t = score.truths[k];
        t.neighbourArcsec = hit.distance * score.pixelScale;
        t.neighbourMagnitudes = score.truths[askedRow[static_cast<size_t>(hit.index)]].magnitude - t.magnitude;
    }

    const auto undeblended = undeblendedFluxes(scene, result, bands);
    for (TruthScore& t : score.truths) {
        const Object* o = t.objectId > 0 ? result.object(t.objectId) : nullptr;
        if (!o) continue;
        const auto whole = undeblended.find(o->parent);
        for (size_t b = 0; b < scene.bands.size(); ++b) {
            const int place = bands.place[b];
            if (place >= 0 && static_cast<size_t>(place) < o->bands.size()) {
                t.bands[b].flux = double(o->bands[static_cast<size_t>(place)].flux);
                t.bands[b].fluxErr = double(o->bands[static_cast<size_t>(place)].fluxErr);
            }
            if (whole != undeblended.end()) t.bands[b].undeblended = whole->second[b];
        }
        if (t.kind != QLatin1String("star") && t.hlrArcsec > 0.0 && o->hlr > 0.0f)
            t.sizeError = std::log(double(o->hlr) * score.pixelScale / t.hlrArcsec);
        if (o->a > 0.0f && o->b > 0.0f && !scene.truth->isolated.empty() && t.eligible) {
            const Ellipticity e = ellipticity(double(o->a), double(o->b), double(o->theta));
            const Ellipticity e0 = trueEllipticity(scene, bands, t, score.stamp);
            t.e1Error = e.e1 - e0.e1;
            t.e2Error = e.e2 - e0.e2;
        }
    }
    if (options.images && !(drawn && wholePixels(*scene.truth))) scoreImages(scene, result, bands, score);
    if (options.masks) scoreMasks(scene, result, bands, score);
    scoreCounts(scene, result, options.countSnr, margin, score);
    return score;
}

} // namespace blendscope
