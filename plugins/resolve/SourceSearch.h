#pragma once

#include "SourceOdds.h"
#include "core/Result.h"
#include "deblend/BlendData.h"
#include "deblend/JointFit.h"
#include "deblend/PsfSet.h"

#include <vector>

namespace blendscope {

struct SearchOptions {
    JointFitOptions profile;
    double leastGain = 50.0;           ///< chi-square that a source more must gain, structure discounted
    double leastScore = 15.0;          ///< the same in a score test, to be worth a fit
    double leastSeparation = 1.2;      ///< pixel between two centres
    double leastProbability = 0.5;     ///< of a source of its own, against structure of a galaxy (SourceTraits)
    double leastPeakProbability = 0.1; ///< the same of a peak that the detector found on a brighter galaxy
    double positionSigma = 1.5;        ///< pixel, of the prior around a start
    int maxSources = 100;              ///< in a blend
    int trials = 2;                    ///< fits a round, at most
};

/// A galaxy of typical size at a detector's peak, in pixels of the blend's box: where a fit begins.
[[nodiscard]] JointSource startAt(const Peak& peak, const BlendInput& blend, const SearchOptions& options);

/// Asks of one blend whether its pixels, in all bands together, need one source more, until they do not. Each round
/// fits all sources together (JointFit), lists candidates (peaks of the residual's significance over bands, places
/// beside each source), ranks them by a score test, and refits with the best; it stays if the cost falls by more than
/// noise explains, and if it is
/// less like structure of the galaxy on which it lies than like a source (SourceTraits). A detector's peak on a
/// brighter, resolved galaxy goes where it is far more like structure. One instance serves one blend.
class SourceSearch {
public:
    /// References must outlive the search. Starts from the blend's peaks.
    SourceSearch(const BlendInput& blend, const PsfSet& psf, const SearchOptions& options, const Progress& progress);

    void run();

    /// In pixels of the blend's box: those of the peaks() first, in their order, then what was added.
    [[nodiscard]] const std::vector<JointSource>& sources() const { return m_fit.sources(); }
    /// Indices of the blend's peaks that stayed, rising.
    [[nodiscard]] const std::vector<int>& peaks() const { return m_peaks; }
    /// Evidence of each source beyond the peaks, in order.
    [[nodiscard]] const std::vector<SourceCandidate>& accepted() const { return m_accepted; }
    [[nodiscard]] const std::vector<SourceCandidate>& rejected() const { return m_rejected; }
    [[nodiscard]] int steps() const { return m_steps; } ///< least-squares steps taken

private:
    struct Start { // a candidate
        JointSource source;
        double score = 0.0;
        int split = -1; // the source that gives way to the other side, -1 = none
    };

    void dropPeaks();
    [[nodiscard]] std::vector<Start> listStarts();
    enum class Round { Accepted, Rejected, Exhausted };
    [[nodiscard]] Round oneMore(int round);
    [[nodiscard]] SourceCandidate weigh(int added, double gain, int round);
    [[nodiscard]] bool onResolved(int added) const; ///< whether it lies on a galaxy whose form can be seen
    [[nodiscard]] QString refusal(const SourceCandidate& evidence, int added) const;
    [[nodiscard]] bool rejectedNear(double x, double y) const;
    [[nodiscard]] SourceCandidate describe(const JointSource& source, double gain, int round) const;
    [[nodiscard]] bool inside(double x, double y) const;

    const BlendInput& m_blend;
    const PsfSet& m_psf;
    const SearchOptions& m_options;
    const Progress& m_progress;
    JointFit m_fit;
    int m_bands;
    int m_steps = 0;
    SourceTraits m_traits; // of what weigh() saw last
    std::vector<int> m_peaks;
    std::vector<SourceCandidate> m_accepted, m_rejected;
};

} // namespace blendscope
