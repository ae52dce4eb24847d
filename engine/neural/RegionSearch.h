#pragma once

#include "core/Scene.h"
#include "core/Wcs.h"
#include "jobs/Progress.h"
#include "neural/Preprocessing.h"
#include "neural/RegionDetector.h"

#include <functional>
#include <vector>

namespace blendscope {

/// Where a scene's bands go in a network that takes six slots by wavelength.
struct SlottedBands {
    std::vector<int> slots;   ///< of each band of the scene
    std::vector<int> matched; ///< band of each slot, -1 = absent, as Preprocessing takes it
    torch::Tensor presence;   ///< [1, 6]
    torch::Tensor fwhm;       ///< [1, 6], pixel
    torch::Tensor poisson;    ///< [1, 6], as BandInput takes it; undefined = none

    /// Throws UsageError for more than six bands.
    [[nodiscard]] static SlottedBands of(const Scene& scene);
    /// With the photons' noise of the scene's objects, for images that hold all of their light.
    [[nodiscard]] static SlottedBands of(const PatchReader& reader);
};

/// u, g, r, i, z, y in units of the sky's noise: how RegionNet takes pixels.
[[nodiscard]] Preprocessing regionPreprocessing();

/// Runs a RegionNet over pixels of any extent in bounded memory: dense maps by tiles, collected over blocks of kBlock
/// pixels and the margin that the largest regions need, heads block by block. Neither the size of tiles nor blocks
/// show in the result.
class RegionSearch {
public:
    struct Options {
        torch::Device device{torch::kCPU};
        int threads = 0;
        int tile = 384; ///< pixels
        RegionDetectorOptions detector;
    };
    static constexpr int kBlock = 768;

    /// `read` gives the network's input [planes, box.height, box.width] of any box, which may reach beyond `size`.
    RegionSearch(RegionNet net, cv::Size size, SlottedBands bands, std::function<torch::Tensor(const Box&)> read,
                 const Options& options);

    /// Detections everywhere, best first, in pixels. Throws CancelledError and what `read` throws.
    [[nodiscard]] std::vector<RegionDetection> find(Progress& progress,
                                                    const std::function<void(const QString&)>& warn);

    /// What the network says of objects at given positions: one for each, in order.
    [[nodiscard]] std::vector<RegionDetection> lookAt(const std::vector<PixelPosition>& positions, Progress& progress,
                                                      const std::function<void(const QString&)>& warn);

private:
    struct Block {
        Box core; ///< pixels
        Box box;  ///< with its margin
        PyramidNetImpl::Levels levels;
        torch::Tensor probability, distances;
    };
    void eachBlock(Progress& progress, const std::function<void(const QString&)>& warn,
                   const std::function<bool(const Box& core)>& wanted, const std::function<void(const Block&)>& look);
    [[nodiscard]] Block dense(const Box& core, Progress& progress, const std::function<void(const QString&)>& warn);

    RegionNet m_net;
    cv::Size m_size;
    SlottedBands m_bands;
    std::function<torch::Tensor(const Box&)> m_read;
    Options m_options;
};

} // namespace blendscope
