#pragma once

#include "core/Result.h"
#include "deblend/BlendData.h"

namespace blendscope {

/// One object as it is measured: its own light in a window of the blend, with neighbours and unusable pixels replaced.
struct ObjectImage {
    Box box;                       ///< scene pixels, inside the blend's box
    std::vector<cv::Mat> image;    ///< per band, CV_32F, counts, finite everywhere
    std::vector<cv::Mat> variance; ///< per band, CV_32F, of each pixel's sum: sky, detector and source noise
    std::vector<double> mixing;    ///< per band: factor of the band in `combined`
    std::vector<double> spectrum;  ///< per band: flux of the object's model, counts, >= 0
    cv::Mat combined;              ///< S/N-weighted sum over bands, CV_32F
    cv::Mat combinedVariance;
    cv::Mat measured;      ///< CV_8U: 255 where the object itself was seen, 0 where a pixel was replaced in any band
    int ownPixels = 0;     ///< pixels of the footprint in which it has the most light
    bool masked = false;   ///< unusable pixels among them, in any band
    bool atBorder = false; ///< they touch the border of the scene
};

/// Takes the objects of one blend apart for measurement. Where models overlap, a pixel counts by the model's fraction
/// of it (the share). Outside the footprint, where no model reaches, a pixel belongs to the nearest object. Pixels
/// of other footprints, of other objects (where the method divides pixels hard) and unusable ones are replaced: by the
/// model where it has light, else by the pixel opposite of the centre (SExtractor's MASK_TYPE CORRECT), else by 0.
class ObjectImager {
public:
    /// The arguments must outlive the object.
    ObjectImager(const BlendInput& input, const BlendOutput& output, const std::vector<Component>& components);

    /// Window of child k: where it has light, with room for its AUTO aperture.
    [[nodiscard]] Box window(size_t k) const;
    /// (x, y): the centre for mirroring, scene pixels.
    [[nodiscard]] ObjectImage cut(size_t k, const Box& window, double x, double y) const;

    [[nodiscard]] const cv::Mat& labels() const { return m_labels; } ///< CV_32S, child index + 1
    [[nodiscard]] const cv::Mat& modelSum(size_t band) const { return m_sums[band]; }
    /// Variance of a usable pixel, the light of all objects in it included; 0 where unusable.
    [[nodiscard]] cv::Mat pixelVariance(size_t band) const;
    [[nodiscard]] const Box& box() const { return m_input.box; } ///< of the blend
    [[nodiscard]] bool hard() const { return m_hard; }

private:
    [[nodiscard]] Box lightBox(size_t k) const;

    const BlendInput& m_input;
    const std::vector<Component>& m_components;
    std::vector<cv::Mat> m_sums;
    std::vector<Box> m_labelBoxes;
    cv::Mat m_labels;
    cv::Mat m_territory; ///< labels, continued over the whole box to the nearest object
    bool m_hard = false; ///< pixels are divided hard
};

} // namespace blendscope
