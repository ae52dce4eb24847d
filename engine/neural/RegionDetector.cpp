#include "neural/RegionDetector.h"

#include <cmath>
#include <torch/torch.h>

namespace blendscope {

namespace {

constexpr int kAtOnce = 128; ///< regions a pass: bounds memory

RegionNetImpl::Proposals part(const RegionNetImpl::Proposals& p, const torch::Tensor& which) {
    return {p.centres.index_select(0, which), p.scores.index_select(0, which), p.distances.index_select(0, which),
            p.image.index_select(0, which)};
}

/// All heads on proposed centres of one image.
struct Examination {
    Examination(RegionNet& network, const PyramidNetImpl::Levels& of, const std::vector<Centre>& centres,
                const torch::Tensor& distances);
    void addMasks(std::vector<RegionDetection>& to, const std::vector<std::int64_t>& rows) const;

    RegionNet& net;
    const PyramidNetImpl::Levels& levels;
    RegionNetImpl::Proposals proposals;
    torch::Tensor map;
    std::vector<RegionDetection> detections; ///< as `centres`, without masks
};

Examination::Examination(RegionNet& network, const PyramidNetImpl::Levels& of, const std::vector<Centre>& centres,
                         const torch::Tensor& distances)
    : net(network), levels(of) {
    const auto like = levels.fine.options();
    const auto n = static_cast<std::int64_t>(centres.size());
    const std::int64_t height = distances.size(1), width = distances.size(2);
    std::vector<float> xy, scores;
    std::vector<std::int64_t> at;
    for (const Centre& c : centres) {
        xy.insert(xy.end(), {c.x, c.y});
        scores.push_back(c.score);
        at.push_back(std::clamp<std::int64_t>(std::lround(c.y), 0, height - 1) * width +
                     std::clamp<std::int64_t>(std::lround(c.x), 0, width - 1));
    }
    proposals.centres = torch::tensor(xy).reshape({n, 2}).to(like);
    proposals.scores = torch::tensor(scores).to(like);
    proposals.distances =
        distances.reshape({4, -1}).index_select(1, torch::tensor(at).to(distances.device())).t().to(like);
    proposals.image = torch::zeros({n}, like.dtype(torch::kLong));
    map = RegionNetImpl::drawCentres(levels, proposals);
    for (std::int64_t first = 0; first < n; first += kAtOnce) {
        const torch::Tensor which = torch::arange(first, std::min(n, first + kAtOnce), like.dtype(torch::kLong));
        const RegionNetImpl::Regions r = net->regions(levels, map, part(proposals, which));
        const auto cpu = [](const torch::Tensor& t) { return t.to(torch::kCPU, torch::kFloat).contiguous(); };
        const torch::Tensor odds = cpu(torch::softmax(r.classes, 1)), positions = cpu(r.centres), boxes = cpu(r.boxes),
                            windows = cpu(r.windows);
        const auto o = odds.accessor<float, 2>(), p = positions.accessor<float, 2>(), b = boxes.accessor<float, 2>(),
                   w = windows.accessor<float, 2>();
        for (std::int64_t i = 0; i < which.size(0); ++i) {
            RegionDetection d;
            const float object = o[i][RegionNetImpl::Star] + o[i][RegionNetImpl::Galaxy];
            d.proposal = centres[first + i].score;
            // The two stages see different things: the map where a centre stands out, the heads the whole region.
            d.score = std::sqrt(d.proposal * object);
            d.star = o[i][RegionNetImpl::Star] / std::max(1e-6f, object);
            d.x = p[i][0];
            d.y = p[i][1];
            d.box = {b[i][0], b[i][1], b[i][2], b[i][3]};
            d.window = {w[i][0], w[i][1], w[i][2], w[i][3]};
            detections.push_back(d);
        }
    }
}

void Examination::addMasks(std::vector<RegionDetection>& to, const std::vector<std::int64_t>& rows) const {
    const auto n = static_cast<std::int64_t>(rows.size());
    for (std::int64_t first = 0; first < n; first += kAtOnce) {
        const std::int64_t last = std::min(n, first + kAtOnce);
        const torch::Tensor which =
            torch::tensor(std::vector<std::int64_t>(rows.begin() + first, rows.begin() + last)).to(map.device());
        const torch::Tensor masks =
            torch::sigmoid(net->masks(levels, map, proposals, which)).to(torch::kCPU, torch::kFloat).contiguous();
        for (std::int64_t i = first; i < last; ++i) {
            to[i].mask = masks[i - first];
        }
    }
}

} // namespace

std::vector<RegionDetection> detectRegions(RegionNet& net, const PyramidNetImpl::Levels& levels,
                                           const torch::Tensor& probability, const torch::Tensor& distances,
                                           const Box& core, const RegionDetectorOptions& options) {
    const torch::NoGradGuard frozen;
    const std::vector<Centre> peaks = centrePeaks(probability, options.leastProposal, options.most);
    if (peaks.empty()) return {};
    const Examination look(net, levels, peaks, distances);
    std::vector<RegionDetection> found;
    std::vector<std::int64_t> row; ///< of the proposals
    for (std::size_t i = 0; i < peaks.size(); ++i) {
        if (!core.contains(static_cast<int>(peaks[i].x), static_cast<int>(peaks[i].y))) continue;
        if (look.detections[i].score < options.leastScore) continue;
        found.push_back(look.detections[i]);
        row.push_back(static_cast<std::int64_t>(i));
    }
    std::vector<float> x, y, score;
    for (const RegionDetection& d : found) {
        x.push_back(d.x);
        y.push_back(d.y);
        score.push_back(d.score);
    }
    std::vector<RegionDetection> kept;
    std::vector<std::int64_t> keptRow;
    for (const int i : suppressNear(x, y, score, options.nearest)) {
        kept.push_back(found[i]);
        keptRow.push_back(row[i]);
    }
    if (options.masks) look.addMasks(kept, keptRow);
    return kept;
}

std::vector<RegionDetection> regionsAt(RegionNet& net, const PyramidNetImpl::Levels& levels,
                                       const torch::Tensor& distances, const std::vector<Centre>& positions) {
    const torch::NoGradGuard frozen;
    if (positions.empty()) return {};
    const Examination look(net, levels, positions, distances);
    std::vector<RegionDetection> out = look.detections;
    std::vector<std::int64_t> rows(out.size());
    for (std::size_t i = 0; i < out.size(); ++i) {
        rows[i] = static_cast<std::int64_t>(i);
        out[i].x = positions[i].x;
        out[i].y = positions[i].y;
    }
    look.addMasks(out, rows);
    return out;
}

} // namespace blendscope
