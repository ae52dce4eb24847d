#include "judge/Attribution.h"

#include "judge/Matching.h"

#include <QHash>
#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

// A further detection is a piece of an object where that has at least this light, S/N per pixel.
constexpr float kLeastPieceLight = 0.05f;

class Groups {
public:
    explicit Groups(size_t count) : m_parent(count) { std::iota(m_parent.begin(), m_parent.end(), size_t(0)); }
    size_t find(size_t a) {
        while (m_parent[a] != a) {
            m_parent[a] = m_parent[m_parent[a]];
            a = m_parent[a];
        }
        return a;
    }
    void join(size_t a, size_t b) {
        a = find(a);
        b = find(b);
        if (a != b) m_parent[std::max(a, b)] = std::min(a, b);
    }

private:
    std::vector<size_t> m_parent;
};

bool finite(double x, double y) {
    return std::isfinite(x) && std::isfinite(y);
}

cv::Point pixelOf(double x, double y, cv::Size size) {
    return {std::clamp(static_cast<int>(std::floor(std::clamp(x, -1.0, 1e9) + 0.5)), 0, size.width - 1),
            std::clamp(static_cast<int>(std::floor(std::clamp(y, -1.0, 1e9) + 0.5)), 0, size.height - 1)};
}

/// All that is known while verdicts are being found; indices from 0, -1 = none.
class Attributor {
public:
    explicit Attributor(const AttributionInput& input);
    Judgement run();

private:
    void mapLight();
    void matchOwn();
    void findHosts();
    void findPieces();
    void judgeTruths();
    void judgeDetections();
    void group();
    void writeWords();

    [[nodiscard]] float lightAt(size_t truth, cv::Point p) const;
    [[nodiscard]] int brightestAt(cv::Point p) const { return m_brightest.empty() ? -1 : m_brightest.at<int>(p) - 1; }
    [[nodiscard]] double distance(size_t truth, size_t detection) const;
    [[nodiscard]] QString name(size_t truth) const;
    [[nodiscard]] QString names(const std::vector<int>& ids) const;
    [[nodiscard]] QString alone(size_t truth) const;

    const AttributionInput& m_in;
    size_t m_truths, m_detections;
    std::vector<char> m_counts, m_alone;       ///< bright enough and usable; would be detected alone
    std::vector<cv::Point> m_peak;             ///< brightest pixel of a truth
    std::vector<cv::Point> m_pixel;            ///< of a detection
    cv::Mat m_total, m_brightest;              ///< all light; index + 1 of the object with most
    cv::Mat m_footprint;                       ///< label of connected light
    std::vector<int> m_own, m_host;            ///< per truth
    std::vector<int> m_owner, m_piece;         ///< per detection
    std::vector<std::vector<size_t>> m_guests; ///< per detection: the truths that it holds
    std::vector<std::vector<size_t>> m_pieces; ///< per truth: further detections
    QHash<int, int> m_detectionOf;             ///< id -> index
    QHash<int, size_t> m_truthOf;
    Judgement m_out;
};

Attributor::Attributor(const AttributionInput& input)
    : m_in(input), m_truths(input.truths.size()), m_detections(input.detections.size()), m_counts(m_truths, 0),
      m_alone(m_truths, 0), m_own(m_truths, -1), m_host(m_truths, -1), m_owner(m_detections, -1),
      m_piece(m_detections, -1), m_guests(m_detections), m_pieces(m_truths) {
    for (size_t t = 0; t < m_truths; ++t) {
        const AttributionTruth& truth = input.truths[t];
        const bool usable = truth.usable && finite(truth.x, truth.y) && !input.size.empty();
        m_alone[t] = usable && truth.detectionsAlone > 0;
        m_counts[t] = usable && (m_alone[t] || truth.snr >= input.leastSnr);
        m_truthOf.insert(truth.id, t);
    }
    for (size_t d = 0; d < m_detections; ++d) {
        const AttributionDetection& detection = input.detections[d];
        m_detectionOf.insert(detection.id, static_cast<int>(d));
        m_pixel.push_back(input.size.empty() || !finite(detection.x, detection.y)
                              ? cv::Point(-1, -1)
                              : pixelOf(detection.x, detection.y, input.size));
    }
}

