#pragma once

#include "core/Box.h"
#include "core/Scene.h"

#include <QStringList>
#include <memory>
#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

class Progress;

/// The noiseless image of each true object alone, as small cut-outs: from the scene's file where it has them, else
/// rendered from the truth table through the scene's PSFs. Safe from many threads.
class IsolatedImages {
public:
    struct Cutout {
        Box box;       ///< inside the scene; empty = no light
        cv::Mat light; ///< CV_32F of `box`, counts
    };

    /// Reads what is in the file; `notes` takes sentences on what is rendered and what is missing. The scene must
    /// outlive this. Throws ReadError, CancelledError.
    IsolatedImages(const Scene& scene, Progress& progress, int threads, QStringList& notes);
    ~IsolatedImages();
    IsolatedImages(const IsolatedImages&) = delete;
    IsolatedImages& operator=(const IsolatedImages&) = delete;

    /// Indices of the scene's bands that every object has an image in.
    [[nodiscard]] const std::vector<int>& bands() const;
    /// Object by row of the truth table, band by index of the scene.
    [[nodiscard]] Cutout cutout(size_t object, int band) const;

private:
    struct State;
    std::unique_ptr<State> m_state;
};

} // namespace blendscope
