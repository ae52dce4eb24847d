#include "judge/Suspicion.h"

#include "core/Error.h"
#include "detect/DetectionImage.h"
#include "jobs/Progress.h"
#include "judge/JsonLists.h"
#include "judge/Matching.h"
#include "method/ResidualIteration.h"

#include <QJsonArray>
#include <algorithm>
#include <cmath>
#include <map>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

constexpr int kMargin = 12; ///< pixels shown around the evidence

double fwhmOf(const Scene& scene) {
    double widest = 0.0;
    for (const Band& band : scene.bands) {
        if (band.psf.known()) widest = std::max(widest, band.psf.fwhmPixels);
    }
    return widest > 0.0 ? widest : 4.0;
}

std::vector<PixelPosition> positionsOf(const Result& result) {
    std::vector<PixelPosition> list;
    for (const Object& o : result.objects) {
        list.push_back({o.x, o.y});
    }
    return list;
}

/// The detection that owns the pixel at (x, y): an id, 0 = none.
int ownerAt(const Result& result, double x, double y) {
    if (result.segmentation.empty() || !std::isfinite(x) || !std::isfinite(y)) return 0;
    const double px = std::floor(x + 0.5), py = std::floor(y + 0.5);
    if (px < 0 || py < 0 || px >= result.segmentation.cols || py >= result.segmentation.rows) return 0;
    return result.segmentation.at<int>(static_cast<int>(py), static_cast<int>(px));
}

/// S/N of an object's flux, the bands together; its significance where it has no errors.
double snrOf(const Object& o) {
    double sum = 0.0;
    for (const BandFlux& f : o.bands) {
        if (f.flux > 0.0f && f.fluxErr > 0.0f)
            sum += double(f.flux) * double(f.flux) / (double(f.fluxErr) * double(f.fluxErr));
    }
    return sum > 0.0 ? std::sqrt(sum) : double(o.significance);
}

Box around(const Scene& scene, const std::vector<PixelPosition>& places) {
    Box box;
    for (const PixelPosition& p : places) {
        if (!std::isfinite(p.x) || !std::isfinite(p.y)) continue;
        box = box.united({static_cast<int>(std::lround(p.x)), static_cast<int>(std::lround(p.y)), 1, 1});
    }
    return box.grown(kMargin).intersected(scene.box());
}

/// 0.5 at the least significance that counts, towards 1 for large ones.
double strengthOf(double significance, double least) {
    return std::isfinite(significance) && significance > 0.0 ? significance / (significance + least) : 0.0;
}

QString distanceWords(const Scene& scene, double pixels) {
    return scene.pixelScale > 0.0 ? QStringLiteral("%1 arcsec").arg(pixels * scene.pixelScale, 0, 'f', 2)
                                  : QStringLiteral("%1 pixels").arg(pixels, 0, 'f', 1);
}

void sortByStrength(std::vector<Suspicion>& list) {
    std::stable_sort(list.begin(), list.end(),
                     [](const Suspicion& a, const Suspicion& b) { return a.strength > b.strength; });
}

constexpr std::pair<Evidence, const char*> kEvidence[] = {{Evidence::Disagreement, "disagreement"},
                                                          {Evidence::Residual, "residual"},
                                                          {Evidence::Reference, "reference"},
                                                          {Evidence::Injection, "injection"},
                                                          {Evidence::Count, "count"}};

} // namespace

QString evidenceWord(Evidence evidence) {
    for (const auto& [kind, word] : kEvidence) {
        if (kind == evidence) return QLatin1String(word);
    }
    return {};
}

namespace {

/// What a method that searched for sources wrote down of this object; null where it was a peak.
const SourceCandidate* searchedFor(const Result& result, const Object& object) {
    const Blend* blend = result.blend(object.parent);
    if (!blend) return nullptr;
    for (const SourceCandidate& c : blend->candidates) {
        if (c.object == object.id) return &c;
    }
    return nullptr;
}

} // namespace