float Attributor::lightAt(size_t truth, cv::Point p) const {
    const AttributionTruth& t = m_in.truths[truth];
    return !t.light.empty() && t.box.contains(p.x, p.y) ? t.light.at<float>(p.y - t.box.y0, p.x - t.box.x0) : 0.0f;
}

double Attributor::distance(size_t truth, size_t detection) const {
    const double d = std::hypot(m_in.truths[truth].x - m_in.detections[detection].x,
                                m_in.truths[truth].y - m_in.detections[detection].y);
    return std::isfinite(d) ? d : std::numeric_limits<double>::max();
}

void Attributor::mapLight() {
    m_peak.assign(m_truths, {-1, -1});
    if (m_in.size.empty()) return;
    m_total = cv::Mat::zeros(m_in.size, CV_32F);
    m_brightest = cv::Mat::zeros(m_in.size, CV_32S);
    cv::Mat best = cv::Mat::zeros(m_in.size, CV_32F);
    for (size_t t = 0; t < m_truths; ++t) {
        const AttributionTruth& truth = m_in.truths[t];
        if (!m_counts[t]) continue;
        m_peak[t] = pixelOf(truth.x, truth.y, m_in.size);
        if (truth.light.empty()) continue;
        const Box inside = truth.box.intersected(Box::of(m_in.size));
        float top = 0.0f;
        for (int y = inside.y0; y < inside.y1(); ++y) {
            const float* light = truth.light.ptr<float>(y - truth.box.y0) - truth.box.x0;
            auto* total = m_total.ptr<float>(y);
            auto* most = best.ptr<float>(y);
            auto* who = m_brightest.ptr<int>(y);
            for (int x = inside.x0; x < inside.x1(); ++x) {
                const float v = light[x];
                if (!(v > 0.0f)) continue;
                total[x] += v;
                if (v > most[x]) {
                    most[x] = v;
                    who[x] = static_cast<int>(t) + 1;
                }
                if (v > top) {
                    top = v;
                    m_peak[t] = {x, y};
                }
            }
        }
    }
    cv::Mat above = m_total > m_in.footprintLevel;
    cv::connectedComponents(above, m_footprint, 8, CV_32S);
}

void Attributor::matchOwn() {
    std::vector<size_t> alone, weak;
    for (size_t t = 0; t < m_truths; ++t) {
        if (m_alone[t]) {
            alone.push_back(t);
        } else if (m_counts[t]) {
            weak.push_back(t);
        }
    }
    const auto give = [&](size_t t, size_t d) {
        m_own[t] = static_cast<int>(d);
        m_owner[d] = static_cast<int>(t);
    };
    const auto positions = [&](const std::vector<size_t>& truths) {
        std::vector<PixelPosition> list;
        for (const size_t t : truths) {
            list.push_back({m_in.truths[t].x, m_in.truths[t].y});
        }
        return list;
    };
    std::vector<PixelPosition> places;
    for (const AttributionDetection& d : m_in.detections) {
        places.push_back({d.x, d.y});
    }
    const Matches first = matchHungarian(positions(alone), places, m_in.radius);
    for (size_t i = 0; i < alone.size(); ++i) {
        if (first.partner[i] >= 0) give(alone[i], static_cast<size_t>(first.partner[i]));
    }

    // Off-centre: no object that would be detected is nearer to the detection.
    struct Pair {
        double order;
        size_t truth, detection;
    };
    const auto giveInOrder = [&](std::vector<Pair>& pairs) {
        std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.order < b.order; });
        for (const Pair& p : pairs) {
            if (m_own[p.truth] < 0 && m_owner[p.detection] < 0) give(p.truth, p.detection);
        }
    };
    const PointGrid grid(positions(alone), m_in.reach);
    std::vector<Pair> pairs;
    for (size_t d = 0; d < m_detections; ++d) {
        if (m_owner[d] >= 0 || m_pixel[d].x < 0) continue;
        const PointGrid::Hit hit = grid.nearest(places[d].x, places[d].y, m_in.reach);
        if (hit.index < 0) continue;
        const size_t t = alone[static_cast<size_t>(hit.index)];
        if (m_own[t] < 0) pairs.push_back({hit.distance, t, d});
    }
    giveInOrder(pairs);

    // Large objects that are found far from their middle.
    pairs.clear();
    for (size_t d = 0; d < m_detections; ++d) {
        if (m_owner[d] >= 0 || m_pixel[d].x < 0) continue;
        const int t = brightestAt(m_pixel[d]);
        if (t < 0 || !m_alone[static_cast<size_t>(t)] || m_own[static_cast<size_t>(t)] >= 0) continue;
        pairs.push_back({distance(static_cast<size_t>(t), d), static_cast<size_t>(t), d});
    }
    giveInOrder(pairs);

    std::vector<PixelPosition> left;
    std::vector<size_t> leftIndex;
    for (size_t d = 0; d < m_detections; ++d) {
        if (m_owner[d] >= 0) continue;
        left.push_back(places[d]);
        leftIndex.push_back(d);
    }
    const Matches second = matchHungarian(positions(weak), left, m_in.radius);
    for (size_t i = 0; i < weak.size(); ++i) {
        if (second.partner[i] >= 0) give(weak[i], leftIndex[static_cast<size_t>(second.partner[i])]);
    }
}

