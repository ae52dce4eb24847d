#pragma once

#include "simulate/Observation.h"

#include <QJsonObject>
#include <cstdint>
#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

/// An endless series of stamps for training: stamp number i is the same for the same (recipe, seed, i), whoever asks
/// for it, in whatever order and from however many threads. It draws what simulateScene draws, but keeps planes in
/// memory alone and leaves out what training does not need (tables, WCS, segmentation). Immutable: safe from many
/// threads.
class StampStream {
public:
    /// `recipe` as for simulateScene; its size is the stamps'. Throws UsageError, ReadError.
    StampStream(const QJsonObject& recipe, std::uint64_t seed);

    struct Options {
        bool isolated = true; ///< noiseless image of each object alone
        bool psfs = false;    ///< PSF images
    };
    struct Stamp {
        std::vector<cv::Mat> image;                 ///< [band], CV_32F [y, x], counts, with noise
        std::vector<cv::Mat> noiseless;             ///< [band], all objects together
        std::vector<std::vector<cv::Mat>> isolated; ///< [band][object], of the stamp's size
        std::vector<cv::Mat> mask;                  ///< [band], CV_32S bits of Artefacts; empty without artefacts
        std::vector<Galaxy> objects;
        std::vector<float> sigma; ///< rms of the sky, counts, per band
        std::vector<cv::Mat> psf; ///< [band], unit sum, odd size
    };
    /// 0 <= index < 2^31.
    [[nodiscard]] Stamp stamp(int index, const Options& options) const;
    [[nodiscard]] Stamp stamp(int index) const { return stamp(index, Options()); }

    [[nodiscard]] const Recipe& recipe() const { return m_observatory.recipe(); }

private:
    Observatory m_observatory;
    std::uint64_t m_seed;
};

} // namespace blendscope
