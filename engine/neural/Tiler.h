#pragma once

#include "core/Box.h"
#include "jobs/Progress.h"
#include "neural/TorchDevice.h"

#include <functional>
#include <vector>

namespace blendscope {

/// Runs a fully convolutional network over a scene of any size in bounded memory, without seams: every tile is read
/// with a margin of at least the network's receptive radius on all sides, beyond the scene's border too (where there is
/// no data), and only the middle is kept; tiles begin on multiples of the network's stride. So each pixel sees what it
/// would see in one pass over the whole scene, and the size of tiles changes nothing (beyond 1e-4 of rounding), as long
/// as no layer takes statistics over pixels (dependsOnTile).
///
/// One forward pass cannot be interrupted: tiles are at most 384 pixels wide, margins included, so that cancelling
/// stays quick (networks with a larger margin get the margin and one stride).
class Tiler {
public:
    struct Options {
        int stride = 1; ///< the network's: pixels a cell of its coarsest level
        int margin = 0; ///< its receptive radius, pixels
        int tile = 384; ///< side of a tile, margins included, pixels
        torch::Device device{torch::kCPU};
        int threads = 0; ///< LibTorch's; 0 = all
    };
    explicit Tiler(const Options& options);

    struct Calls {
        /// float32 [channels, box.height, box.width] on the CPU; the box may reach beyond the scene.
        std::function<torch::Tensor(const Box&)> read;
        /// The network on [1, channels, y, x] of the device. Every output is [1, k, y / s, x / s] with a whole s that
        /// divides the stride.
        std::function<std::vector<torch::Tensor>(const torch::Tensor&)> forward;
        /// The outputs of `valid` (scene pixels, multiples of the stride from 0; may end beyond the scene), cropped to
        /// it, [k, valid.height / s, valid.width / s], on the CPU. Called in order, from the calling thread.
        std::function<void(const Box& valid, const std::vector<torch::Tensor>& outputs)> take;
        /// Moves the network: called once before the first tile, and again where the GPU's memory ran out.
        std::function<void(const torch::Device&)> moveTo;
        std::function<void(const QString&)> warn; ///< what was given up for lack of memory
    };
    /// Tiles from the top left, row by row. Each is a step of `progress` (where cancelling is asked for too). Where
    /// memory runs out, goes on with smaller tiles, then on the CPU. Throws CancelledError and what the calls throw.
    void run(const cv::Size& scene, const Calls& calls, Progress& progress) const;

    /// Sides of the kept middle of a tile for a scene, a multiple of the stride.
    [[nodiscard]] static int coreSide(const Options& options, const cv::Size& scene, int tile);

private:
    Options m_options;
};

/// A plane of a scene's size that collects the outputs of tiles: copies [y, x] of `valid` where it lies in the plane.
void placeTile(const torch::Tensor& output, const Box& valid, cv::Mat& plane);

} // namespace blendscope
