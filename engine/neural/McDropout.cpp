#include "neural/McDropout.h"

#include "core/Error.h"
#include "neural/TorchDevice.h"

namespace blendscope {

McDropoutImpl::McDropoutImpl(double probability, bool channels) : m_probability(probability), m_channels(channels) {
    if (!(probability >= 0.0 && probability < 1.0))
        throw UsageError(QStringLiteral("a dropout of %1 is not between 0 and 1").arg(probability));
}

torch::Tensor McDropoutImpl::forward(const torch::Tensor& x) {
    if (m_probability == 0.0 || !(is_training() || m_sampling)) return x;
    std::vector<std::int64_t> shape = x.sizes().vec();
    if (m_channels) {
        for (std::size_t axis = 2; axis < shape.size(); ++axis) {
            shape[axis] = 1;
        }
    }
    torch::Tensor keep = torch::empty(shape, x.options());
    if (is_training()) {
        keep.bernoulli_(1.0 - m_probability);
    } else {
        if (!m_generator.defined() || m_generator.device() != x.device())
            m_generator = seededGenerator(x.device(), m_seed);
        keep.bernoulli_(1.0 - m_probability, m_generator);
    }
    return x * keep / (1.0 - m_probability);
}

void McDropoutImpl::sample(std::uint64_t seed) {
    m_sampling = true;
    m_seed = seed;
    m_generator = at::Generator();
}

void sampleDropout(torch::nn::Module& network, std::uint64_t seed) {
    std::uint64_t next = seed;
    for (const auto& module : network.modules()) {
        if (auto* dropout = module->as<McDropoutImpl>()) dropout->sample(next++);
    }
}

void stopDropout(torch::nn::Module& network) {
    for (const auto& module : network.modules()) {
        if (auto* dropout = module->as<McDropoutImpl>()) dropout->stopSampling();
    }
}

} // namespace blendscope
