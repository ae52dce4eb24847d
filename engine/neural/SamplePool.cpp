#include "neural/SamplePool.h"

namespace blendscope {

namespace {

constexpr double kLargestHalf = 65504.0;

Tensors packed(const Tensors& sample) {
    Tensors out;
    for (const auto& [name, t] : sample) {
        const bool planes = t.dim() >= 2 && t.scalar_type() == torch::kFloat32;
        out.emplace(name, planes ? t.clamp(-kLargestHalf, kLargestHalf).to(torch::kFloat16) : t);
    }
    return out;
}

Tensors unpacked(const Tensors& entry) {
    Tensors out;
    for (const auto& [name, t] : entry) {
        out.emplace(name, t.scalar_type() == torch::kFloat16 ? t.to(torch::kFloat32) : t);
    }
    return out;
}

} // namespace

SamplePool::SamplePool(std::int64_t size) : m_entries(static_cast<std::size_t>(std::max<std::int64_t>(0, size))) {}

Tensors SamplePool::get(std::int64_t index, const std::function<Tensors(std::int64_t)>& make) {
    if (m_entries.empty()) return make(index);
    const std::int64_t entry = index % size();
    Tensors& slot = m_entries[static_cast<std::size_t>(entry)];
    {
        const std::lock_guard lock(m_mutex);
        if (!slot.empty()) return unpacked(slot);
    }
    // Through the packing even when new, so that the first look at a sample is like all others.
    Tensors made = packed(make(entry));
    const std::lock_guard lock(m_mutex);
    if (slot.empty()) slot = std::move(made);
    return unpacked(slot);
}

} // namespace blendscope