void Attributor::findHosts() {
    // Detections by the light that they stand in, for objects that no detection's pixels hold.
    std::map<int, std::vector<size_t>> inLight;
    for (size_t d = 0; d < m_detections; ++d) {
        int label = m_pixel[d].x >= 0 && !m_footprint.empty() ? m_footprint.at<int>(m_pixel[d]) : 0;
        if (label == 0 && m_owner[d] >= 0 && !m_footprint.empty()) {
            label = m_footprint.at<int>(m_peak[static_cast<size_t>(m_owner[d])]);
        }
        if (label > 0) inLight[label].push_back(d);
    }
    const bool labelled = m_in.labels.size() == m_in.size && m_in.labels.type() == CV_32S;
    for (size_t t = 0; t < m_truths; ++t) {
        if (!m_counts[t]) continue;
        if (m_own[t] >= 0) {
            m_host[t] = m_own[t];
            continue;
        }
        if (labelled) {
            const int id = m_in.labels.at<int>(m_peak[t]);
            if (id > 0) m_host[t] = m_detectionOf.value(id, -1);
        }
        const AttributionTruth& truth = m_in.truths[t];
        if (m_host[t] < 0 && labelled && !truth.light.empty()) {
            std::map<int, double> share;
            double all = 0.0;
            const Box inside = truth.box.intersected(Box::of(m_in.size));
            for (int y = inside.y0; y < inside.y1(); ++y) {
                const int* ids = m_in.labels.ptr<int>(y);
                const float* light = truth.light.ptr<float>(y - truth.box.y0) - truth.box.x0;
                for (int x = inside.x0; x < inside.x1(); ++x) {
                    if (!(light[x] > 0.0f)) continue;
                    all += double(light[x]);
                    if (ids[x] > 0) share[ids[x]] += double(light[x]);
                }
            }
            double most = m_in.leastShare * all;
            for (const auto& [id, light] : share) {
                const int d = m_detectionOf.value(id, -1);
                if (d < 0 || !(light > most)) continue;
                most = light;
                m_host[t] = d;
            }
        }
        if (m_host[t] < 0 && !m_footprint.empty()) {
            const auto it = inLight.find(m_footprint.at<int>(m_peak[t]));
            double nearest = std::numeric_limits<double>::max();
            for (const size_t d : it != inLight.end() ? it->second : std::vector<size_t>()) {
                if (distance(t, d) >= nearest) continue;
                nearest = distance(t, d);
                m_host[t] = static_cast<int>(d);
            }
        }
    }
    // A detection that nobody owns becomes that of the nearest such object in it, however far off it lies.
    for (size_t t = 0; t < m_truths; ++t) {
        if (!m_alone[t] || m_own[t] >= 0 || m_host[t] < 0) continue;
        const auto d = static_cast<size_t>(m_host[t]);
        const int rival = m_owner[d];
        if (rival >= 0 && m_own[static_cast<size_t>(rival)] >= 0) continue;
        if (rival < 0 || distance(t, d) < distance(static_cast<size_t>(rival), d)) m_owner[d] = static_cast<int>(t);
    }
    for (size_t d = 0; d < m_detections; ++d) {
        if (m_owner[d] >= 0) m_own[static_cast<size_t>(m_owner[d])] = static_cast<int>(d);
    }
}

