#include "CountNet.h"

namespace blendscope {

CountNetImpl::CountNetImpl(const CountNetOptions& options) {
    const int w = options.width;
    const double drop = options.blockDropout;
    ResNetOptions fine;
    fine.in = options.inputs;
    fine.width = w;
    fine.blocks = {2, 2};
    fine.norm = Norm::Group;
    fine.stemStride = 2;
    m_fine = register_module("fine", ResNet(fine));
    m_coarse = torch::nn::Sequential(
        BasicBlock(2 * w, 4 * w, Norm::Group, 2, drop), BasicBlock(4 * w, 4 * w, Norm::Group, 1, drop),
        BasicBlock(4 * w, 8 * w, Norm::Group, 2, drop), BasicBlock(8 * w, 8 * w, Norm::Group, 1, drop));
    register_module("coarse", m_coarse);
    m_dropout = register_module("dropout", McDropout(options.headDropout));
    m_logits = register_module("logits", torch::nn::Linear(8 * w, options.classes));
    m_temperature = register_buffer("temperature", torch::ones({1}));
}

torch::Tensor CountNetImpl::head(const torch::Tensor& fine) {
    return m_logits->forward(m_dropout->forward(m_coarse->forward(fine).mean({2, 3})));
}

torch::Tensor CountNetImpl::forward(const torch::Tensor& input) {
    return head(m_fine->forward(input));
}

torch::Tensor CountNetImpl::passes(const torch::Tensor& input, int passes, std::uint64_t seed) {
    const torch::NoGradGuard guard;
    const torch::Tensor fine = m_fine->forward(input);
    // One stream of dropouts a stamp would make its answer depend on what else is in the batch.
    std::vector<torch::Tensor> out;
    const double t = temperature();
    for (std::int64_t i = 0; i < fine.size(0); ++i) {
        sampleDropout(*this, seed);
        out.push_back(torch::softmax(head(fine.slice(0, i, i + 1).repeat({passes, 1, 1, 1})) / t, 1));
    }
    stopDropout(*this);
    return torch::stack(out, 1);
}

double CountNetImpl::temperature() const {
    return double(m_temperature.item<float>());
}

void CountNetImpl::setTemperature(double temperature) {
    m_temperature.fill_(temperature);
}

} // namespace blendscope
