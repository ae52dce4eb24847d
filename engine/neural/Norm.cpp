#include "neural/Norm.h"

#include "core/Error.h"

namespace blendscope {

namespace {
constexpr const char* kNames[] = {"none", "affine", "batch", "group"};
} // namespace

Norm normFromName(const QString& name) {
    for (int i = 0; i < 4; ++i) {
        if (name == QLatin1String(kNames[i])) return static_cast<Norm>(i);
    }
    throw UsageError(QStringLiteral("no norm \"%1\"; there are none, affine, batch, group").arg(name));
}

QString normName(Norm norm) {
    return QLatin1String(kNames[static_cast<int>(norm)]);
}

AffineNormImpl::AffineNormImpl(int channels) {
    m_scale = register_parameter("scale", torch::ones({channels}));
    m_shift = register_parameter("shift", torch::zeros({channels}));
    m_ready = register_buffer("ready", torch::zeros({1}));
}

torch::Tensor AffineNormImpl::forward(const torch::Tensor& x) {
    if (is_training() && m_ready.item<float>() == 0.0f) {
        const torch::NoGradGuard guard;
        const torch::Tensor mean = x.mean({0, 2, 3});
        const torch::Tensor sigma = x.std({0, 2, 3}, /*unbiased=*/false).clamp_min(1e-3);
        m_scale.copy_(1.0 / sigma);
        m_shift.copy_(-mean / sigma);
        m_ready.fill_(1.0);
    }
    return x * m_scale.view({1, -1, 1, 1}) + m_shift.view({1, -1, 1, 1});
}

torch::nn::AnyModule makeNorm(Norm norm, int channels) {
    switch (norm) {
    case Norm::Affine:
        return torch::nn::AnyModule(AffineNorm(channels));
    case Norm::Batch:
        return torch::nn::AnyModule(torch::nn::BatchNorm2d(channels));
    case Norm::Group: {
        int groups = std::max(1, channels / 8);
        while (channels % groups != 0) {
            --groups;
        }
        return torch::nn::AnyModule(torch::nn::GroupNorm(torch::nn::GroupNormOptions(groups, channels)));
    }
    case Norm::None:
        break;
    }
    return torch::nn::AnyModule(torch::nn::Identity());
}

} // namespace blendscope
