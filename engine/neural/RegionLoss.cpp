#include "core/Error.h"
#include "core/Random.h"
#include "neural/RegionSample.h"
#include "neural/RoiAlign.h"

#include <cmath>
#include <torch/torch.h>

namespace blendscope {

namespace {

/// Regions of a batch to learn from: the network's proposals, and the objects that it did not propose.
struct Chosen {
    RegionNetImpl::Proposals proposals;
    std::vector<std::int64_t> object; ///< row of "objects" of each region, -1 = none
};

/// Each proposal, best first, takes the nearest object within reach that none has taken.
Chosen choose(const Tensors& batch, const RegionNetImpl::Dense& dense, const RegionLossOptions& options) {
    const torch::NoGradGuard frozen;
    const torch::Device cpu(torch::kCPU);
    const torch::Tensor maps = torch::sigmoid(dense.logits).to(cpu, torch::kFloat);
    const torch::Tensor sizes = dense.distances.to(cpu, torch::kFloat).contiguous();
    const torch::Tensor objects = batch.at("objects").to(cpu, torch::kFloat).contiguous();
    const torch::Tensor images = batch.at("object_image").to(cpu);
    const auto o = objects.accessor<float, 2>();
    const auto image = images.accessor<std::int64_t, 1>();
    const auto size = sizes.accessor<float, 4>();
    Random random(options.seed, 0x6c6f7373ull);

    std::vector<float> centres, scores, distances;
    std::vector<std::int64_t> where;
    Chosen out;
    for (std::int64_t n = 0; n < maps.size(0); ++n) {
        std::vector<std::int64_t> here;
        for (std::int64_t k = 0; k < objects.size(0); ++k) {
            if (image[k] == n) here.push_back(k);
        }
        std::vector<bool> taken(here.size(), false);
        for (const Centre& c : centrePeaks(maps[n], options.leastScore, options.proposals)) {
            int best = -1;
            float least = options.radius;
            for (size_t i = 0; i < here.size(); ++i) {
                const float d = std::hypot(o[here[i]][CentreX] - c.x, o[here[i]][CentreY] - c.y);
                if (taken[i] || d >= least) continue;
                least = d;
                best = static_cast<int>(i);
            }
            if (best >= 0) taken[best] = true;
            centres.insert(centres.end(), {c.x, c.y});
            scores.push_back(c.score);
            for (int side = 0; side < 4; ++side) {
                distances.push_back(size[n][side][static_cast<int>(c.y)][static_cast<int>(c.x)]);
            }
            where.push_back(n);
            out.object.push_back(best >= 0 ? here[best] : -1);
        }
        for (size_t i = 0; i < here.size(); ++i) {
            const auto& t = o[here[i]];
            if (taken[i] || t[Wanted] < 0.5f) continue;
            const auto x = static_cast<float>(t[CentreX] + 0.4 * random.normal()),
                       y = static_cast<float>(t[CentreY] + 0.4 * random.normal());
            centres.insert(centres.end(), {x, y});
            scores.push_back(0.5f);
            const auto noisy = [&](float d) {
                return static_cast<float>(std::max(1.0f, d) * std::exp(0.15 * random.normal()));
            };
            distances.insert(distances.end(),
                             {noisy(x - t[BoxX0]), noisy(y - t[BoxY0]), noisy(t[BoxX1] - x), noisy(t[BoxY1] - y)});
            where.push_back(n);
            out.object.push_back(here[i]);
        }
    }
    const auto n = static_cast<std::int64_t>(scores.size());
    const auto options32 = batch.at("images").options();
    out.proposals.centres = torch::tensor(centres).reshape({n, 2}).to(options32);
    out.proposals.scores = torch::tensor(scores).to(options32);
    out.proposals.distances = torch::tensor(distances).reshape({n, 4}).to(options32);
    out.proposals.image = torch::tensor(where, torch::kLong).to(options32.device());
    return out;
}

torch::Tensor meanOver(const torch::Tensor& values, const torch::Tensor& weight) {
    return (values * weight).sum() / weight.sum().clamp_min(1e-6);
}

torch::Tensor huber(const torch::Tensor& a, const torch::Tensor& b, double beta) {
    return torch::smooth_l1_loss(a, b, torch::Reduction::None, beta);
}

/// Distances from centres [R, 2] to the edges of boxes [R, 4]: left, top, right, bottom.
torch::Tensor edges(const torch::Tensor& centres, const torch::Tensor& boxes) {
    return torch::cat({centres - boxes.narrow(1, 0, 2), boxes.narrow(1, 2, 2) - centres}, 1).clamp_min(1);
}

torch::Tensor distanceLoss(const Tensors& batch, const RegionNetImpl::Dense& dense) {
    // The centre's pixel and its four neighbours, which may be proposed in its place.
    const torch::Tensor& objects = batch.at("objects");
    const torch::Tensor rows = (objects.select(1, Wanted) > 0.5).nonzero().squeeze(1);
    if (rows.size(0) == 0) return dense.distances.sum() * 0;
    const torch::Tensor wanted = objects.index_select(0, rows);
    const torch::Tensor image = batch.at("object_image").index_select(0, rows);
    const std::int64_t h = dense.logits.size(1), w = dense.logits.size(2);
    std::vector<torch::Tensor> losses;
    const int steps[5][2] = {{0, 0}, {1, 0}, {-1, 0}, {0, 1}, {0, -1}};
    for (const auto& step : steps) {
        const torch::Tensor x = (wanted.select(1, CentreX).round() + step[0]).clamp(0, double(w - 1));
        const torch::Tensor y = (wanted.select(1, CentreY).round() + step[1]).clamp(0, double(h - 1));
        const torch::Tensor at =
            dense.distances.permute({0, 2, 3, 1}).index({image, y.to(torch::kLong), x.to(torch::kLong)});
        const torch::Tensor goal = edges(torch::stack({x, y}, 1), wanted.narrow(1, BoxX0, 4));
        losses.push_back(huber(at.log(), goal.log(), 0.3).mean());
    }
    return torch::stack(losses).mean();
}

/// The truth of a region's mask: the light of its object, and of all, at the mask's samples.
void addMaskLosses(Tensors& losses, const Tensors& batch, const torch::Tensor& masks, const torch::Tensor& windows,
                   const torch::Tensor& image, const torch::Tensor& object) {
    const torch::Tensor light = roiAlign(batch.at("iso"), windows, object, RegionNetImpl::kMaskSide, 1.0);
    const torch::Tensor all = roiAlign(batch.at("total"), windows, image, RegionNetImpl::kMaskSide, 1.0);
    const torch::Tensor grid = roiGrid(windows, RegionNetImpl::kMaskSide);
    const auto h = static_cast<double>(batch.at("total").size(2)), w = static_cast<double>(batch.at("total").size(3));
    const torch::Tensor inside = ((grid.select(3, 0) > -0.5) & (grid.select(3, 0) < w - 0.5) &
                                  (grid.select(3, 1) > -0.5) & (grid.select(3, 1) < h - 0.5))
                                     .to(light.dtype())
                                     .unsqueeze(1);
    const auto entropy = [](const torch::Tensor& logits, const torch::Tensor& target) {
        return torch::binary_cross_entropy_with_logits(logits, target, {}, {}, torch::Reduction::None);
    };
    const torch::Tensor share = (light / all.clamp_min(0.05)).clamp(0, 1);
    const torch::Tensor bright = (all / 2).clamp(0, 1) * (all > 0.3).to(all.dtype()) * inside;
    losses["share"] = meanOver(entropy(masks.narrow(1, 0, kBandSlots), share), bright);
    const torch::Tensor bands = batch.at("presence").index_select(0, image).sum(1).clamp_min(1).sqrt();
    const torch::Tensor extent = (light.sum(1, true) / bands.view({-1, 1, 1, 1}) > 1).to(light.dtype());
    losses["extent"] = meanOver(entropy(masks.narrow(1, kBandSlots, 1), extent), inside.expand_as(extent));
}

} // namespace

Tensors regionLosses(RegionNet& net, const Tensors& batch, const RegionLossOptions& options) {
    const RegionNetImpl::Dense dense =
        net->dense(batch.at("images"), batch.at("presence"), batch.at("fwhm"), batch.at("poisson"));
    Tensors losses;
    losses["centre"] = centreLoss(dense.logits, batch.at("centres"), batch.at("care"));
    losses["distance"] = distanceLoss(batch, dense);

    const Chosen chosen = choose(batch, dense, options);
    const RegionNetImpl::Proposals& p = chosen.proposals;
    const torch::Tensor nothing = dense.logits.sum() * 0;
    for (const char* name : {"class", "position", "box", "share", "extent"}) {
        losses[name] = nothing;
    }
    const auto device = batch.at("images").device();
    if (p.scores.size(0) > 0) {
        const torch::Tensor map = RegionNetImpl::drawCentres(dense.levels, p);
        const RegionNetImpl::Regions r = net->regions(dense.levels, map, p);
        const torch::Tensor object = torch::tensor(chosen.object, torch::kLong).to(device);
        const torch::Tensor row = object.clamp_min(0);
        const torch::Tensor truth = batch.at("objects").size(0) > 0
                                        ? batch.at("objects").index_select(0, row)
                                        : torch::zeros({object.size(0), kObjectColumns}, p.scores.options());
        const torch::Tensor has = object >= 0, wanted = has & (truth.select(1, Wanted) > 0.5);
        const torch::Tensor kind =
            torch::where(truth.select(1, IsStar) > 0.5, torch::full_like(object, RegionNetImpl::Star),
                         torch::full_like(object, RegionNetImpl::Galaxy));
        const torch::Tensor goal = torch::where(wanted, kind, torch::full_like(object, RegionNetImpl::Nothing));
        const torch::Tensor counts = (wanted | ~has).to(p.scores.dtype());
        losses["class"] =
            meanOver(torch::nll_loss(torch::log_softmax(r.classes, 1), goal, {}, torch::Reduction::None), counts);
        const torch::Tensor real = wanted.nonzero().squeeze(1);
        if (real.size(0) > 0) {
            const torch::Tensor t = truth.index_select(0, real);
            const torch::Tensor xy = t.narrow(1, CentreX, 2);
            losses["position"] = huber(r.centres.index_select(0, real), xy, 0.5).mean();
            const torch::Tensor boxes = r.boxes.index_select(0, real), centres = r.centres.index_select(0, real);
            losses["box"] = huber(edges(centres, boxes).log(), edges(xy, t.narrow(1, BoxX0, 4)).log(), 0.2).mean();

            if (net->hasMasks()) {
                const torch::Tensor masks = net->masks(dense.levels, map, p, real);
                addMaskLosses(losses, batch, masks, r.windows.index_select(0, real), p.image.index_select(0, real),
                              object.index_select(0, real));
            }
        }
    }
    losses["total"] = losses["centre"] + 0.5 * losses["distance"] + losses["class"] + 0.5 * losses["position"] +
                      0.5 * losses["box"] + losses["share"] + 0.5 * losses["extent"];
    return losses;
}

} // namespace blendscope
