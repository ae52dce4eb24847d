#pragma once

#include "judge/Bootstrap.h"
#include "judge/MetricsBuilder.h"

#include <memory>

namespace blendscope {

/// The scores of some pipelines on the same scenes, and what a bootstrap draws of them ("units"): scenes, or, where
/// there are fewer than ten with truth, squares of a quarter of a scene's side.
struct ScoredSet {
    /// Keeps a reference to `pipelines`; at least one. Throws UsageError where they have different numbers of scenes.
    ScoredSet(const std::vector<ScoredPipeline>& pipelines, const BuildOptions& options);

    const std::vector<ScoredPipeline>& pipelines;
    QStringList scenes;   ///< ids
    QString band;         ///< of reference
    QString resampled;    ///< "500 scenes"
    QStringList notes;    ///< sentences: what is left out
    bool complete = true; ///< in one scene at least truth names all objects; purity and the like are of such scenes
    std::vector<char> incomplete;                       ///< per scene
    int squares = 1, units = 0;                         ///< a side of a scene; of all scenes
    std::unique_ptr<const Bootstrap> bootstrap, curves; ///< over units, for numbers and for points of curves
    std::unique_ptr<const Bootstrap> coarse;            ///< fewer resamples, for what is slow
    std::unique_ptr<const Bootstrap> perScene;          ///< over whole scenes

    [[nodiscard]] int unit(size_t scene, const SceneScore& s, double x, double y) const;
    [[nodiscard]] std::vector<double> zeros() const; ///< one a unit
    /// What every part of a scene has alike is spread over its units.
    void spread(std::vector<double>& sums, size_t scene, double value) const;
    /// By mask or by box, with their units; scenes whose truth is not complete are left empty.
    [[nodiscard]] std::vector<OverlapScene> overlaps(const ScoredPipeline& p, bool boxes) const;
    /// Of the number of objects, or of being a star, with their units; members are rows of PipelineReport::objects.
    [[nodiscard]] std::vector<Forecast> forecasts(const ScoredPipeline& p, bool counts) const;

private:
    [[nodiscard]] QStringList named(const std::vector<char>& chosen) const;
};

inline constexpr int kLeastInBin = 3;     ///< objects, and units for an error
inline constexpr double kNoError = 1e-12; ///< a smaller error means that resampling told nothing

/// The error, or NaN where resampling told nothing.
[[nodiscard]] double toldError(const Estimate& e);
/// Of a number between 0 and 1 that is none of the plain shares: an error where it is 0 or 1 in every resample.
[[nodiscard]] Estimate bounded(Estimate e);
/// Harmonic mean of completeness and purity; sums per unit.
[[nodiscard]] Estimate f1(const Bootstrap& bootstrap, const std::vector<double>& asked,
                          const std::vector<double>& found, const std::vector<double>& detected,
                          const std::vector<double>& matched);

} // namespace blendscope
