#include "neural/BandSlots.h"

#include "core/Error.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

namespace blendscope {

std::vector<int> bandSlots(const std::vector<double>& wavelengths) {
    constexpr std::array<double, kBandSlots> kCentres{365.0, 480.0, 622.0, 755.0, 869.0, 971.0};
    const int count = static_cast<int>(wavelengths.size());
    if (count < 1 || count > kBandSlots)
        throw UsageError(
            QStringLiteral("the network takes 1 to %1 bands, the scene has %2").arg(kBandSlots).arg(count));
    // At most 20 subsets of slots: all are tried.
    std::vector<int> best;
    double least = std::numeric_limits<double>::max();
    for (unsigned subset = 1; subset < (1u << kBandSlots); ++subset) {
        if (std::popcount(subset) != count) continue;
        std::vector<int> slots;
        for (int s = 0; s < kBandSlots; ++s) {
            if (subset & (1u << s)) slots.push_back(s);
        }
        // Bands may come in any order: the k-th shortest wavelength takes the k-th slot.
        std::vector<int> order(count);
        for (int b = 0; b < count; ++b) {
            order[b] = b;
        }
        std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
            return wavelengths[a] > 0.0 && wavelengths[b] > 0.0 ? wavelengths[a] < wavelengths[b] : false;
        });
        std::vector<int> assigned(count);
        double cost = 0.0;
        for (int k = 0; k < count; ++k) {
            assigned[order[k]] = slots[k];
            const double w = wavelengths[order[k]] > 0.0 ? wavelengths[order[k]] : kCentres[3];
            cost += std::abs(std::log(w / kCentres[slots[k]]));
        }
        if (cost < least - 1e-12) {
            least = cost;
            best = assigned;
        }
    }
    return best;
}

} // namespace blendscope
