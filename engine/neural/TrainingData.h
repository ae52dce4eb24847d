#pragma once

#include "core/Random.h"
#include "neural/Patch.h"
#include "neural/TrainingTask.h"
#include "simulate/StampStream.h"

#include <QJsonObject>
#include <cstdint>
#include <memory>
#include <vector>

namespace blendscope {

/// Pixels with the truth about them. Positions are pixels of the patch (0, 0 = its first pixel).
struct TrainingStamp {
    Patch patch;
    std::vector<TruthObject> objects; ///< fluxes in counts per band; columns as simulated truth tables have them
    std::vector<cv::Mat> noiseless;   ///< per band: all objects together; empty where not known
    std::vector<std::vector<cv::Mat>> isolated; ///< [band][object]; empty where not known
    std::vector<cv::Mat> psf;                   ///< per band, unit sum; empty where not known
    int source = 0;                             ///< which entry of the recipe it came of
};

/// Where training samples come from, the recipe's "data":
/// {"simulate": "blends",                      a recipe for scenes: a name, a path or the recipe itself;
///              or [{"recipe": ..., "weight": 2.0}, ...], several, drawn in proportion to their weights
///  "size": 64,                                pixels of a stamp's side; 0 = the recipes' own
///  "folders": ["fields/"],                    scenes with truth on disk, cut around their objects
///  "folder_share": 0.5,                       share of samples from folders where there is also "simulate"
///  "augment": {"rotate": true,                quarter turns and mirror images
///              "noise": [1.0, 1.5],           the noise is raised by a factor of this range (uniform in its logarithm)
///              "depth": [0.7, 1.4],           light and noise alike times a factor: another gain or zero point
///              "drop_bands": 0.1,             probability of each band to be missing (one always stays)
///              "photons": [1, 30],            photon noise of the light as of so many times fewer photons
///              "unknown_gain": 0.3}}          probability that the gains are not known
/// Depth, seeing, PSF and surveys vary by the simulator's own recipe ("exposure", "seeing", "psf"; several recipes).
/// Immutable; the same (seed, set, index) gives the same stamp, whoever asks.
class TrainingData {
public:
    /// Throws UsageError that names the key, ReadError.
    TrainingData(const QJsonObject& data, std::uint64_t seed);
    ~TrainingData();

    /// Stamp number `index` of a set. Scenes of folders belong to one set each: four of five to training.
    [[nodiscard]] TrainingStamp stamp(Split split, std::int64_t index) const;

private:
    struct Source;
    [[nodiscard]] TrainingStamp simulated(const Source& source, Split split, std::int64_t index) const;
    [[nodiscard]] TrainingStamp fromScene(Split split, Random& random) const;

    std::vector<std::unique_ptr<Source>> m_sources;
    std::vector<ScenePtr> m_scenes[3]; ///< of folders, by set
    QJsonObject m_augment;
    int m_size = 0;
    double m_folderShare = 0.0;
    std::uint64_t m_seed = 0;
};

} // namespace blendscope
