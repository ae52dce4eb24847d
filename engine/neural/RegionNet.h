#pragma once

#include "neural/BandInput.h"
#include "neural/CentreMap.h"
#include "neural/PyramidNet.h"

#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

namespace blendscope {

struct RegionNetOptions {
    int imageSets = 1; ///< stacks of bands that the network looks at: 1 = the images, 2 = residual and model
    int planes = 0;    ///< further planes after the sets, taken as they are
    int features = 40; ///< channels of the pyramid
    int maskChannels = 32;
    bool masks = true;
};

/// Mask R-CNN (He et al. 2017, arXiv:1703.06870) for objects of a few pixels: backbone and feature pyramid
/// (PyramidNet), proposals from a map of centres at full resolution instead of anchors (Zhou et al. 2019,
/// arXiv:1904.07850), since objects closer than a PSF have nearly the same box, and heads for class, position, box and
/// masks on aligned regions. A region is a square around the proposed centre, so that its middle says which object is
/// meant; the heads are also shown where the other proposals lie.
class RegionNetImpl : public torch::nn::Module {
public:
    explicit RegionNetImpl(const RegionNetOptions& options);

    static constexpr int kRegionSide = 14; ///< samples of features along a region
    static constexpr int kMaskSide = 28;   ///< of masks
    /// Of the class head.
    enum Class { Nothing, Star, Galaxy, kClasses };
    /// Planes of a mask: share of the light in each band slot, then the extent.
    static constexpr int kMaskPlanes = kBandSlots + 1;

    struct Dense {
        PyramidNetImpl::Levels levels;
        torch::Tensor logits;    ///< [N, H, W]: a centre in this pixel
        torch::Tensor distances; ///< [N, 4, H, W]: from the centre to left, top, right, bottom of its box, pixel
    };
    /// `images` [N, sets * 6 + planes, H, W], sets in sigma, sides multiples of PyramidNetImpl::kStride; see BandInput.
    Dense dense(const torch::Tensor& images, const torch::Tensor& presence, const torch::Tensor& fwhm,
                const torch::Tensor& poisson = {});

    /// Centres proposed in images.
    struct Proposals {
        torch::Tensor centres;   ///< [R, 2] x, y
        torch::Tensor scores;    ///< [R]
        torch::Tensor distances; ///< [R, 4]
        torch::Tensor image;     ///< [R] int64
    };
    struct Regions {
        torch::Tensor windows; ///< [R, 4] squares that were looked at, pixel
        torch::Tensor classes; ///< [R, kClasses] logits
        torch::Tensor centres; ///< [R, 2] refined
        torch::Tensor boxes;   ///< [R, 4] x0, y0, x1, y1, refined
    };
    /// All proposals of each image as a picture [N, 1, H, W]: a small Gaussian of each, as high as its score. Tells the
    /// heads which neighbours a region has.
    [[nodiscard]] static torch::Tensor drawCentres(const PyramidNetImpl::Levels& levels, const Proposals& proposals);
    /// All heads but the masks', which are asked for apart since only what stays needs one. `map`: drawCentres.
    Regions regions(const PyramidNetImpl::Levels& levels, const torch::Tensor& map, const Proposals& proposals);
    /// Mask logits [M, kMaskPlanes, kMaskSide, kMaskSide] of the windows of some of the proposals (indices, int64).
    torch::Tensor masks(const PyramidNetImpl::Levels& levels, const torch::Tensor& map, const Proposals& proposals,
                        const torch::Tensor& which);

    /// Squares around centres that hold the boxes: [R, 4].
    [[nodiscard]] static torch::Tensor windows(const Proposals& proposals);
    static constexpr double kLeastWindow = 6.0, kMostWindow = 40.0; ///< half sides, pixel

    /// Pixels by which what lies outside can reach the dense maps.
    [[nodiscard]] int reach() const { return m_reach; }
    [[nodiscard]] bool hasMasks() const { return m_options.masks; }

private:
    [[nodiscard]] static torch::Tensor aligned(const PyramidNetImpl::Levels& levels, const torch::Tensor& map,
                                               const Proposals& proposals, const torch::Tensor& which);

    RegionNetOptions m_options;
    int m_reach = 0;
    BandInput m_input{nullptr};
    PyramidNet m_pyramid{nullptr};
    torch::nn::Conv2d m_dense{nullptr}, m_centre{nullptr}, m_distance{nullptr};
    torch::nn::Conv2d m_boxConv{nullptr}, m_mask1{nullptr}, m_mask2{nullptr}, m_maskOut{nullptr};
    torch::nn::ConvTranspose2d m_maskUp{nullptr};
    torch::nn::Linear m_hidden{nullptr}, m_class{nullptr}, m_shift{nullptr}, m_delta{nullptr};
};
TORCH_MODULE(RegionNet);

} // namespace blendscope