std::vector<Suspicion> suspectDisagreement(const Scene& scene, const Result& result, const Result& other,
                                           const QString& otherName, const SuspicionOptions& options) {
    std::vector<Suspicion> list;
    const double radius = std::max(2.0, 0.5 * fwhmOf(scene));
    const std::vector<PixelPosition> here = positionsOf(result), there = positionsOf(other);
    const Matches partners = matchHungarian(here, there, radius);
    std::vector<char> partnered(there.size(), 0);
    for (const int p : partners.partner) {
        if (p >= 0) partnered[static_cast<size_t>(p)] = 1;
    }
    const auto several = [&](const Result& one, const std::vector<PixelPosition>& many, int id) {
        std::vector<size_t> inside;
        for (size_t i = 0; i < many.size(); ++i) {
            if (ownerAt(one, many[i].x, many[i].y) == id) inside.push_back(i);
        }
        return inside;
    };
    const auto add = [&](Suspicion s, double snr) {
        s.evidence = Evidence::Disagreement;
        s.source = otherName;
        s.significance = snr;
        s.strength = strengthOf(snr, options.leastSignificance);
        s.box = around(scene, s.places).united(around(scene, {{s.x, s.y}}));
        list.push_back(std::move(s));
    };
    // Several there in one here: those without a partner are what is missed.
    for (const Object& o : result.objects) {
        const std::vector<size_t> inside = several(result, there, o.id);
        if (inside.size() < 2) continue;
        Suspicion s;
        s.outcome = Outcome::Unrecognized;
        s.x = o.x;
        s.y = o.y;
        s.blend = o.parent;
        s.detections = {o.id};
        double weakest = std::numeric_limits<double>::max();
        const SourceCandidate* evidence = nullptr;
        for (const size_t i : inside) {
            s.others.push_back(other.objects[i].id);
            s.places.push_back(there[i]);
            const SourceCandidate* c = searchedFor(other, other.objects[i]);
            if (c && (!evidence || c->significance < evidence->significance)) evidence = c;
            if (!partnered[i] || inside.size() == 2) weakest = std::min(weakest, snrOf(other.objects[i]));
        }
        if (weakest == std::numeric_limits<double>::max()) weakest = snrOf(other.objects[inside.back()]);
        s.words = QStringLiteral("%1 sees %2 objects where detection %3 is one; the weakest has S/N %4.")
                      .arg(otherName)
                      .arg(inside.size())
                      .arg(o.id)
                      .arg(weakest, 0, 'f', 1);
        // A search for sources asked the pixels: its answer counts more than how bright what it found is.
        if (evidence) {
            weakest = std::min(weakest, std::sqrt(std::max(0.0, evidence->significance)));
            s.words += QStringLiteral(" The weakest that was searched for: %1.").arg(evidence->reason);
        }
        add(std::move(s), weakest);
    }
    for (const Object& o : other.objects) {
        const std::vector<size_t> inside = several(other, here, o.id);
        if (inside.size() < 2) continue;
        Suspicion s;
        s.outcome = Outcome::Shredded;
        s.x = o.x;
        s.y = o.y;
        s.others = {o.id};
        s.places = {{o.x, o.y}};
        double weakest = std::numeric_limits<double>::max();
        QStringList ids;
        for (const size_t i : inside) {
            s.detections.push_back(result.objects[i].id);
            s.blend = result.objects[i].parent;
            ids << QString::number(result.objects[i].id);
            weakest = std::min(weakest, snrOf(result.objects[i]));
        }
        s.words = QStringLiteral("%1 sees one object where there are %2 detections: %3.")
                      .arg(otherName)
                      .arg(inside.size())
                      .arg(ids.join(QStringLiteral(", ")));
        add(std::move(s), weakest);
    }
    for (size_t i = 0; i < there.size(); ++i) {
        if (partnered[i] || ownerAt(result, there[i].x, there[i].y) > 0) continue;
        Suspicion s;
        s.outcome = Outcome::Lost;
        s.x = there[i].x;
        s.y = there[i].y;
        s.others = {other.objects[i].id};
        s.places = {there[i]};
        const double snr = snrOf(other.objects[i]);
        s.words = QStringLiteral("%1 sees an object of S/N %2 where nothing was detected.")
                      .arg(otherName)
                      .arg(snr, 0, 'f', 1);
        add(std::move(s), snr);
    }
    for (size_t i = 0; i < here.size(); ++i) {
        if (partners.partner[i] >= 0 || ownerAt(other, here[i].x, here[i].y) > 0) continue;
        Suspicion s;
        s.outcome = Outcome::Spurious;
        s.x = here[i].x;
        s.y = here[i].y;
        s.blend = result.objects[i].parent;
        s.detections = {result.objects[i].id};
        const double snr = snrOf(result.objects[i]);
        s.words = QStringLiteral("%1 sees nothing at detection %2, S/N %3.")
                      .arg(otherName)
                      .arg(result.objects[i].id)
                      .arg(snr, 0, 'f', 1);
        // The weaker the detection, the likelier it is none.
        add(std::move(s), snr);
        list.back().strength = 1.0 - list.back().strength;
    }
    sortByStrength(list);
    return list;
}

