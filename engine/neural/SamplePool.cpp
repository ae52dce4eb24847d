#include "neural/SamplePool.h"

#include <algorithm>

namespace blendscope {

namespace {

constexpr double kLargestHalf = 65504.0;
constexpr std::int64_t kBeforeFirst = 1 << 30; ///< numbers of the entries that a rolling pool begins with
constexpr std::int64_t kLate = 256;            ///< samples by which one thread may be behind another

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

SamplePool::SamplePool(std::int64_t size, int reuse)
    : m_size(std::max<std::int64_t>(0, size)), m_reuse(std::max(1, reuse)) {}

SamplePool SamplePool::fromJson(const QJsonObject& data) {
    return SamplePool(data.value(QStringLiteral("pool")).toInt(0), data.value(QStringLiteral("reuse")).toInt(1));
}

std::int64_t SamplePool::entryOf(std::int64_t index) const {
    if (m_reuse == 1) return index % m_size;
    const std::int64_t apart = std::max<std::int64_t>(1, m_size / (m_reuse - 1));
    return index / m_reuse - (index % m_reuse) * apart;
}

Tensors SamplePool::get(std::int64_t index, const std::function<Tensors(std::int64_t)>& make) {
    if (m_size == 0) return make(index);
    const std::int64_t entry = entryOf(index);
    {
        const std::lock_guard lock(m_mutex);
        const auto found = m_entries.find(entry);
        if (found != m_entries.end()) return unpacked(found->second);
    }
    // Through the packing even when new, so that the first look at a sample is like all others.
    Tensors made = packed(make(entry < 0 ? entry + kBeforeFirst : entry));
    const std::lock_guard lock(m_mutex);
    const Tensors& kept = m_entries.try_emplace(entry, std::move(made)).first->second;
    Tensors out = unpacked(kept);
    if (m_reuse > 1) {
        m_entries.erase(m_entries.begin(), m_entries.lower_bound(index / m_reuse - m_size - kLate));
    }
    return out;
}

std::int64_t SamplePool::held() const {
    const std::lock_guard lock(m_mutex);
    return static_cast<std::int64_t>(m_entries.size());
}

} // namespace blendscope
