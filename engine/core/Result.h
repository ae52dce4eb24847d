#pragma once

#include "core/Detection.h"
#include "core/Scene.h"

#include <QJsonObject>
#include <QMap>
#include <QString>
#include <QStringList>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

namespace blendscope {

inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

/// What happened to an object or a blend, as bits; flagWords() gives the words that catalogues carry.
enum Flag : std::uint32_t {
    FlagEdge = 1u << 0, ///< touches the border of the scene: light is missing
    FlagSaturated = 1u << 1,
    FlagMasked = 1u << 2, ///< unusable pixels inside
    FlagNotConverged = 1u << 3,
    FlagTooManyChildren = 1u << 4, ///< only the brightest peaks were deblended
    FlagSkipped = 1u << 5,         ///< not deblended; Blend::message says why
    FlagNotDetected = 1u << 6,     ///< a given position without light above the threshold
    FlagPointSource = 1u << 7,     ///< modelled as a point source
    FlagDegenerate = 1u << 8,      ///< its flux cannot be told from a neighbour's
    FlagNoFlux = 1u << 9,          ///< the deblender gave it no light
    FlagBlended = 1u << 10,        ///< shares its footprint with others
    FlagBadMeasurement = 1u << 11, ///< moments or Kron radius could not be measured
    FlagOutside = 1u << 12,        ///< a given position outside the scene
};

/// "blended|edge"; empty for 0.
[[nodiscard]] QString flagWords(std::uint32_t flags);
[[nodiscard]] std::uint32_t flagsFromWords(const QString& words);

/// One object's own multi-band image.
struct Component {
    int id = 0; ///< object id
    Box box;
    std::vector<cv::Mat> model; ///< per band, CV_32F [y, x], counts, PSF included
    std::vector<cv::Mat> share; ///< per band: share of the data in proportion to the models; shares of a blend add up
                                ///< to the sky-subtracted data inside the footprint
};

/// Fluxes of one object in one band, image counts. NaN = not measured.
struct BandFlux {
    float flux = kNan;    ///< best estimate of the total flux
    float fluxErr = kNan; ///< likelihood width, the objects' own Poisson noise included
    float modelFlux = kNan, modelFluxErr = kNan;
    float autoFlux = kNan, autoFluxErr = kNan; ///< Kron aperture on the share
    float apertureFlux = kNan;                 ///< reserved for methods that use a fixed aperture
};

/// One row of the catalogue: a deblended object (leaf).
struct Object {
    int id = 0;              ///< from 1, unique in a result
    int parent = 0;          ///< blend id
    int position = -1;       ///< row of the given positions, or -1
    double x = 0.0, y = 0.0; ///< centroid, pixel
    double peakX = 0.0, peakY = 0.0;
    double ra = kNan, dec = kNan;
    std::vector<BandFlux> bands; ///< in the scene's order
    float a = kNan, b = kNan;    ///< rms semi-axes as seen, pixel
    float theta = kNan;          ///< deg from +x towards +y
    float kronRadius = kNan;     ///< pixel, semi-major axis of the AUTO aperture
    float fluxRadius = kNan;     ///< half-light radius as seen, pixel
    float hlr = kNan;            ///< half-light radius before the PSF, pixel
    float pStar = kNan;          ///< probability of a point source
    float blendedness = kNan;    ///< Bosch et al. 2018, PASJ 70, S5, section 4.9.11: 0 alone, towards 1 buried
    float significance = kNan;   ///< of the detection
    QString kind;                ///< class, where a method says one
    QString outcome;             ///< where judged
    std::uint32_t flags = 0;
    QString note;                ///< what a person should know, a sentence
    QMap<QString, double> extra; ///< further columns of a method
};

/// Covariance of the fluxes of two objects of one blend in one band, counts^2.
struct FluxCovariance {
    int idA = 0, idB = 0;
    std::vector<float> covariance; ///< per band
};

/// A source more that a method considered in a blend, whether it stayed or not: the evidence for the eye.
struct SourceCandidate {
    double x = 0.0, y = 0.0;   ///< pixel
    int step = 0;              ///< from 1: the round of the search in which it was tried
    int object = 0;            ///< id of the object that it became, 0 = rejected
    double gain = 0.0;         ///< chi-square that the blend's model gains by it
    double significance = 0.0; ///< the same, less what structure of its host would explain
    double contrast = kNan;    ///< its light against that of all others in its own pixels, or theirs if that is less
    double colour = kNan;      ///< chi-square by which its spectrum differs from its neighbour's
    double misfit = kNan;      ///< chi-square a pixel that the two leave
    QString reason;            ///< why it stayed or not, in words
};

/// One parent: a footprint and the objects found in it (one object: isolated).
struct Blend {
    int id = 0; ///< the footprint's id
    Box box;
    std::vector<int> objects;
    std::vector<FluxCovariance> covariances;
    std::vector<SourceCandidate> candidates; ///< in the order in which they were tried; may be empty
    std::uint32_t flags = 0;
    QString message; ///< what happened, in words, for a person
    double seconds = 0.0;
    int iterations = 0;
    std::vector<float> reducedChi2; ///< per band inside the footprint; may be empty
    /// Probabilities of 0, 1, 2... objects (the last entry: that many or more), where a method counts; may be empty.
    std::vector<float> countProbabilities;
    std::vector<float> countSpread; ///< their scatter between draws of the network, as many; may be empty
};

struct StageTiming {
    QString name;
    double seconds = 0.0;
};

/// What any stage may fill in part. Finished results are shared as immutable snapshots.
struct Result {
    QString sceneId;
    QStringList bands;
    std::vector<Footprint> footprints;
    /// Per band; empty = scene taken as sky-subtracted. A detector that is handed a sky of all bands in its input takes
    /// that one off, and does not measure its own.
    std::vector<SkyModelPtr> sky;
    /// What detection measured on the whole scene besides the sky and went by (weights of bands, scale of the noise):
    /// a member for each method, by its id. A detector that is handed its own member goes by it again, so that the
    /// same scene with other objects in it is searched in the same conditions.
    QJsonObject conditions;
    cv::Mat segmentation;              ///< CV_32S [y, x], object ids, 0 = none; empty if not made
    std::vector<Component> components; ///< sorted by id
    std::vector<Object> objects;       ///< sorted by id
    std::vector<Blend> blends;         ///< sorted by id
    std::vector<QString> classNames;   ///< of classPlanes
    std::vector<cv::Mat> classPlanes;  ///< CV_32F [y, x] probabilities

    QJsonObject pipeline; ///< the pipeline as JSON, parameters included
    std::vector<StageTiming> stages;
    QStringList warnings;
    bool complete = true; ///< false: cancelled or still running, holds what is done

    [[nodiscard]] const Object* object(int objectId) const; ///< binary search; null if absent
    [[nodiscard]] const Component* component(int objectId) const;
    [[nodiscard]] const Blend* blend(int blendId) const;
    [[nodiscard]] const Footprint* footprint(int footprintId) const;
};

using ResultPtr = std::shared_ptr<const Result>;

} // namespace blendscope
