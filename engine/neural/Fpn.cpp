#include "neural/Fpn.h"

#include "core/Error.h"

namespace blendscope {

FpnImpl::FpnImpl(const std::vector<int>& in, int out, Norm norm) {
    for (std::size_t i = 0; i < in.size(); ++i) {
        m_lateral.push_back(register_module("lateral" + std::to_string(i), ConvBlock(in[i], out, norm, 1, 1, false)));
        m_smooth.push_back(register_module("smooth" + std::to_string(i), ConvBlock(out, out, norm, 3, 1, false)));
    }
}

std::vector<torch::Tensor> FpnImpl::forward(const std::vector<torch::Tensor>& levels) {
    if (levels.size() != m_lateral.size())
        throw UsageError(QStringLiteral("a pyramid of %1 levels got %2").arg(m_lateral.size()).arg(levels.size()));
    std::vector<torch::Tensor> out(levels.size());
    torch::Tensor above;
    for (std::size_t k = levels.size(); k-- > 0;) {
        torch::Tensor y = m_lateral[k]->forward(levels[k]);
        if (above.defined()) y = y + torch::upsample_nearest2d(above, std::vector<std::int64_t>{y.size(2), y.size(3)});
        above = y;
        out[k] = m_smooth[k]->forward(y);
    }
    return out;
}

} // namespace blendscope
