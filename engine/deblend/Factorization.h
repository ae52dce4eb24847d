#pragma once

#include "core/Result.h"
#include "deblend/BlendData.h"
#include "deblend/JointFit.h"
#include "deblend/MorphologyFit.h"
#include "deblend/PsfSet.h"

namespace blendscope {

/// How to divide a blend, in pixels.
struct FactorizationOptions {
    JointFitOptions profile;
    MorphologyFitOptions morphology;
    enum class Morphology { Auto, Always, Never } useMorphology = Morphology::Auto;
    double morphologyExcess = 5.0; ///< sigma of misfit above which a profile is not enough
    double twoComponentSignificance = 50.0;
    double positionSigma = 0.5;
    bool points = true;
    int maxPeaks = 100;
};

/// The deblending of one blend, in four steps: profiles of all sources fitted together; points and bulge + disk pairs
/// where the data choose them; free morphologies where profiles do not explain the data; spectra solved a last time
/// through the exact PSFs. One instance serves one blend.
class Factorization {
public:
    Factorization(const BlendInput& blend, const PsfSet& psf, const FactorizationOptions& options,
                  const Progress& progress);

    /// Sources to start from, one for each of the blend's peaks, in pixels of the blend's box.
    void startFrom(std::vector<JointSource> sources) { m_start = std::move(sources); }

    [[nodiscard]] BlendOutput run();

private:
    struct Child { // which sources make up a child
        int source = -1, bulge = -1;
        double excess = 0.0;
        bool free = false;
    };

    void fitProfiles();
    void splitBulges();
    void fitMorphologies();
    void findErrors();
    void describe();
    void replaceIfWrong();

    const BlendInput& m_blend;
    const PsfSet& m_psf;
    const FactorizationOptions& m_options;
    const Progress& m_progress;
    std::vector<Peak> m_peaks;
    std::vector<JointSource> m_start;
    JointFit m_fit;
    std::vector<Child> m_children;
    int m_bands;
    int m_points = 0, m_split = 0, m_free = 0;
    BlendOutput m_output;
};

} // namespace blendscope
