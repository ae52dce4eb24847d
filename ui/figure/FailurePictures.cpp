#include "figure/FailurePictures.h"

#include "core/Error.h"
#include "figure/SceneFigure.h"
#include "jobs/Progress.h"
#include "judge/Failures.h"

#include <QPainter>
#include <algorithm>

namespace blendscope {

namespace {

constexpr double kThumbnailSide = 280.0;

} // namespace

std::vector<FailurePicture> pictureFailures(const std::vector<ScoredPipeline>& scored, int count,
                                            const FailureSource& source, Progress& progress) {
    std::vector<FailurePicture> out;
    progress.begin(QStringLiteral("drawing failures"), static_cast<long long>(scored.size()) * count);
    for (std::size_t k = 0; k < scored.size(); ++k) {
        ScenePtr scene;
        ResultPtr result;
        int resultOf = -1;
        for (const Failure& f : worstFailures(scored[k].scenes, count)) {
            progress.check();
            progress.advance();
            if (resultOf != f.scene) {
                scene = source.scene(f.scene);
                if (!scene) continue;
                resultOf = f.scene;
                try {
                    result = source.result(static_cast<int>(k), *scene);
                } catch (const CancelledError&) {
                    throw;
                } catch (const Error&) {
                    result = std::make_shared<const Result>();
                }
            }
            SceneFigureOptions options;
            options.region = f.box;
            options.zoom = kThumbnailSide / std::max(f.box.width, f.box.height);
            options.truth = options.ellipses = options.peaks = true;
            options.compass = options.scaleBar = false;
            const SceneFigure figure(*scene, result.get(), options);
            QImage image(figure.size(), QImage::Format_RGB32);
            {
                QPainter painter(&image);
                figure.paint(painter);
            }
            out.push_back({static_cast<int>(k), scene->id, f.words, image});
        }
    }
    return out;
}

} // namespace blendscope