std::vector<Suspicion> suspectResiduals(const Scene& scene, const Result& result, Progress& progress,
                                        const SuspicionOptions& options) {
    std::vector<Suspicion> list;
    if (result.components.empty() || scene.bands.empty()) return list;
    Scene residual = residualScene(scene, result);
    // Where models have light, its Poisson noise and their own error count as noise too.
    for (size_t b = 0; b < residual.bands.size(); ++b) {
        Band& band = residual.bands[b];
        cv::Mat model = cv::Mat::zeros(scene.size, CV_32F);
        const auto place = std::find_if(result.bands.begin(), result.bands.end(), [&](const QString& name) {
            return name.compare(band.name, Qt::CaseInsensitive) == 0;
        });
        const auto own = static_cast<size_t>(place - result.bands.begin());
        for (const Component& c : result.components) {
            const Box box = c.box.intersected(scene.box());
            if (box.empty() || own >= c.model.size() || c.model[own].size() != c.box.size()) continue;
            cv::Mat view = model(box.rect());
            view += c.model[own](box.shifted(-c.box.x0, -c.box.y0).rect());
        }
        model = cv::max(model, 0.0f);
        cv::Mat error = options.modelError * model;
        cv::Mat variance = band.variance->read(scene.box()) + error.mul(error);
        if (band.varianceIsSkyOnly && band.gain > 0.0) variance += model / band.gain;
        band.variance = std::make_shared<MemoryPlane>(variance);
    }
    const std::vector<SkyModelPtr> sky =
        result.sky.size() == scene.bands.size() ? result.sky : std::vector<SkyModelPtr>();
    DetectionImageOptions image;
    image.threads = options.threads;
    for (const QString& key : result.conditions.keys()) {
        image.given = DetectionConditions::fromJson(result.conditions.value(key).toObject(), scene.bands.size());
        if (image.given) break;
    }
    const DetectionImage detection = DetectionImage::make(residual, sky, image, progress);
    const cv::Mat& map = detection.significance;
    const double fwhm = fwhmOf(scene);
    cv::Mat highest;
    const int side = 2 * std::max(1, static_cast<int>(std::lround(0.5 * fwhm))) + 1;
    cv::dilate(map, highest, cv::getStructuringElement(cv::MORPH_ELLIPSE, {side, side}));
    const PointGrid grid(positionsOf(result), 2.0 * fwhm);
    for (const Footprint& f : result.footprints) {
        progress.check();
        for (const Span& s : f.spans) {
            if (s.y < 0 || s.y >= map.rows) continue;
            for (int x = std::max(0, s.x0); x < std::min(s.x1, map.cols); ++x) {
                const float value = map.at<float>(s.y, x);
                if (!(value >= static_cast<float>(options.leastResidual)) || value < highest.at<float>(s.y, x))
                    continue;
                Suspicion one;
                one.outcome = Outcome::Unrecognized;
                one.evidence = Evidence::Residual;
                one.x = x;
                one.y = s.y;
                one.significance = double(value);
                one.strength = strengthOf(double(value), options.leastResidual);
                one.source = QStringLiteral("residual");
                one.places = {{double(x), double(s.y)}};
                one.box = around(scene, one.places);
                const PointGrid::Hit hit = grid.nearest(x, s.y, 4.0 * fwhm);
                if (hit.index >= 0) {
                    const Object& o = result.objects[static_cast<size_t>(hit.index)];
                    one.detections = {o.id};
                    one.blend = o.parent;
                    one.words = QStringLiteral("light of %1 sigma is left %2 from detection %3: no model explains it.")
                                    .arg(double(value), 0, 'f', 1)
                                    .arg(distanceWords(scene, hit.distance))
                                    .arg(o.id);
                } else {
                    one.words = QStringLiteral("light of %1 sigma is left that no model explains.")
                                    .arg(double(value), 0, 'f', 1);
                }
                one.words[0] = one.words[0].toUpper();
                list.push_back(std::move(one));
            }
        }
    }
    sortByStrength(list);
    return list;
}