void Attributor::findPieces() {
    std::map<int, std::vector<size_t>> owned; // by parent
    for (size_t d = 0; d < m_detections; ++d) {
        if (m_owner[d] >= 0 && m_in.detections[d].parent > 0) owned[m_in.detections[d].parent].push_back(d);
    }
    struct Left {
        double distance;
        size_t truth, detection;
    };
    std::vector<Left> left;
    for (size_t d = 0; d < m_detections; ++d) {
        if (m_owner[d] >= 0 || m_pixel[d].x < 0) continue;
        int t = brightestAt(m_pixel[d]);
        if (t >= 0 && lightAt(static_cast<size_t>(t), m_pixel[d]) < kLeastPieceLight) t = -1;
        if (t < 0) {
            const auto it = owned.find(m_in.detections[d].parent);
            double nearest = std::numeric_limits<double>::max();
            for (const size_t other : it != owned.end() ? it->second : std::vector<size_t>()) {
                const auto owner = static_cast<size_t>(m_owner[other]);
                if (distance(owner, d) >= nearest) continue;
                nearest = distance(owner, d);
                t = static_cast<int>(owner);
            }
        }
        if (t >= 0) left.push_back({distance(static_cast<size_t>(t), d), static_cast<size_t>(t), d});
    }
    std::stable_sort(left.begin(), left.end(), [](const Left& a, const Left& b) { return a.distance < b.distance; });
    for (const auto& [far, t, d] : left) {
        // The first detection in the light of an object that would not be seen alone is no piece but holds it.
        if (m_own[t] < 0 && !m_alone[t] && (m_host[t] < 0 || m_host[t] == static_cast<int>(d))) {
            m_host[t] = static_cast<int>(d);
            continue;
        }
        m_piece[d] = static_cast<int>(t);
        m_pieces[t].push_back(d);
    }
    for (std::vector<size_t>& pieces : m_pieces) {
        std::sort(pieces.begin(), pieces.end(),
                  [&](size_t x, size_t y) { return m_in.detections[x].id < m_in.detections[y].id; });
    }
    for (size_t t = 0; t < m_truths; ++t) {
        if (m_host[t] >= 0) m_guests[static_cast<size_t>(m_host[t])].push_back(t);
    }
    // One weak object in a detection that nobody else owns: it is its own.
    for (size_t d = 0; d < m_detections; ++d) {
        if (m_owner[d] >= 0 || m_piece[d] >= 0 || m_guests[d].size() != 1 || m_alone[m_guests[d].front()]) continue;
        m_owner[d] = static_cast<int>(m_guests[d].front());
        m_own[m_guests[d].front()] = static_cast<int>(d);
    }
}

