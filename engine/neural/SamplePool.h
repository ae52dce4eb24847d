#pragma once

#include "neural/Tensors.h"

#include <cstdint>
#include <functional>
#include <mutex>
#include <vector>

namespace blendscope {

/// Keeps training samples that are dear to make, so that they can be seen again, turned or mirrored: sample number i is
/// entry i mod size. Tensors of two and more axes are kept as float16 (and given back as float32), so that a pool of
/// thousands of stamps fits into memory. What comes out depends on the number alone. Safe from many threads.
class SamplePool {
public:
    /// A pool of `size` entries; 0 keeps nothing and makes every sample anew.
    explicit SamplePool(std::int64_t size = 0);

    /// Entry of sample `index`, made with `make` (of the entry's number) where it is not there yet. Values beyond
    /// float16 are held at its limits.
    [[nodiscard]] Tensors get(std::int64_t index, const std::function<Tensors(std::int64_t)>& make);

    [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(m_entries.size()); }

private:
    std::mutex m_mutex;
    std::vector<Tensors> m_entries;
};

} // namespace blendscope