std::vector<Suspicion> suspectByReference(const Scene& scene, const Result& result,
                                          const std::vector<ReferenceObject>& reference, const QString& name,
                                          bool complete, const SuspicionOptions& options) {
    std::vector<Suspicion> list;
    // Wider than among results of one image: centroids of blurred neighbours are drawn together.
    const double fwhm = fwhmOf(scene), radius = std::max(2.0, 0.75 * fwhm);
    std::vector<PixelPosition> places;
    for (const ReferenceObject& r : reference) {
        places.push_back({r.x, r.y});
    }
    const Matches partners = matchHungarian(places, positionsOf(result), radius);
    std::map<int, std::vector<size_t>> held; // by detection
    std::vector<char> taken(result.objects.size(), 0);
    for (size_t i = 0; i < reference.size(); ++i) {
        int id = 0;
        if (partners.partner[i] >= 0) {
            taken[static_cast<size_t>(partners.partner[i])] = 1;
            id = result.objects[static_cast<size_t>(partners.partner[i])].id;
        } else {
            id = ownerAt(result, reference[i].x, reference[i].y);
        }
        if (id > 0) {
            held[id].push_back(i);
            continue;
        }
        const double px = std::floor(reference[i].x + 0.5), py = std::floor(reference[i].y + 0.5);
        if (!(px >= 0 && py >= 0 && px < scene.size.width && py < scene.size.height)) continue;
        if (!(reference[i].significance >= options.leastSignificance)) continue;
        Suspicion s;
        s.outcome = Outcome::Lost;
        s.evidence = Evidence::Reference;
        s.x = reference[i].x;
        s.y = reference[i].y;
        s.significance = reference[i].significance;
        s.strength = strengthOf(reference[i].significance, 20.0);
        s.source = name;
        s.others = {reference[i].row};
        s.places = {places[i]};
        s.box = around(scene, s.places);
        s.words = QStringLiteral("%1 has an object of %2 sigma where nothing was detected.")
                      .arg(name)
                      .arg(reference[i].significance, 0, 'f', 1);
        list.push_back(std::move(s));
    }
    for (auto& [id, rows] : held) {
        const Object* o = result.object(id);
        if (!o || rows.size() < 2) continue;
        std::stable_sort(rows.begin(), rows.end(), [&](size_t a, size_t b) {
            const double fa = reference[a].flux, fb = reference[b].flux;
            return (std::isfinite(fa) ? fa : 0.0) > (std::isfinite(fb) ? fb : 0.0);
        });
        const double brightest = reference[rows.front()].flux;
        std::vector<size_t> members;
        for (const size_t i : rows) {
            const double ratio = reference[i].flux / brightest;
            if (std::isfinite(ratio) && ratio < options.leastFluxRatio) continue;
            members.push_back(i);
        }
        if (members.size() < 2) continue;
        Suspicion s;
        s.outcome = Outcome::Unrecognized;
        s.evidence = Evidence::Reference;
        s.x = o->x;
        s.y = o->y;
        s.blend = o->parent;
        s.detections = {id};
        s.source = name;
        for (const size_t i : members) {
            s.others.push_back(reference[i].row);
            s.places.push_back(places[i]);
        }
        s.box = around(scene, s.places);
        const ReferenceObject &first = reference[members[0]], &second = reference[members[1]];
        const double ratio = second.flux / first.flux;
        // Equal partners are the plainest case; half a point for a tenth.
        s.strength = std::isfinite(ratio) ? ratio / (ratio + 0.1) : 0.5;
        s.significance = second.significance;
        s.words =
            QStringLiteral("%1 has %2 objects in detection %3: the second is %4 away from the brightest%5.")
                .arg(name)
                .arg(members.size())
                .arg(id)
                .arg(distanceWords(scene, std::hypot(first.x - second.x, first.y - second.y)),
                     std::isfinite(ratio) ? QStringLiteral(" and has %1 % of its flux").arg(100.0 * ratio, 0, 'f', 0)
                                          : QString());
        list.push_back(std::move(s));
    }
    if (complete) {
        // Detections in whose pixels the reference has nothing at all.
        const PointGrid grid(places, 3.0 * fwhm);
        for (size_t i = 0; i < result.objects.size(); ++i) {
            const Object& o = result.objects[i];
            if (taken[i] || held.contains(o.id)) continue;
            Suspicion s;
            s.outcome = Outcome::Spurious;
            const PointGrid::Hit hit = grid.nearest(o.x, o.y, 3.0 * fwhm);
            if (hit.index >= 0) {
                const int owner = partners.partner[static_cast<size_t>(hit.index)];
                if (owner >= 0 && result.objects[static_cast<size_t>(owner)].parent == o.parent) {
                    s.outcome = Outcome::Shredded;
                    s.others = {reference[static_cast<size_t>(hit.index)].row};
                    s.detections = {result.objects[static_cast<size_t>(owner)].id};
                }
            }
            s.evidence = Evidence::Reference;
            s.x = o.x;
            s.y = o.y;
            s.blend = o.parent;
            s.detections.push_back(o.id);
            s.source = name;
            s.significance = snrOf(o);
            s.strength = 1.0 - strengthOf(snrOf(o), 20.0);
            s.places = {{o.x, o.y}};
            s.box = around(scene, s.places);
            s.words = s.outcome == Outcome::Shredded
                          ? QStringLiteral("%1 has one object where there are detections %2 and %3.")
                                .arg(name)
                                .arg(s.detections[0])
                                .arg(o.id)
                          : QStringLiteral("%1 has nothing at detection %2, S/N %3.")
                                .arg(name)
                                .arg(o.id)
                                .arg(snrOf(o), 0, 'f', 1);
            list.push_back(std::move(s));
        }
    }
    sortByStrength(list);
    return list;
}

