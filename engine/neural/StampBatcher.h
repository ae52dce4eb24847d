#pragma once

#include "core/Wcs.h"
#include "jobs/Progress.h"
#include "neural/Preprocessing.h"
#include "neural/TorchDevice.h"

#include <functional>
#include <vector>

namespace blendscope {

/// Runs a network on stamps cut around positions of a scene, a batch at a time.
class StampBatcher {
public:
    struct Options {
        int size = 64;  ///< side of a stamp, pixels
        int batch = 64; ///< stamps at once
        torch::Device device{torch::kCPU};
        int threads = 0; ///< LibTorch's; 0 = all
    };
    explicit StampBatcher(const Options& options) : m_options(options) {}

    struct Calls {
        /// The network on [n, channels, size, size] of the device; every output is [n, ...].
        std::function<std::vector<torch::Tensor>(const torch::Tensor&)> forward;
        /// The outputs of stamp number `index` (of `positions`), without the first axis, on the CPU, and its patch.
        /// Called in order, from the calling thread.
        std::function<void(std::size_t index, const Patch& patch, const std::vector<torch::Tensor>& outputs)> take;
        std::function<void(const torch::Device&)> moveTo; ///< as Tiler::Calls
        std::function<void(const QString&)> warn;
    };
    /// A stamp's pixel (size / 2, size / 2) is the one nearest to the position. Each stamp is a step of `progress`.
    /// Where memory runs out, goes on with smaller batches, then on the CPU. Throws CancelledError and what the calls
    /// throw.
    void run(const PatchReader& reader, const std::vector<PixelPosition>& positions, const Preprocessing& preprocessing,
             const Calls& calls, Progress& progress) const;

    /// The box of the stamp around a position.
    [[nodiscard]] static Box boxAt(const PixelPosition& position, int size);

private:
    Options m_options;
};

} // namespace blendscope
