#pragma once

#include "core/Error.h"
#include "core/Lanes.h"
#include "deblend/BlendData.h"
#include "deblend/GaussianMixture.h"
#include "deblend/JointSource.h"
#include "deblend/LaneProducts.h"
#include "deblend/Nnls.h"
#include "deblend/ProfilePicture.h"
#include "jobs/Progress.h"

#include <limits>
#include <utility>
#include <vector>

namespace blendscope {

/// Limits and priors of JointFit, in one place. The priors are weak statements about faint galaxies in general.
struct JointFitOptions {
    double sizePriorMean = 0.5; ///< ln of the half-light radius in pixel
    double sizePriorSigma = 0.7;
    double shapePriorSigma = 0.6; ///< of e1 and e2
    double bulgePriorMean = 0.1, bulgePriorSigma = 0.3;
    double leastBulge = 0.0;   ///< -1 lets disks be as flat as a Gaussian
    double modelError = 0.01;  ///< relative error of the model that is added to the noise: an imperfect PSF
    int rounds = 3;            ///< times that weights and windows are made anew
    int iterations = 8;        ///< least-squares steps per round, at most
    double pointOdds = 4.0;    ///< 2 ln of the prior odds of a galaxy against a star
    double tolerance = 0.1;    ///< stop when a step gains less chi-square than this
    double edgeSigma = 0.15;   ///< windows end where the surface brightness falls below this many sky sigma
    int maxRadiusPixels = 160; ///< of a window
    double outlierSigma = 8.0; ///< residuals beyond this count linearly (Huber), from the second round on; 0 = never
};

/// Fits the profiles of all sources of a blend together to all bands: spectra by non-negative least squares, exactly,
/// inside a damped Gauss-Newton over positions and shapes (variable projection; Golub & Pereyra 1973, SIAM J. Numer.
/// Anal. 10, 413, with the Jacobian of Kaufman 1975, BIT 15, 49). PSF and profiles are sums of Gaussians, so
/// convolution is exact and costs nothing. Weights hold the sources' own Poisson noise, taken from the model.
/// One instance is one fit: not for use from several threads.
class JointFit {
public:
    /// `psf` has one entry a band. References must outlive the fit.
    JointFit(const BlendInput& blend, const std::vector<GaussianPsf>& psf, const JointFitOptions& options,
             const Progress& progress);

    std::vector<JointSource>& sources() { return m_sources; }
    [[nodiscard]] const std::vector<JointSource>& sources() const { return m_sources; }

    /// Returns the number of steps taken; converged() tells whether the last round stopped by itself.
    int run();

    [[nodiscard]] bool converged() const { return m_converged; }
    /// Chi-square of data minus model over the usable pixels of the blend's box, and what the priors add.
    [[nodiscard]] double chiSquare() const { return m_chi; }
    [[nodiscard]] double priorCost() const { return m_prior; }
    [[nodiscard]] long long usedPixels() const { return m_used; }

    /// The same from where the sources are now: weights and windows are made anew `rounds` times.
    int settle(int rounds);

    /// Further steps on the weights as they are, for sources that were changed by the caller. Windows of new sources
    /// are made. Returns the cost (chi-square + priors), which is comparable to cost() before.
    double refine(int steps);
    [[nodiscard]] double cost() const { return m_chi + m_prior; }

    /// Makes score() ready for the sources as they are; to be called after every change of them.
    void prepareScore();

    /// What one source more would gain in chi-square if the others moved a little to make room (a score test: to first
    /// order in all their parameters, exact in the fluxes, which stay >= 0). `flux`: per band, its fluxes.
    [[nodiscard]] double score(const JointSource& source, std::vector<double>& flux);

    /// Light of a source against that of all others in its own pixels, bands weighted by its S/N: 1 = as bright.
    [[nodiscard]] double contrast(int source) const;

    /// Chi-square by which the spectra of two sources differ in shape, with their shapes and all others' held.
    [[nodiscard]] double colourDifference(int a, int b) const;

    /// Chi-square by which the spectrum of `part` differs from any that is nowhere redder than the host's: the ratio of
    /// the two may only fall from band to band (in order of wavelength), as that of young stars to a whole galaxy does.
    [[nodiscard]] double alienColour(int part, int host) const;

    /// Tries a point in place of each small source, and keeps it where the cost, against the odds of a galaxy, is not
    /// higher. Returns how many became points.
    int choosePoints();

    /// S/N of the source's flux, all bands together, as if it stood alone.
    [[nodiscard]] double significance(int source) const;

    /// By how many standard deviations the chi-square of the pixels in which the source dominates exceeds what the
    /// noise explains. Noise that was underestimated everywhere does not count.
    [[nodiscard]] double excess(int source) const;