void Attributor::judgeTruths() {
    for (size_t t = 0; t < m_truths; ++t) {
        const AttributionTruth& truth = m_in.truths[t];
        TruthVerdict v;
        v.id = truth.id;
        v.x = truth.x;
        v.y = truth.y;
        v.known = truth.known;
        v.snr = truth.snr;
        v.detectionsAlone = m_alone[t] ? truth.detectionsAlone : 0;
        v.detectedAlone = m_alone[t];
        v.significanceAlone = m_alone[t] ? truth.significanceAlone : std::numeric_limits<double>::quiet_NaN();
        const auto id = [&](int d) { return d >= 0 ? m_in.detections[static_cast<size_t>(d)].id : 0; };
        v.own = id(m_own[t]);
        v.host = id(m_host[t]);
        if (v.host > 0) v.detections.push_back(v.host);
        for (const size_t d : m_pieces[t]) {
            v.detections.push_back(m_in.detections[d].id);
        }
        int others = 0; // in the same detection, that would be detected alone
        int weakOthers = 0;
        if (m_host[t] >= 0) {
            for (const size_t u : m_guests[static_cast<size_t>(m_host[t])]) {
                if (u == t) continue;
                v.sharedWith.push_back(m_in.truths[u].id);
                ++(m_alone[u] ? others : weakOthers);
            }
            std::sort(v.sharedWith.begin(), v.sharedWith.end());
        }
        if (!m_counts[t]) {
            const bool outside = !truth.usable || !finite(truth.x, truth.y) || m_in.size.empty();
            v.outcome = outside ? Outcome::Outside : Outcome::Invisible;
        } else if (m_host[t] < 0) {
            v.outcome = m_alone[t] ? Outcome::Lost : Outcome::Invisible;
        } else if (m_alone[t]) {
            v.outcome = others > 0 || m_own[t] < 0 ? Outcome::Unrecognized
                        : m_pieces[t].empty()      ? Outcome::Recognized
                                                   : Outcome::Shredded;
        } else if (others > 0 || m_piece[static_cast<size_t>(m_host[t])] >= 0) {
            v.outcome = Outcome::Undetected;
        } else {
            v.outcome = weakOthers > 0 ? Outcome::Merged : Outcome::Boosted;
        }
        if (!truth.light.empty() && m_counts[t]) {
            double self = 0.0, both = 0.0;
            const Box inside = truth.box.intersected(Box::of(m_in.size));
            for (int y = inside.y0; y < inside.y1(); ++y) {
                const float* light = truth.light.ptr<float>(y - truth.box.y0) - truth.box.x0;
                const auto* total = m_total.ptr<float>(y);
                for (int x = inside.x0; x < inside.x1(); ++x) {
                    if (!(light[x] > 0.0f)) continue;
                    self += double(light[x]) * double(light[x]);
                    both += double(light[x]) * double(total[x]);
                }
            }
            if (both > 0.0) v.blendedness = std::clamp(1.0 - self / both, 0.0, 1.0);
        }
        m_out.objects.push_back(std::move(v));
    }
}

void Attributor::judgeDetections() {
    for (size_t d = 0; d < m_detections; ++d) {
        DetectionVerdict v;
        v.id = m_in.detections[d].id;
        v.x = m_in.detections[d].x;
        v.y = m_in.detections[d].y;
        int strong = 0, weak = 0;
        bool known = false, shredded = m_piece[d] >= 0;
        for (const size_t t : m_guests[d]) {
            v.truths.push_back(m_in.truths[t].id);
            known |= m_in.truths[t].known;
            ++(m_alone[t] ? strong : weak);
            shredded |= m_own[t] == static_cast<int>(d) && !m_pieces[t].empty();
        }
        std::sort(v.truths.begin(), v.truths.end());
        if (m_owner[d] >= 0) v.owner = m_in.truths[static_cast<size_t>(m_owner[d])].id;
        if (m_piece[d] >= 0) {
            v.pieceOf = m_in.truths[static_cast<size_t>(m_piece[d])].id;
            known |= m_in.truths[static_cast<size_t>(m_piece[d])].known;
        }
        if (m_piece[d] < 0 && m_guests[d].empty()) {
            v.outcome = m_in.complete ? Outcome::Spurious : Outcome::Unknown;
        } else if (!known) {
            v.outcome = Outcome::Unknown;
        } else if (strong > 1) {
            v.outcome = Outcome::Unrecognized;
        } else if (shredded) {
            v.outcome = Outcome::Shredded;
        } else if (strong == 1) {
            // A detection that holds an object which it does not own is shared with the owner's.
            v.outcome = m_owner[d] < 0 ? Outcome::Unrecognized : weak > 0 ? Outcome::Undetected : Outcome::Recognized;
        } else {
            v.outcome = weak > 1 ? Outcome::Merged : Outcome::Boosted;
        }
        m_out.detections.push_back(std::move(v));
    }
}

