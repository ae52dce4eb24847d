#include "neural/OptimizerState.h"

#include "core/Error.h"

#include <string>
#include <vector>

namespace blendscope {

namespace {

/// LibTorch 1 keys the state by the address in words, LibTorch 2 by the address.
auto stateKey(const torch::Tensor& parameter) {
#if TORCH_VERSION_MAJOR < 2
    return c10::guts::to_string(parameter.unsafeGetTensorImpl());
#else
    return static_cast<void*>(parameter.unsafeGetTensorImpl());
#endif
}

const torch::Tensor& find(const Tensors& state, const std::string& key, const torch::Tensor* like) {
    const auto it = state.find(key);
    if (it == state.end() || (like && it->second.sizes() != like->sizes()))
        throw MethodError(QStringLiteral("the checkpoint's optimizer state \"%1\" is missing or does not fit")
                              .arg(QString::fromStdString(key)));
    return it->second;
}

template <class Visit>
void eachParameter(torch::optim::Optimizer& optimizer, const std::vector<std::string>& names, const Visit& visit) {
    std::size_t i = 0;
    for (torch::optim::OptimizerParamGroup& group : optimizer.param_groups()) {
        for (torch::Tensor& parameter : group.params()) {
            visit(names.at(i++), parameter);
        }
    }
}

} // namespace

Tensors optimizerState(torch::optim::Optimizer& optimizer, const std::vector<std::string>& names) {
    Tensors out;
    eachParameter(optimizer, names, [&](const std::string& name, torch::Tensor& parameter) {
        const auto it = optimizer.state().find(stateKey(parameter));
        if (it == optimizer.state().end()) return;
        if (const auto* adam = dynamic_cast<const torch::optim::AdamWParamState*>(it->second.get())) {
            out.emplace(name + "/step", torch::tensor({static_cast<std::int64_t>(adam->step())}, torch::kInt64));
            out.emplace(name + "/mean", adam->exp_avg());
            out.emplace(name + "/square", adam->exp_avg_sq());
        } else if (const auto* sgd = dynamic_cast<const torch::optim::SGDParamState*>(it->second.get())) {
            if (sgd->momentum_buffer().defined()) out.emplace(name + "/momentum", sgd->momentum_buffer());
        }
    });
    return out;
}

void setOptimizerState(torch::optim::Optimizer& optimizer, const std::vector<std::string>& names,
                       const Tensors& state) {
    const bool adam = dynamic_cast<torch::optim::AdamW*>(&optimizer) != nullptr;
    eachParameter(optimizer, names, [&](const std::string& name, torch::Tensor& parameter) {
        if (adam) {
            // A parameter that has had no gradient yet has no state.
            if (!state.count(name + "/step")) return;
            auto entry = std::make_unique<torch::optim::AdamWParamState>();
            entry->step(find(state, name + "/step", nullptr).item<std::int64_t>());
            entry->exp_avg(find(state, name + "/mean", &parameter).to(parameter.device()).clone());
            entry->exp_avg_sq(find(state, name + "/square", &parameter).to(parameter.device()).clone());
            optimizer.state()[stateKey(parameter)] = std::move(entry);
        } else if (state.count(name + "/momentum")) {
            auto entry = std::make_unique<torch::optim::SGDParamState>();
            entry->momentum_buffer(find(state, name + "/momentum", &parameter).to(parameter.device()).clone());
            optimizer.state()[stateKey(parameter)] = std::move(entry);
        }
    });
}

} // namespace blendscope
