#pragma once

#include "simulate/NoiseModel.h"
#include "simulate/Recipe.h"
#include "simulate/Renderer.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace blendscope {

/// What a recipe's scenes have in common, made once: tables of profiles and PSFs. Immutable.
class Observatory {
public:
    /// Throws UsageError, ReadError (PSF images).
    explicit Observatory(const Recipe& recipe);
    [[nodiscard]] const Recipe& recipe() const { return m_recipe; }

    /// What one band of a scene takes from the sky and its detector.
    struct Exposure {
        cv::Mat image; ///< CV_32F, counts
        cv::Mat mask;  ///< CV_32S; empty without artefacts
    };
    /// Conditions of one scene.
    struct Night {
        std::unique_ptr<const Renderer> renderer;
        std::vector<NoiseModel> noise; ///< per band
        std::vector<cv::Point2d> offsets;
        bool varies = false; ///< the PSF changes over the field
    };
    /// Conditions of scene number `index`: seeing, ellipticity, offsets and field variation drawn from (seed, index).
    [[nodiscard]] Night observe(std::uint64_t seed, int index) const;
    /// Noise and artefacts of a band onto the noiseless light of its objects.
    [[nodiscard]] Exposure expose(const Night& night, size_t band, const std::vector<Galaxy>& objects,
                                  const cv::Mat& noiseless, std::uint64_t seed, int index) const;

private:
    Recipe m_recipe;
    PsfMaker m_psfs;
    std::shared_ptr<const SersicBank> m_bank;
};

} // namespace blendscope