void Attributor::group() {
    // Objects, detections, patches of light and footprints are nodes; ties join them.
    int lights = 0;
    if (!m_footprint.empty()) {
        double most = 0.0;
        cv::minMaxLoc(m_footprint, nullptr, &most);
        lights = static_cast<int>(most) + 1;
    }
    const size_t firstDetection = m_truths, firstLight = firstDetection + m_detections;
    std::map<int, size_t> parents;
    for (const AttributionDetection& d : m_in.detections) {
        if (d.parent > 0) parents.emplace(d.parent, 0);
    }
    size_t next = firstLight + static_cast<size_t>(lights);
    for (auto& [parent, node] : parents) {
        node = next++;
    }
    Groups groups(next);
    for (size_t t = 0; t < m_truths; ++t) {
        if (!m_counts[t]) continue;
        const int light = m_footprint.empty() ? 0 : m_footprint.at<int>(m_peak[t]);
        if (light > 0) groups.join(t, firstLight + static_cast<size_t>(light));
        if (m_host[t] >= 0) groups.join(t, firstDetection + static_cast<size_t>(m_host[t]));
        for (const size_t d : m_pieces[t]) {
            groups.join(t, firstDetection + d);
        }
    }
    for (size_t d = 0; d < m_detections; ++d) {
        const int parent = m_in.detections[d].parent;
        if (parent > 0) groups.join(firstDetection + d, parents[parent]);
    }

    std::map<size_t, size_t> blendOf;
    const auto blendAt = [&](size_t node) -> BlendVerdict& {
        const auto [it, isNew] = blendOf.emplace(groups.find(node), m_out.blends.size());
        if (isNew) {
            m_out.blends.emplace_back();
            m_out.blends.back().id = static_cast<int>(m_out.blends.size());
            m_out.blends.back().known = m_in.complete;
        }
        return m_out.blends[it->second];
    };
    for (size_t t = 0; t < m_truths; ++t) {
        TruthVerdict& v = m_out.objects[t];
        if (v.outcome == Outcome::Outside) continue;
        BlendVerdict& blend = blendAt(t);
        v.blend = blend.id;
        blend.members.push_back(v.id);
        blend.known |= v.known;
        if (m_counts[t]) ++(m_alone[t] ? blend.nSep : blend.nUnsep);
        Box box = {m_peak[t].x, m_peak[t].y, 1, 1};
        if (m_peak[t].x < 0) box = {pixelOf(v.x, v.y, m_in.size).x, pixelOf(v.x, v.y, m_in.size).y, 1, 1};
        const AttributionTruth& truth = m_in.truths[t];
        for (int y = std::max(0, -truth.box.y0); y < truth.light.rows; ++y) {
            const float* light = truth.light.ptr<float>(y);
            for (int x = 0; x < truth.light.cols; ++x) {
                if (light[x] > m_in.footprintLevel) box = box.united({truth.box.x0 + x, truth.box.y0 + y, 1, 1});
            }
        }
        blend.box = blend.box.united(box.intersected(Box::of(m_in.size)));
    }
    for (size_t d = 0; d < m_detections; ++d) {
        BlendVerdict& blend = blendAt(firstDetection + d);
        m_out.detections[d].blend = blend.id;
        blend.detections.push_back(m_in.detections[d].id);
        ++blend.nBlend;
        if (m_pixel[d].x >= 0) blend.box = blend.box.united({m_pixel[d].x, m_pixel[d].y, 1, 1});
    }
    for (BlendVerdict& blend : m_out.blends) {
        std::stable_sort(blend.members.begin(), blend.members.end(), [&](int a, int b) {
            return m_in.truths[m_truthOf.value(a)].snr > m_in.truths[m_truthOf.value(b)].snr;
        });
        int n = 0;
        for (const int id : blend.members) {
            QString letters;
            for (int k = n++; k >= 0; k = k / 26 - 1) {
                letters.prepend(QLatin1Char(static_cast<char>('A' + k % 26)));
            }
            m_out.objects[m_truthOf.value(id)].letter = letters;
        }
        if (blend.members.empty()) {
            blend.outcome = m_in.complete ? Outcome::Spurious : Outcome::Unknown;
        } else {
            blend.outcome = outcomeOfMembers(m_out, blend.members, &blend.also);
        }
    }
}

QString Attributor::name(size_t truth) const {
    const TruthVerdict& v = m_out.objects[truth];
    if (!v.known) return QStringLiteral("%1 (seen without the injected objects)").arg(v.letter);
    return v.letter.isEmpty() ? QStringLiteral("object %1").arg(v.id)
                              : QStringLiteral("%1 (object %2)").arg(v.letter).arg(v.id);
}

QString Attributor::names(const std::vector<int>& ids) const {
    QStringList list;
    for (const int id : ids) {
        list << name(m_truthOf.value(id));
    }
    if (list.size() > 4) {
        const auto more = list.size() - 3;
        list = list.mid(0, 3) + QStringList{QStringLiteral("%1 others").arg(more)};
    }
    if (list.size() < 2) return list.join(QString());
    const QString last = list.takeLast();
    return list.join(QStringLiteral(", ")) + QStringLiteral(" and ") + last;
}