    /// Chi-square a pixel of those in which the source dominates, at least 1.
    [[nodiscard]] double misfit(int source) const;

    /// CV_32F of the blend's box: data minus model, and the weights with source noise (outliers not down-weighted, but
    /// clipped pixels at 0).
    [[nodiscard]] cv::Mat residual(int band) const;
    [[nodiscard]] cv::Mat weight(int band) const;

    /// Pixels that look clipped at a ceiling; they are not fitted.
    [[nodiscard]] int clippedPixels() const { return m_clipped; }
    [[nodiscard]] cv::Mat usedData(int band) const;

    /// Picture of one source in one band, CV_32F of `window` (pixels of the blend's box).
    [[nodiscard]] cv::Mat render(int source, int band, const Box& window) const;

    /// The same with unit flux through another PSF.
    [[nodiscard]] cv::Mat renderThrough(int source, const GaussianPsf& psf, const Box& window) const;

    /// The window out to the surface brightness `sigmas` (of the sky) in any band, clipped to the blend's box.
    [[nodiscard]] Box windowTo(int source, double sigmas) const;

    /// Largest correlation of the source's template with another one's, over bands (1 = cannot be told apart).
    [[nodiscard]] double worstCorrelation(int source) const;

    /// Covariance of the fluxes of all sources, [band][source x source], counts^2: of the likelihood with positions,
    /// shapes and all fluxes free, also those that are held at 0. Shapes move within their priors, which are weak but
    /// keep what the data do not speak of finite; positions have none.
    [[nodiscard]] std::vector<std::vector<double>> fluxCovariance();

private:
    static constexpr int kImages = ProfilePicture::kImages;
    static constexpr int kParameters = 6;

    struct Slot {
        LaneWindow window;
        LaneVector images; // [band][image][row][lane]
    };
    struct Pair {
        int a = 0, b = 0;            // a <= b
        std::vector<float> products; // [band][7 x 7]
    };

    [[nodiscard]] LaneWindow windowFor(const JointSource& source, double radius) const;
    [[nodiscard]] double radiusTo(const JointSource& source, double sigmas) const;
    void dropClipped(int band);
    [[nodiscard]] std::pair<double, double> ownChiSquare(int source) const; // and its number of pixels
    void makeWindows(bool first);
    void updateWeights(bool first);
    void draw(int source, bool derivatives);
    [[nodiscard]] Lanes* image(int source, int band, int which) {
        Slot& s = m_slots[std::size_t(source)];
        return s.images.data() + (std::size_t(band) * kImages + which) * s.window.rows * s.window.lanes;
    }
    [[nodiscard]] LaneView view(int source, int band, int which, int row, int lane) const;
    [[nodiscard]] LaneView plane(const LaneVector& values, int row, int lane) const;
    void listPairs();
    void templateProducts();
    void fluxes();
    double evaluate();
    [[nodiscard]] double priorOf(const JointSource& s) const;
    void residuals();
    [[nodiscard]] cv::Mat matrix(const LaneVector& values) const;
    enum class Equations { Step, Score, Errors };
    void normalEquations(Equations purpose);
    void eliminateFluxes(int band, const std::vector<int>& active, bool keep);
    void addPriors(Equations purpose);
    int rounds(int count, bool first);
    bool step(double& lambda);

    const BlendInput& m_blend;
    const std::vector<GaussianPsf>& m_psf;
    JointFitOptions m_options;
    const Progress& m_progress;

    int m_bands = 0, m_width = 0, m_height = 0, m_stride = 0; // stride in lanes
    std::vector<LaneVector> m_data, m_base, m_weight, m_residual;
    std::vector<LaneVector> m_plainWeight; // before outliers were made to count less
    std::vector<JointSource> m_sources, m_saved;
    std::vector<Slot> m_slots;
    std::vector<Pair> m_pairs;
    std::vector<std::vector<double>> m_gram, m_rhs; // [band] K x K, K
    std::vector<double> m_hessian, m_gradient, m_step, m_damped, m_block, m_cross;
    LaneVector m_picture;
    Nnls m_nnls;

    struct Coupling { // of one band's fluxes to the shapes, as normalEquations() leaves it
        std::vector<int> active;
        std::vector<double> block,
            cross; // Cholesky factor of the fluxes' own products; its inverse times the cross terms
    };
    std::vector<Coupling> m_coupling;
    std::vector<char> m_frozen; // parameters that do not move
    std::vector<double> m_factor, m_whitened;
    double m_chi = 0.0, m_prior = 0.0;
    long long m_used = 0;
    int m_clipped = 0;
    double m_noiseScale = 1.0; // robust variance of the weighted residuals, at least 1
    bool m_converged = false;
};

} // namespace blendscope
