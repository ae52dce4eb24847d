#include "simulate/StampStream.h"

#include "core/Error.h"
#include "simulate/Layout.h"

namespace blendscope {

StampStream::StampStream(const QJsonObject& recipe, std::uint64_t seed)
    : m_observatory(Recipe::fromJson(recipe)), m_seed(seed) {}

StampStream::Stamp StampStream::stamp(int index, const Options& options) const {
    if (index < 0) throw UsageError(QStringLiteral("stamp number %1 is negative").arg(index));
    const Recipe& recipe = m_observatory.recipe();
    const Observatory::Night night = m_observatory.observe(m_seed, index);
    const cv::Size size(recipe.width, recipe.height);
    const size_t bands = recipe.survey.bands.size();
    const Box whole = Box::of(size);

    Stamp out;
    out.objects = drawObjects(recipe, *night.renderer, m_seed, index);
    for (size_t b = 0; b < bands; ++b) {
        out.noiseless.push_back(cv::Mat::zeros(size, CV_32F));
        out.sigma.push_back(static_cast<float>(night.noise[b].sigma()));
    }
    if (options.isolated) out.isolated.resize(bands);
    // Light beyond twice the stamp comes from objects that fill it anyway.
    const int most = 2 * std::max(size.width, size.height);
    for (const Galaxy& g : out.objects) {
        const Renderer::Drawing drawing = night.renderer->draw(g, most);
        const Box in = drawing.box.intersected(whole);
        for (size_t b = 0; b < bands; ++b) {
            if (options.isolated) out.isolated[b].push_back(cv::Mat::zeros(size, CV_32F));
            if (in.empty()) continue;
            const cv::Mat light = drawing.bands[b](in.shifted(-drawing.box.x0, -drawing.box.y0).rect());
            out.noiseless[b](in.rect()) += light;
            if (options.isolated) light.copyTo(out.isolated[b].back()(in.rect()));
        }
    }
    for (size_t b = 0; b < bands; ++b) {
        Observatory::Exposure exposure = m_observatory.expose(night, b, out.objects, out.noiseless[b], m_seed, index);
        out.image.push_back(std::move(exposure.image));
        if (!exposure.mask.empty()) out.mask.push_back(std::move(exposure.mask));
        if (options.psfs) out.psf.push_back(night.renderer->psf(static_cast<int>(b), 31).image);
    }
    return out;
}

} // namespace blendscope
