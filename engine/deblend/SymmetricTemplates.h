#pragma once

#include "deblend/BlendData.h"
#include "jobs/Progress.h"

#include <vector>

namespace blendscope {

/// A division of a blend that needs no model of PSF, noise or profile: the safe answer where a fit has failed. In each
/// band the template of a peak is the light that is there on both sides of it (the smaller of a pixel and its mirror
/// image, as Lupton's deblender of SDSS does), made to fall off from the peak; templates are scaled to the data by
/// non-negative least squares, and the data of the footprint are divided in proportion.
class SymmetricTemplates {
public:
    /// Throws CancelledError.
    SymmetricTemplates(const BlendInput& blend, const std::vector<Peak>& peaks, const Progress& progress);

    /// CV_32F of the blend's box, counts, >= 0: the scaled template of a peak.
    [[nodiscard]] const cv::Mat& model(int peak, int band) const {
        return m_models[std::size_t(peak)][std::size_t(band)];
    }
    /// The peak's part of the light in the footprint, counts, >= 0.
    [[nodiscard]] double flux(int peak, int band) const { return m_flux[std::size_t(peak)][std::size_t(band)]; }

private:
    std::vector<std::vector<cv::Mat>> m_models; // [peak][band]
    std::vector<std::vector<double>> m_flux;
};

} // namespace blendscope