/// "would be detected alone (12.3 sigma)"
QString Attributor::alone(size_t truth) const {
    const TruthVerdict& v = m_out.objects[truth];
    if (v.detectedAlone) {
        return std::isfinite(v.significanceAlone)
                   ? QStringLiteral("would be detected alone (%1 sigma)").arg(v.significanceAlone, 0, 'f', 1)
                   : QStringLiteral("would be detected alone");
    }
    return std::isfinite(v.snr) ? QStringLiteral("would not be detected alone (S/N %1)").arg(v.snr, 0, 'f', 1)
                                : QStringLiteral("would not be detected alone");
}

void Attributor::writeWords() {
    const auto numbers = [](const std::vector<int>& ids) {
        QStringList list;
        for (const int id : ids) {
            list << QString::number(id);
        }
        return list.join(QStringLiteral(", "));
    };
    for (size_t t = 0; t < m_truths; ++t) {
        TruthVerdict& v = m_out.objects[t];
        QString who = name(t);
        who[0] = who[0].toUpper();
        const QString others = names(v.sharedWith);
        switch (v.outcome) {
        case Outcome::Recognized:
            v.words = QStringLiteral("%1 has detection %2 to itself%3.")
                          .arg(who)
                          .arg(v.own)
                          .arg(v.sharedWith.empty()
                                   ? QString()
                                   : QStringLiteral(", but for %1, which would not be detected alone").arg(others));
            break;
        case Outcome::Unrecognized:
            v.words = v.own > 0 ? QStringLiteral("%1 %2, but its detection %3 also holds %4.")
                                      .arg(who, alone(t), QString::number(v.host), others)
                      : others.isEmpty() ? QStringLiteral("%1 %2, but is only a part of detection %3.")
                                               .arg(who, alone(t), QString::number(v.host))
                                         : QStringLiteral("%1 %2, but shares detection %3 with %4.")
                                               .arg(who, alone(t), QString::number(v.host), others);
            break;
        case Outcome::Shredded:
            v.words =
                QStringLiteral("%1 is one object but has %2 detections: %3%4.")
                    .arg(who)
                    .arg(v.detections.size())
                    .arg(numbers(v.detections),
                         v.detectionsAlone > 1 ? QStringLiteral("; it falls to pieces even when alone") : QString());
            break;
        case Outcome::Merged:
            v.words = QStringLiteral("%1 %2; only together with %3 is it detected, as detection %4.")
                          .arg(who, alone(t), others, QString::number(v.host));
            break;
        case Outcome::Undetected:
            v.words = QStringLiteral("%1 %2; its light is in detection %3%4.")
                          .arg(who, alone(t), QString::number(v.host),
                               others.isEmpty() ? QString() : QStringLiteral(" of %1").arg(others));
            break;
        case Outcome::Lost:
            v.words = QStringLiteral("%1 %2, but no detection holds it.").arg(who, alone(t));
            break;
        case Outcome::Boosted:
            v.words = QStringLiteral("%1 %2, yet has detection %3 to itself: light around it has helped.")
                          .arg(who, alone(t), QString::number(v.host));
            break;
        case Outcome::Invisible:
            v.words = m_counts[t] ? QStringLiteral("%1 %2, and no detection holds it.").arg(who, alone(t))
                                  : QStringLiteral("%1 is too faint to count (S/N %2).").arg(who).arg(v.snr, 0, 'f', 1);
            break;
        default:
            v.words = finite(v.x, v.y) ? QStringLiteral("%1 lies outside the usable pixels.").arg(who)
                                       : QStringLiteral("%1 has no position.").arg(who);
        }
    }
    for (size_t d = 0; d < m_detections; ++d) {
        DetectionVerdict& v = m_out.detections[d];
        const QString who = QStringLiteral("Detection %1").arg(v.id), held = names(v.truths);
        if (v.pieceOf != 0) {
            v.words = QStringLiteral("%1 is a further piece of %2.").arg(who, name(m_truthOf.value(v.pieceOf)));
        } else if (v.truths.empty()) {
            v.words = m_in.complete ? QStringLiteral("%1 has no true object: it is spurious.").arg(who)
                                    : QStringLiteral("%1 is not of a known object.").arg(who);
        } else {
            v.words = QStringLiteral("%1 holds %2.").arg(who, held);
        }
    }
    const auto count = [](int n, const QString& one, const QString& many) {
        return QStringLiteral("%1 %2").arg(n).arg(n == 1 ? one : many);
    };
    for (BlendVerdict& b : m_out.blends) {
        if (b.members.empty()) {
            b.words = QStringLiteral("%1 without a %2 object.")
                          .arg(count(b.nBlend, QStringLiteral("detection"), QStringLiteral("detections")),
                               m_in.complete ? QStringLiteral("true") : QStringLiteral("known"));
            continue;
        }
        b.words = QStringLiteral("%1: %2 would be detected alone, %3 would not; %4 in the blend.")
                      .arg(count(b.nSep + b.nUnsep, QStringLiteral("object"), QStringLiteral("objects")))
                      .arg(b.nSep)
                      .arg(b.nUnsep)
                      .arg(count(b.nBlend, QStringLiteral("detection"), QStringLiteral("detections")));
        for (const int id : b.members) {
            const TruthVerdict& v = m_out.objects[m_truthOf.value(id)];
            const bool tells = v.outcome == b.outcome && v.own == 0;
            if (!tells &&
                !(v.outcome == b.outcome && (b.outcome == Outcome::Shredded || b.outcome == Outcome::Boosted)))
                continue;
            b.words += QLatin1Char(' ') + v.words;
            break;
        }
    }
}

