#pragma once

#include "core/Box.h"
#include "deblend/DifferenceKernel.h"
#include "deblend/Nnls.h"
#include "jobs/Progress.h"

#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

/// One component of a MorphologyFit: a spectrum times a picture in the model frame, whose PSF is narrow.
struct MorphologySource {
    Box box;        ///< pixels of the blend's box, inside it
    double x = 0.0; ///< centre, pixels of the blend's box
    double y = 0.0;
    cv::Mat start;                ///< CV_32F of `box`: the smooth profile, >= 0, in units of its total flux
    cv::Mat morphology;           ///< CV_32F of `box`: the answer, the same unit
    std::vector<double> spectrum; ///< per band, total counts of a source with the start's total
    bool frozen = false;          ///< the morphology stays as it is; only the spectrum is solved
};

struct MorphologyFitOptions {
    int iterations = 40;    ///< at most, all rounds together
    int rounds = 3;         ///< spectra are solved anew at the end of each
    double tolerance = 0.2; ///< a round ends when a step gains less than this in chi-square
    double freedom = 0.5;   ///< width of the pull to the start, relative to start + noise
    bool monotonic = true;
    bool symmetric = false;
};

/// Constrained factorization of a blend (Melchior et al. 2018, A&C 24, 129): data_b = K_b * sum_k spectrum_kb x
/// morphology_k + noise, where K_b takes the narrow PSF of the model frame to the PSF of band b, morphologies and
/// spectra are not negative, and morphologies fall off from their centres. Morphologies move by accelerated proximal
/// gradient steps (FISTA; Beck & Teboulle 2009, SIAM J. Imaging Sci. 2, 183; restarted when the cost rises, O'Donoghue
/// & Candes 2015), with step lengths from the Lipschitz constant of each source; spectra are solved exactly. A
/// quadratic pull keeps each pixel at the smooth profile that it started from where the data do not speak.
class MorphologyFit {
public:
    /// `data`, `weight`: per band, CV_32F of the blend's box; weight 0 = do not use. `kernels`: per band.
    MorphologyFit(std::vector<cv::Mat> data, std::vector<cv::Mat> weight, const std::vector<DifferenceKernel>& kernels,
                  const MorphologyFitOptions& options, const Progress& progress);

    std::vector<MorphologySource>& sources() { return m_sources; }

    /// Returns the number of steps. The cost never ends above where it started: otherwise the start is kept.
    int run();

    [[nodiscard]] double startCost() const { return m_startCost; }
    [[nodiscard]] double endCost() const { return m_endCost; } ///< chi-square + pull

    /// Flux-scaled picture of a source in a band, PSF included, on `box` (pixels of the blend's box).
    [[nodiscard]] cv::Mat render(int source, int band, const Box& box) const;
    /// Where render() can be above zero: the source's box grown by the kernels.
    [[nodiscard]] Box reach(int source) const;
    /// Total flux, the start's light outside its box included.
    [[nodiscard]] double flux(int source, int band) const;

private:
    double cost(const std::vector<cv::Mat>& morphologies, bool gradient);
    void makeTemplates();
    void cutRegion();
    void solveSpectra();
    void constrain(int source, cv::Mat& morphology) const;

    std::vector<cv::Mat> m_data, m_weight;
    const std::vector<DifferenceKernel>& m_kernels;
    MorphologyFitOptions m_options;
    const Progress& m_progress;
    int m_bands = 0;
    cv::Size m_size;
    std::vector<MorphologySource> m_sources;
    std::vector<cv::Mat> m_pull; // per source: 1 / (width of the pull)^2
    std::vector<cv::Mat> m_gradient;
    std::vector<cv::Mat> m_residual;               // per band, weighted and correlated with the kernel
    std::vector<std::vector<cv::Mat>> m_templates; // [source][band] on reach(source), unit spectrum
    std::vector<Box> m_reach;
    Box m_region;                      // of the free sources
    std::vector<cv::Mat> m_regionData; // per band: data minus the frozen sources
    cv::Mat m_sum, m_model;
    double m_startCost = 0.0, m_endCost = 0.0;
};

} // namespace blendscope