std::vector<Suspicion> suspectByInjections(const Scene& scene, const Result& result, const Judgement& injections,
                                           const SuspicionOptions& options) {
    std::vector<Suspicion> list;
    const double reach = options.reachFwhm * fwhmOf(scene);
    std::vector<PixelPosition> places;
    std::vector<const TruthVerdict*> known;
    for (const TruthVerdict& t : injections.objects) {
        if (!t.known || t.outcome == Outcome::Outside) continue;
        places.push_back({t.x, t.y});
        known.push_back(&t);
    }
    const PointGrid grid(places, reach);
    for (const Blend& blend : result.blends) {
        Box box = blend.box;
        if (box.empty()) continue;
        const double x = box.x0 + 0.5 * box.width, y = box.y0 + 0.5 * box.height;
        int all = 0;
        std::map<Outcome, int> failed;
        Suspicion s;
        for (const PointGrid::Hit& hit : grid.within(x, y, reach + 0.5 * std::max(box.width, box.height))) {
            const TruthVerdict& t = *known[static_cast<size_t>(hit.index)];
            if (!t.detectedAlone) continue;
            ++all;
            if (t.outcome == Outcome::Recognized) continue;
            ++failed[t.outcome];
            s.others.push_back(t.id);
            s.places.push_back({t.x, t.y});
        }
        if (s.others.empty()) continue;
        const auto most = std::max_element(failed.begin(), failed.end(),
                                           [](const auto& a, const auto& b) { return a.second < b.second; });
        s.outcome = most->first;
        s.evidence = Evidence::Injection;
        s.x = x;
        s.y = y;
        s.blend = blend.id;
        s.detections = blend.objects;
        s.strength = double(s.others.size()) / (all + 1.0);
        s.box = box.united(around(scene, s.places)).intersected(scene.box());
        s.source = QStringLiteral("injections");
        s.words =
            QStringLiteral("Of %1 objects injected here that would be detected alone, %2 were not recognized (%3 %4).")
                .arg(all)
                .arg(s.others.size())
                .arg(most->second)
                .arg(outcomeWord(most->first));
        list.push_back(std::move(s));
    }
    sortByStrength(list);
    return list;
}

