#pragma once

#include "core/Result.h"
#include "core/Scene.h"
#include "judge/IsolatedImages.h"
#include "method/Pipeline.h"

#include <vector>

namespace blendscope {

/// The light of one true object as detection sees it.
struct ObjectLight {
    Box box;          ///< of `light`, inside the scene; empty = none
    cv::Mat light;    ///< CV_32F, see AttributionTruth::light
    double snr = 0.0; ///< AttributionTruth::snr
};

/// What the same detector finds of each object alone.
struct AloneFinding {
    int detections = 0;
    double significance = std::numeric_limits<double>::quiet_NaN(); ///< of the highest, sigma
};

/// Runs a detector on every true object alone in given noise. Objects that are out of each other's reach share a scene
/// (greedy colouring, largest first): with light below 2 % of the noise per pixel at the other's border, footprints
/// cannot touch, nor can one object's wings clean away another. So a scene of any number of objects takes some ten
/// runs of the detector on the whole scene, as it was run on the blend: same size, sky, noise map, masks, PSFs and band
/// weights. Safe to use from one thread at a time.
class IsolatedRuns {
public:
    struct Conditions {
        std::vector<SkyModelPtr> sky; ///< per band of the scene; level 0
        QJsonObject conditions;       ///< Result::conditions
        bool detectionOnly = true;    ///< false: a later method of the pipeline adds or drops objects, so it runs too
    };

    /// `each`: a scene for every object.
    IsolatedRuns(const Scene& scene, const IsolatedImages& images, const std::vector<char>& usable, double fwhmPixels,
                 bool each, Progress& progress, int threads);

    [[nodiscard]] const std::vector<ObjectLight>& lights() const { return m_lights; }
    [[nodiscard]] int scenes() const { return static_cast<int>(m_groups.size()); }

    /// `noise`: per judged band (IsolatedImages::bands), CV_32F of the scene. `radius`: a detection this close (pixels)
    /// to an object is its own, as is one in the brighter part of its light.
    [[nodiscard]] std::vector<AloneFinding> run(const std::vector<cv::Mat>& noise, const Pipeline& pipeline,
                                                const Registry& registry, const Conditions& conditions, double radius,
                                                const QString& device, Progress& progress) const;

    /// The scene with these images instead of its own, judged bands alone, marked as sky-subtracted.
    [[nodiscard]] Scene withImages(const std::vector<cv::Mat>& images) const;

    /// Whole images (judged bands, sky taken off) as AttributionTruth::light has it, negative pixels 0.
    [[nodiscard]] cv::Mat lightOf(const std::vector<cv::Mat>& images) const;

    struct Found {
        double x = 0.0, y = 0.0;
        float significance = 0.0f;
        int footprint = 0;
    };
    /// Objects where the detector makes them, else peaks.
    [[nodiscard]] static std::vector<Found> found(const Result& result);

private:
    void measure(Progress& progress);
    void colour(const std::vector<char>& usable, double fwhmPixels, bool each);

    const Scene& m_scene;
    const IsolatedImages& m_images;
    int m_threads;
    std::vector<ObjectLight> m_lights;
    std::vector<std::vector<size_t>> m_groups;
};

/// Result::conditions for a scene with fewer bands: lists that hold a value for each of `from` bands keep those of
/// `bands`.
[[nodiscard]] QJsonObject conditionsOfBands(const QJsonObject& conditions, size_t from, const std::vector<int>& bands);

} // namespace blendscope
