#pragma once

#include "neural/Tensors.h"

#include <QJsonObject>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

namespace blendscope {

/// Keeps training samples that are dear to make, so that they can be seen again, turned or mirrored. Tensors of two and
/// more axes are kept as float16 (and given back as float32), so that a pool of thousands of stamps fits into memory.
/// What comes out depends on the sample's number alone. Safe from many threads.
///
/// A fixed pool gives entry i mod size as sample i. A rolling one (`reuse` > 1) never ends: of `reuse` samples one is
/// new, and every entry comes that many times, spread over the time in which it is kept, so that a network cannot learn
/// its samples by heart.
class SamplePool {
public:
    /// A pool that keeps `size` entries; 0 keeps nothing and makes every sample anew.
    explicit SamplePool(std::int64_t size = 0, int reuse = 1);
    /// From a recipe's "data": "pool" (0) and "reuse" (1).
    [[nodiscard]] static SamplePool fromJson(const QJsonObject& data);

    /// Entry of sample `index`, made with `make` (of the entry's number, 0 <= number < 2^31) where it is not there yet.
    /// Values beyond float16 are held at its limits.
    [[nodiscard]] Tensors get(std::int64_t index, const std::function<Tensors(std::int64_t)>& make);

    [[nodiscard]] std::int64_t size() const { return m_size; }
    [[nodiscard]] std::int64_t held() const; ///< entries in memory now

private:
    [[nodiscard]] std::int64_t entryOf(std::int64_t index) const;
    std::int64_t m_size;
    int m_reuse;
    mutable std::mutex m_mutex;
    std::map<std::int64_t, Tensors> m_entries; ///< by entry; those before the first new one are negative
};

} // namespace blendscope