std::vector<Suspicion> suspectByCounts(const Scene& scene, const Result& result, const SuspicionOptions& options) {
    std::vector<Suspicion> list;
    for (const Blend& blend : result.blends) {
        const std::vector<float>& p = blend.countProbabilities;
        const auto found = static_cast<int>(blend.objects.size()), most = static_cast<int>(p.size()) - 1;
        if (p.empty() || found == 0) continue;
        double more = 0.0, fewer = 0.0, total = 0.0;
        for (int n = 0; n <= most; ++n) {
            total += double(p[static_cast<size_t>(n)]);
            if (n > found) more += double(p[static_cast<size_t>(n)]);
            if (n < found) fewer += double(p[static_cast<size_t>(n)]);
        }
        // The last class is open: beyond it nothing is known of more or fewer.
        if (!(total > 0.0) || found > most) continue;
        const bool several = more >= fewer;
        const double strength = (several ? more : fewer) / total;
        if (strength < options.leastCount) continue;
        Suspicion s;
        s.outcome = several ? Outcome::Unrecognized : found == 1 ? Outcome::Spurious : Outcome::Shredded;
        s.evidence = Evidence::Count;
        s.strength = strength;
        s.blend = blend.id;
        s.detections = blend.objects;
        s.source = QStringLiteral("count probabilities");
        for (const int id : blend.objects) {
            if (const Object* o = result.object(id)) s.places.push_back({o->x, o->y});
        }
        if (s.places.empty()) continue;
        s.x = s.places.front().x;
        s.y = s.places.front().y;
        s.box = around(scene, s.places);
        s.words = QStringLiteral("The count gives %1 % for %2 than the %3 found in blend %4.")
                      .arg(100.0 * strength, 0, 'f', 0)
                      .arg(several ? QStringLiteral("more objects") : QStringLiteral("fewer objects"))
                      .arg(found)
                      .arg(blend.id);
        list.push_back(std::move(s));
    }
    for (const Object& o : result.objects) {
        double total = 0.0, several = 0.0;
        for (auto it = o.extra.begin(); it != o.extra.end(); ++it) {
            if (!it.key().startsWith(QLatin1String("count_p")) || !std::isfinite(it.value())) continue;
            bool ok = false;
            const int n = it.key().mid(7).toInt(&ok);
            if (!ok) continue;
            total += it.value();
            if (n > 1) several += it.value();
        }
        const double p = total > 0.0 ? several / total : 0.0;
        if (p < options.leastCount || p <= 0.0) continue;
        Suspicion s;
        s.outcome = Outcome::Unrecognized;
        s.evidence = Evidence::Count;
        s.x = o.x;
        s.y = o.y;
        s.blend = o.parent;
        s.detections = {o.id};
        s.strength = p;
        s.source = QStringLiteral("count probabilities");
        s.places = {{o.x, o.y}};
        s.box = around(scene, s.places);
        s.words = QStringLiteral("The method itself gives %1 % for more than one object in detection %2.")
                      .arg(100.0 * p, 0, 'f', 0)
                      .arg(o.id);
        list.push_back(std::move(s));
    }
    sortByStrength(list);
    return list;
}