Judgement Attributor::run() {
    mapLight();
    matchOwn();
    findHosts();
    findPieces();
    judgeTruths();
    judgeDetections();
    group();
    writeWords();
    return std::move(m_out);
}

} // namespace

Judgement attribute(const AttributionInput& input) {
    return Attributor(input).run();
}

Outcome outcomeOfMembers(const Judgement& judgement, const std::vector<int>& members, std::vector<Outcome>* also) {
    QMap<Outcome, int> counts;
    int sep = 0, all = 0, shredded = 0;
    const std::vector<int> wanted = [&] {
        std::vector<int> sorted = members;
        std::sort(sorted.begin(), sorted.end());
        return sorted;
    }();
    const auto take = [&](const TruthVerdict& v) {
        if (v.outcome == Outcome::Outside) return;
        ++all;
        ++counts[v.outcome];
        sep += v.detectedAlone;
        shredded += v.detections.size() > 1;
    };
    // Ids count from 1 in a table of truth, so that the place is known; a search is the way out.
    for (const int id : wanted) {
        const auto place = static_cast<size_t>(id) - 1;
        if (id > 0 && place < judgement.objects.size() && judgement.objects[place].id == id) {
            take(judgement.objects[place]);
        } else if (const TruthVerdict* v = judgement.object(id)) {
            take(*v);
        }
    }
    std::vector<Outcome> list;
    const std::pair<Outcome, int> failures[] = {{Outcome::Unrecognized, counts.value(Outcome::Unrecognized)},
                                                {Outcome::Lost, counts.value(Outcome::Lost)},
                                                {Outcome::Shredded, shredded}};
    int most = 0;
    for (const auto& [outcome, n] : failures) {
        most = std::max(most, n);
    }
    for (const auto& [outcome, n] : failures) {
        if (n > 0 && n == most) list.push_back(outcome);
    }
    for (const auto& [outcome, n] : failures) {
        if (n > 0 && n < most) list.push_back(outcome);
    }
    if (counts.value(Outcome::Merged)) list.push_back(Outcome::Merged);
    if (counts.value(Outcome::Undetected) || (sep > 0 && counts.value(Outcome::Invisible))) {
        list.push_back(Outcome::Undetected);
    }
    if (counts.value(Outcome::Boosted)) list.push_back(Outcome::Boosted);
    if (counts.value(Outcome::Recognized)) list.push_back(all == 1 ? Outcome::Single : Outcome::Recognized);
    if (list.empty()) list.push_back(all > 0 ? Outcome::Invisible : Outcome::Unknown);
    const Outcome first = list.front();
    if (also) also->assign(list.begin() + 1, list.end());
    return first;
}

} // namespace blendscope
