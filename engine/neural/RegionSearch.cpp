#include "neural/RegionSearch.h"

#include "neural/FloatBox.h"
#include "neural/Tiler.h"

#include <algorithm>
#include <cmath>

namespace blendscope {

namespace {

constexpr int kMargin = 48;         ///< pixels: the largest window's half, and the neighbours drawn in it
constexpr float kGivenScore = 0.7f; ///< of positions that someone else found
static_assert(kMargin >= RegionNetImpl::kMostWindow + 4 && kMargin % PyramidNetImpl::kStride == 0);
static_assert(RegionSearch::kBlock % PyramidNetImpl::kStride == 0);

int strideMultiple(int value) {
    constexpr int kStride = PyramidNetImpl::kStride;
    return (value + kStride - 1) / kStride * kStride;
}

void shift(RegionDetection& d, const Box& from) {
    const auto dx = static_cast<float>(from.x0), dy = static_cast<float>(from.y0);
    d.x += dx;
    d.y += dy;
    for (FloatBox* box : {&d.box, &d.window}) {
        *box = {box->x0 + dx, box->y0 + dy, box->x1 + dx, box->y1 + dy};
    }
}

} // namespace

Preprocessing regionPreprocessing() {
    Preprocessing p;
    p.bands = {QStringLiteral("u"), QStringLiteral("g"), QStringLiteral("r"),
               QStringLiteral("i"), QStringLiteral("z"), QStringLiteral("y")};
    p.scale = Preprocessing::Scale::LinearNoise;
    p.softening.assign(kBandSlots, 1.0);
    return p;
}

SlottedBands SlottedBands::of(const Scene& scene) {
    std::vector<double> wavelengths;
    for (const Band& band : scene.bands) {
        wavelengths.push_back(band.wavelength);
    }
    SlottedBands out;
    out.slots = bandSlots(wavelengths);
    out.matched.assign(kBandSlots, -1);
    out.presence = torch::zeros({1, kBandSlots});
    out.fwhm = torch::full({1, kBandSlots}, kUnknownFwhm);
    for (std::size_t b = 0; b < out.slots.size(); ++b) {
        const int slot = out.slots[b];
        out.matched[slot] = static_cast<int>(b);
        out.presence[0][slot] = 1.0f;
        const double fwhm = scene.bands[b].psf.fwhmPixels;
        if (fwhm > 0.0) out.fwhm[0][slot] = static_cast<float>(fwhm);
    }
    return out;
}

SlottedBands SlottedBands::of(const PatchReader& reader) {
    SlottedBands out = of(reader.scene());
    out.poisson = torch::zeros({1, kBandSlots});
    for (std::size_t b = 0; b < out.slots.size(); ++b) {
        out.poisson[0][out.slots[b]] = static_cast<float>(reader.poisson(b));
    }
    return out;
}

RegionSearch::RegionSearch(RegionNet net, cv::Size size, SlottedBands bands,
                           std::function<torch::Tensor(const Box&)> read, const Options& options)
    : m_net(std::move(net)), m_size(size), m_bands(std::move(bands)), m_read(std::move(read)), m_options(options) {}

RegionSearch::Block RegionSearch::dense(const Box& core, Progress& progress,
                                        const std::function<void(const QString&)>& warn) {
    Block block;
    block.core = core;
    block.box = Box{core.x0, core.y0, kBlock, kBlock}.grown(kMargin).intersected(
        {0, 0, strideMultiple(m_size.width), strideMultiple(m_size.height)});
    const cv::Size area = block.box.size();
    Tiler::Options tiling;
    tiling.stride = PyramidNetImpl::kStride;
    tiling.margin = m_net->reach();
    tiling.tile = m_options.tile;
    tiling.device = m_options.device;
    tiling.threads = m_options.threads;
    torch::Device device = m_options.device;
    std::vector<torch::Tensor> maps;
    Tiler::Calls calls;
    calls.warn = warn;
    calls.read = [&](const Box& tile) { return m_read(tile.shifted(block.box.x0, block.box.y0)); };
    calls.moveTo = [&](const torch::Device& to) {
        device = to;
        m_net->to(to);
    };
    calls.forward = [&](const torch::Tensor& input) {
        const RegionNetImpl::Dense d =
            m_net->dense(input, m_bands.presence.to(device), m_bands.fwhm.to(device),
                         m_bands.poisson.defined() ? m_bands.poisson.to(device) : torch::Tensor());
        return std::vector<torch::Tensor>{torch::sigmoid(d.logits).unsqueeze(1), d.distances, d.levels.fine,
                                          d.levels.coarse};
    };
    calls.take = [&](const Box& valid, const std::vector<torch::Tensor>& outputs) {
        for (std::size_t i = 0; i < outputs.size(); ++i) {
            const auto step = static_cast<int>(valid.height / outputs[i].size(1));
            if (maps.size() <= i)
                maps.push_back(torch::zeros({outputs[i].size(0), area.height / step, area.width / step}));
            maps[i]
                .slice(1, valid.y0 / step, valid.y1() / step)
                .slice(2, valid.x0 / step, valid.x1() / step)
                .copy_(outputs[i]);
        }
    };
    Tiler(tiling).run(area, calls, progress);
    block.probability = maps[0][0];
    block.distances = maps[1];
    block.levels = {maps[2].unsqueeze(0).to(device), maps[3].unsqueeze(0).to(device)};
    return block;
}

void RegionSearch::eachBlock(Progress& progress, const std::function<void(const QString&)>& warn,
                             const std::function<bool(const Box&)>& wanted,
                             const std::function<void(const Block&)>& look) {
    const torch::NoGradGuard frozen;
    m_net->eval();
    for (int y = 0; y < m_size.height; y += kBlock) {
        for (int x = 0; x < m_size.width; x += kBlock) {
            const Box core = Box{x, y, kBlock, kBlock}.intersected(Box::of(m_size));
            if (!wanted(core)) continue;
            look(dense(core, progress, warn));
            progress.check();
        }
    }
}

std::vector<RegionDetection> RegionSearch::find(Progress& progress, const std::function<void(const QString&)>& warn) {
    std::vector<RegionDetection> all;
    RegionDetectorOptions options = m_options.detector;
    options.nearest = 0.0f; // over the whole scene below: pairs may lie in two blocks
    eachBlock(
        progress, warn, [](const Box&) { return true; },
        [&](const Block& block) {
            const Box core = block.core.shifted(-block.box.x0, -block.box.y0);
            for (RegionDetection& d :
                 detectRegions(m_net, block.levels, block.probability, block.distances, core, options)) {
                shift(d, block.box);
                all.push_back(std::move(d));
            }
        });
    std::vector<float> x, y, score;
    for (const RegionDetection& d : all) {
        x.push_back(d.x);
        y.push_back(d.y);
        score.push_back(d.score);
    }
    std::vector<RegionDetection> kept;
    for (const int i : suppressNear(x, y, score, m_options.detector.nearest)) {
        kept.push_back(all[i]);
    }
    return kept;
}

std::vector<RegionDetection> RegionSearch::lookAt(const std::vector<PixelPosition>& positions, Progress& progress,
                                                  const std::function<void(const QString&)>& warn) {
    std::vector<RegionDetection> out(positions.size());
    const auto in = [](const Box& box, const PixelPosition& p) {
        return box.contains(static_cast<int>(std::lround(p.x)), static_cast<int>(std::lround(p.y)));
    };
    eachBlock(
        progress, warn,
        [&](const Box& core) {
            return std::any_of(positions.begin(), positions.end(), [&](const auto& p) { return in(core, p); });
        },
        [&](const Block& block) {
            // Neighbours in the margin are drawn too: they are looked at, and left to their own block.
            std::vector<Centre> here;
            std::vector<std::size_t> rows;
            for (std::size_t i = 0; i < positions.size(); ++i) {
                if (!in(block.box, positions[i])) continue;
                here.push_back({static_cast<float>(positions[i].x - block.box.x0),
                                static_cast<float>(positions[i].y - block.box.y0), kGivenScore});
                rows.push_back(i);
            }
            std::vector<RegionDetection> seen = regionsAt(m_net, block.levels, block.distances, here);
            for (std::size_t k = 0; k < seen.size(); ++k) {
                if (!in(block.core, positions[rows[k]])) continue;
                shift(seen[k], block.box);
                // Not what rounding left of them on the way to the block and back.
                seen[k].x = static_cast<float>(positions[rows[k]].x);
                seen[k].y = static_cast<float>(positions[rows[k]].y);
                out[rows[k]] = std::move(seen[k]);
            }
        });
    return out;
}

} // namespace blendscope