std::vector<ReferenceObject> referenceOf(const Scene& scene, const Result& result, const Scene& sharper,
                                         const Result& seen, PixelPosition* offset) {
    if (!scene.wcs.isValid() || !sharper.wcs.isValid()) {
        throw UsageError(
            QStringLiteral("%1 has no WCS: its objects cannot be brought onto those of %2")
                .arg(scene.wcs.isValid() ? sharper.id : scene.id, scene.wcs.isValid() ? scene.id : sharper.id));
    }
    std::vector<ReferenceObject> list;
    std::vector<PixelPosition> places;
    for (const Object& o : seen.objects) {
        const auto sky = sharper.wcs.toSky(o.x, o.y);
        const auto pixel = sky ? scene.wcs.toPixel(*sky) : std::optional<PixelPosition>();
        if (!pixel) continue;
        ReferenceObject r;
        r.row = o.id;
        r.x = pixel->x;
        r.y = pixel->y;
        for (const BandFlux& f : o.bands) {
            if (f.flux > 0.0f) r.flux = (std::isfinite(r.flux) ? r.flux : 0.0) + double(f.flux);
        }
        r.significance = snrOf(o);
        list.push_back(r);
        places.push_back(*pixel);
    }
    // Frames of two surveys differ by a tenth of an arcsecond or so.
    const double arcsec = scene.pixelScale > 0.0 ? 1.0 / scene.pixelScale : 5.0;
    const Matches partners = matchNearestFirst(places, positionsOf(result), arcsec);
    std::vector<double> dx, dy;
    for (size_t i = 0; i < places.size(); ++i) {
        if (partners.partner[i] < 0) continue;
        const Object& o = result.objects[static_cast<size_t>(partners.partner[i])];
        dx.push_back(o.x - places[i].x);
        dy.push_back(o.y - places[i].y);
    }
    PixelPosition shift{0.0, 0.0};
    if (dx.size() >= 3) {
        std::sort(dx.begin(), dx.end());
        std::sort(dy.begin(), dy.end());
        shift = {dx[dx.size() / 2], dy[dy.size() / 2]};
        for (ReferenceObject& r : list) {
            r.x += shift.x;
            r.y += shift.y;
        }
    }
    if (offset) *offset = shift;
    return list;
}

QJsonObject toJson(const std::vector<Suspicion>& suspicions) {
    QJsonArray array;
    for (const Suspicion& s : suspicions) {
        QJsonArray places;
        for (const PixelPosition& p : s.places) {
            places.append(QJsonArray{p.x, p.y});
        }
        array.append(QJsonObject{
            {QStringLiteral("outcome"), outcomeWord(s.outcome)},
            {QStringLiteral("evidence"), evidenceWord(s.evidence)},
            {QStringLiteral("x"), s.x},
            {QStringLiteral("y"), s.y},
            {QStringLiteral("box"), QJsonArray{s.box.x0, s.box.y0, s.box.width, s.box.height}},
            {QStringLiteral("strength"), s.strength},
            {QStringLiteral("significance"), std::isfinite(s.significance) ? QJsonValue(s.significance) : QJsonValue()},
            {QStringLiteral("blend"), s.blend},
            {QStringLiteral("detections"), jsonIds(s.detections)},
            {QStringLiteral("source"), s.source},
            {QStringLiteral("others"), jsonIds(s.others)},
            {QStringLiteral("places"), places},
            {QStringLiteral("words"), s.words}});
    }
    return {{QStringLiteral("suspicions"), array}};
}

std::vector<Suspicion> suspicionsFromJson(const QJsonObject& json) {
    if (!json.value(QStringLiteral("suspicions")).isArray()) {
        throw ReadError(QStringLiteral("there is no list \"suspicions\" in this file"));
    }
    std::vector<Suspicion> list;
    for (const QJsonValue value : json.value(QStringLiteral("suspicions")).toArray()) {
        const QJsonObject o = value.toObject();
        Suspicion s;
        s.outcome = outcomeFromWord(o.value(QStringLiteral("outcome")).toString());
        for (const auto& [kind, word] : kEvidence) {
            if (o.value(QStringLiteral("evidence")).toString() == QLatin1String(word)) s.evidence = kind;
        }
        s.x = o.value(QStringLiteral("x")).toDouble();
        s.y = o.value(QStringLiteral("y")).toDouble();
        const QJsonArray box = o.value(QStringLiteral("box")).toArray();
        s.box = {box.at(0).toInt(), box.at(1).toInt(), box.at(2).toInt(), box.at(3).toInt()};
        s.strength = o.value(QStringLiteral("strength")).toDouble();
        s.significance = o.value(QStringLiteral("significance")).toDouble(double(kNan));
        s.blend = o.value(QStringLiteral("blend")).toInt();
        s.detections = idsOfJson(o.value(QStringLiteral("detections")));
        s.source = o.value(QStringLiteral("source")).toString();
        s.others = idsOfJson(o.value(QStringLiteral("others")));
        for (const QJsonValue p : o.value(QStringLiteral("places")).toArray()) {
            s.places.push_back({p.toArray().at(0).toDouble(), p.toArray().at(1).toDouble()});
        }
        s.words = o.value(QStringLiteral("words")).toString();
        list.push_back(std::move(s));
    }
    return list;
}

} // namespace blendscope
