#include "neural/RegionScore.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace blendscope {

namespace {

constexpr double kRecall = 0.8; ///< at which the precision of a class is told

} // namespace

void RegionScore::add(const std::vector<RegionDetection>& detections, const torch::Tensor& objects) {
    const torch::Tensor rows = objects.to(torch::kCPU, torch::kFloat).contiguous();
    const auto o = rows.accessor<float, 2>();
    const int count = static_cast<int>(rows.size(0)), first = static_cast<int>(m_truth.size());
    std::vector<int> group(count);
    std::iota(group.begin(), group.end(), 0);
    const auto asked = [&](int k) { return o[k][Snr] >= m_options.askedSnr; };
    for (int i = 0; i < count; ++i) {
        for (int k = 0; k < i; ++k) {
            if (!asked(i) || !asked(k) || group[i] == group[k]) continue;
            if (std::hypot(o[i][CentreX] - o[k][CentreX], o[i][CentreY] - o[k][CentreY]) >= m_options.link) continue;
            const int from = group[i], to = group[k];
            std::replace(group.begin(), group.end(), from, to);
        }
    }
    for (int i = 0; i < count; ++i) {
        Asked truth;
        truth.star = o[i][IsStar] > 0.5f;
        truth.asked = asked(i);
        if (truth.asked && std::count(group.begin(), group.end(), group[i]) > 1) truth.blend = m_blends + group[i];
        m_truth.push_back(truth);
    }
    m_blends += count;

    std::vector<int> order(detections.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](int a, int b) { return detections[a].score > detections[b].score; });
    std::vector<bool> taken(count, false);
    for (const int i : order) {
        const RegionDetection& d = detections[i];
        int best = -1;
        float least = m_options.radius;
        for (int k = 0; k < count; ++k) {
            const float distance = std::hypot(d.x - o[k][CentreX], d.y - o[k][CentreY]);
            if (taken[k] || distance >= least) continue;
            least = distance;
            best = k;
        }
        if (best >= 0) {
            taken[best] = true;
            m_iou +=
                double(intersectionOverUnion(d.box, {o[best][BoxX0], o[best][BoxY0], o[best][BoxX1], o[best][BoxY1]}));
            ++m_boxes;
        }
        m_found.push_back({d.score, d.star, best >= 0 ? first + best : -1});
    }
}

double RegionScore::classPrecision(bool star) const {
    struct Claim {
        float score;
        bool right;
    };
    std::vector<Claim> claims;
    int wanted = 0;
    for (const Asked& t : m_truth) {
        wanted += t.asked && t.star == star;
    }
    for (const Found& f : m_found) {
        // Neither right nor wrong: objects that nobody asked for.
        if (f.truth >= 0 && !m_truth[f.truth].asked) continue;
        const float odds = star ? f.star : 1.0f - f.star;
        if (!(odds > 0.0f)) continue;
        claims.push_back({f.score * odds, f.truth >= 0 && m_truth[f.truth].star == star});
    }
    std::stable_sort(claims.begin(), claims.end(), [](const Claim& a, const Claim& b) { return a.score > b.score; });
    int right = 0;
    for (size_t i = 0; i < claims.size(); ++i) {
        right += claims[i].right;
        if (right >= kRecall * wanted && wanted > 0) return double(right) / double(i + 1);
    }
    return 0.0;
}

QMap<QString, double> RegionScore::metrics() const {
    std::vector<Found> found = m_found;
    std::stable_sort(found.begin(), found.end(), [](const Found& a, const Found& b) { return a.score > b.score; });
    const auto wanted = std::count_if(m_truth.begin(), m_truth.end(), [](const Asked& t) { return t.asked; });
    double right = 0.0, wrong = 0.0, area = 0.0, complete = 0.0, known = 0.0;
    float threshold = 1.0f;
    for (const Found& f : found) {
        if (f.truth >= 0) ++known;
        if (f.truth >= 0 && m_truth[f.truth].asked) {
            ++right;
            area += right / (right + wrong);
        } else if (f.truth < 0) {
            ++wrong;
        }
        if (known >= m_options.purity * (known + wrong)) {
            complete = right;
            threshold = f.score;
        }
    }
    const double n = std::max(1.0, double(wanted));
    std::vector<bool> seen(m_truth.size(), false);
    for (const Found& f : found) {
        if (f.truth >= 0 && f.score >= threshold) seen[f.truth] = true;
    }
    QMap<int, bool> blends;
    for (size_t k = 0; k < m_truth.size(); ++k) {
        if (m_truth[k].blend < 0) continue;
        const auto it = blends.find(m_truth[k].blend);
        blends[m_truth[k].blend] = (it == blends.end() || *it) && seen[k];
    }
    const auto whole = std::count(blends.begin(), blends.end(), true);
    return {{QStringLiteral("ap"), area / n},
            {QStringLiteral("completeness"), complete / n},
            {QStringLiteral("threshold"), double(threshold)},
            {QStringLiteral("blends"), blends.empty() ? 0.0 : double(whole) / double(blends.size())},
            {QStringLiteral("star_precision"), classPrecision(true)},
            {QStringLiteral("galaxy_precision"), classPrecision(false)},
            {QStringLiteral("box_iou"), m_boxes ? m_iou / m_boxes : 0.0}};
}

} // namespace blendscope
