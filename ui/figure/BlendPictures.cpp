#include "figure/BlendPictures.h"

#include "core/Error.h"
#include "figure/Palette.h"
#include "figure/Raster.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

constexpr int kLargest = 384;        ///< pictures of larger blends are averaged down to this
constexpr double kLowSigmas = -1.5;  ///< black of a band
constexpr double kSoftSigmas = 4.0;  ///< where the scale of a band turns from linear to logarithmic
constexpr double kLeastSigmas = 5.0; ///< white of a band is at least this

/// Adds what of `image` (at `from`) lies in `box`.
void addOn(cv::Mat& onto, const cv::Mat& image, const Box& from, const Box& box) {
    const Box common = from.intersected(box);
    if (image.empty() || common.empty()) return;
    cv::Mat view = onto(common.shifted(-box.x0, -box.y0).rect());
    view += image(common.shifted(-from.x0, -from.y0).rect());
}

cv::Mat reduced(const cv::Mat& m) {
    const int most = std::max(m.cols, m.rows);
    if (m.empty() || most <= kLargest) return m;
    cv::Mat small;
    const double f = double(kLargest) / most;
    cv::resize(m, small, {}, f, f, cv::INTER_AREA);
    return small;
}

double medianOf(const cv::Mat& m) {
    std::vector<float> values;
    for (int y = 0; y < m.rows; ++y) {
        const auto* row = m.ptr<float>(y);
        std::copy_if(row, row + m.cols, std::back_inserter(values), [](float v) { return std::isfinite(v); });
    }
    if (values.empty()) return 1.0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle > 0.0f ? double(*middle) : 1.0;
}

double brightestIn(const cv::Mat& m, const Box& from, const Box& box) {
    double most = 0.0;
    const Box common = from.intersected(box);
    for (int y = common.y0; y < common.y1(); ++y) {
        const auto* row = m.ptr<float>(y - from.y0);
        for (int x = common.x0; x < common.x1(); ++x) {
            const float v = row[x - from.x0];
            if (std::isfinite(v)) most = std::max(most, double(v));
        }
    }
    return most;
}

bool none(const std::vector<cv::Mat>& images) {
    return std::all_of(images.begin(), images.end(), [](const cv::Mat& m) { return m.empty(); });
}

BlendPictures::Row bandRow(const BlendCut& cut, std::size_t b, const QString& name, double limit) {
    const double sigma = medianOf(cut.sigma[b]);
    const Cuts cuts{float(kLowSigmas * sigma),
                    float(std::max(brightestIn(cut.data[b], cut.box, cut.counted), kLeastSigmas * sigma))};
    const auto softening = float(kSoftSigmas * sigma / double(cuts.high - cuts.low));
    const auto grey = [&](const cv::Mat& m) {
        return m.empty() ? QImage() : greyImage(reduced(m), cuts, Curve::Asinh, softening);
    };
    BlendPictures::Row row{
        name, grey(cut.data[b]), grey(cut.model[b]), sigmaImage(reduced(cut.residual[b]), float(limit)), {}};
    for (const std::vector<cv::Mat>& component : cut.components) {
        row.components.push_back(grey(component[b]));
    }
    return row;
}

BlendPictures::Row colourRow(const BlendCut& cut, RgbSettings rgb, double limit) {
    rgb.level.assign(cut.data.size(), 0.0f); // the sky is taken off already
    const auto colour = [&rgb](const std::vector<cv::Mat>& images) {
        if (none(images)) return QImage();
        std::vector<cv::Mat> small;
        cv::Size size;
        for (const cv::Mat& m : images) {
            small.push_back(reduced(m));
            if (!m.empty()) size = small.back().size();
        }
        for (cv::Mat& m : small) {
            if (m.empty()) m = cv::Mat::zeros(size, CV_32F); // a band without a component holds no light of it
        }
        return rgbImage(small, rgb);
    };
    BlendPictures::Row row{
        {}, colour(cut.data), colour(cut.model), sigmaImage(reduced(cut.residualAll), float(limit)), {}};
    for (const std::vector<cv::Mat>& component : cut.components) {
        row.components.push_back(colour(component));
    }
    return row;
}

} // namespace

Box pictureBox(const Box& blend, const Scene& scene) {
    const int margin = std::max(4, std::max(blend.width, blend.height) / 8);
    const Box box = blend.grown(margin);
    // Thin blends get sky around them, so that tiles are not slivers.
    const int side = std::max(box.width, box.height);
    const int padX = std::max(0, side * 3 / 4 - box.width) / 2, padY = std::max(0, side * 3 / 4 - box.height) / 2;
    return Box{box.x0 - padX, box.y0 - padY, box.width + 2 * padX, box.height + 2 * padY}.intersected(scene.box());
}

BlendCut cutBlend(const Scene& scene, const Result& result, int blendId, ComponentForm form) {
    const Blend* blend = result.blend(blendId);
    if (!blend) throw UsageError(QStringLiteral("the result has no blend %1").arg(blendId));
    BlendCut cut;
    cut.blendId = blendId;
    cut.objects = blend->objects;
    cut.counted = blend->box;
    Box wanted = blend->box;
    for (const int id : blend->objects) {
        const Object* o = result.object(id);
        if (o && std::isfinite(o->x) && std::isfinite(o->y))
            wanted = wanted.united({int(std::lround(o->x)), int(std::lround(o->y)), 1, 1});
    }
    cut.box = pictureBox(wanted, scene);
    if (cut.box.empty()) throw UsageError(QStringLiteral("blend %1 lies outside the scene").arg(blendId));

    const Box& box = cut.box;
    cut.components.assign(cut.objects.size(), {});
    cv::Mat sum = cv::Mat::zeros(box.size(), CV_32F), count = sum.clone();
    for (std::size_t b = 0; b < scene.bands.size(); ++b) {
        const Band& band = scene.bands[b];
        cv::Mat data = band.image->read(box).clone();
        cv::Mat variance = band.variance ? band.variance->read(box).clone() : cv::Mat();
        if (b < result.sky.size() && result.sky[b]) {
            if (!result.sky[b]->isZero()) data -= result.sky[b]->level(box);
            if (variance.empty()) cv::pow(result.sky[b]->rms(box), 2.0, variance);
        }
        if (variance.empty()) variance = cv::Mat(box.size(), CV_32F, cv::Scalar(1.0));
        // Neighbouring blends' models belong to the picture too: what is left is what nobody explains.
        cv::Mat model = cv::Mat::zeros(box.size(), CV_32F);
        for (const Component& c : result.components) {
            if (b < c.model.size()) addOn(model, c.model[b], c.box, box);
        }
        for (std::size_t k = 0; k < cut.objects.size(); ++k) {
            const Component* c = result.component(cut.objects[k]);
            cv::Mat own;
            if (c) {
                const std::vector<cv::Mat>& images = form == ComponentForm::Model ? c->model : c->share;
                if (b < images.size() && !images[b].empty()) {
                    own = cv::Mat::zeros(box.size(), CV_32F);
                    addOn(own, images[b], c->box, box);
                }
            }
            cut.components[k].push_back(own);
        }

        cv::Mat residual(box.size(), CV_32F), sigma(box.size(), CV_32F);
        const double perCount = band.varianceIsSkyOnly && band.gain > 0.0 ? 1.0 / band.gain : 0.0;
        for (int y = 0; y < box.height; ++y) {
            const auto* d = data.ptr<float>(y);
            const auto* m = model.ptr<float>(y);
            const auto* v = variance.ptr<float>(y);
            auto* r = residual.ptr<float>(y);
            auto* s = sigma.ptr<float>(y);
            auto* total = sum.ptr<float>(y);
            auto* n = count.ptr<float>(y);
            for (int x = 0; x < box.width; ++x) {
                const double full = double(v[x]) + perCount * std::max(0.0, double(m[x]));
                const bool weight = v[x] > 0.0f && std::isfinite(full);
                s[x] = weight ? std::sqrt(v[x]) : kNan;
                r[x] = weight ? float((double(d[x]) - double(m[x])) / std::sqrt(full)) : kNan;
                if (!std::isfinite(r[x])) {
                    r[x] = kNan;
                    continue;
                }
                total[x] += r[x];
                n[x] += 1.0f;
            }
        }
        cut.data.push_back(data);
        cut.sigma.push_back(sigma);
        cut.model.push_back(model);
        cut.residual.push_back(residual);
    }
    cut.residualAll = cv::Mat(box.size(), CV_32F);
    for (int y = 0; y < box.height; ++y) {
        for (int x = 0; x < box.width; ++x) {
            const float n = count.at<float>(y, x);
            cut.residualAll.at<float>(y, x) = n > 0.0f ? sum.at<float>(y, x) / std::sqrt(n) : kNan;
        }
    }
    return cut;
}

const BlendPictures::Row* BlendPictures::row(int band) const {
    const bool colour = !rows.empty() && rows.front().name.isEmpty();
    const auto i = std::size_t(std::max(0, colour ? band + 1 : band));
    return i < rows.size() ? &rows[i] : nullptr;
}

BlendPictures blendPictures(const Scene& scene, const Result& result, int blendId, const RgbSettings& rgb,
                            ComponentForm form) {
    const BlendCut cut = cutBlend(scene, result, blendId, form);
    BlendPictures pictures;
    pictures.blendId = blendId;
    pictures.box = cut.box;
    pictures.objects = cut.objects;
    if (scene.bands.size() > 1) {
        pictures.rows.push_back(
            colourRow(cut, rgb.weights[0].empty() ? defaultRgb(scene) : rgb, pictures.residualLimit));
    }
    for (std::size_t b = 0; b < scene.bands.size(); ++b) {
        pictures.rows.push_back(bandRow(cut, b, scene.bands[b].name, pictures.residualLimit));
    }
    return pictures;
}

std::shared_ptr<const BlendPictures> makeBlendPictures(const Scene& scene, const Result& result, int blendId,
                                                       const RgbSettings& rgb, ComponentForm form) {
    auto pictures = std::make_shared<BlendPictures>();
    try {
        *pictures = blendPictures(scene, result, blendId, rgb, form);
    } catch (const std::exception& e) {
        pictures->blendId = blendId;
        pictures->problem = QString::fromUtf8(e.what());
    }
    return pictures;
}

} // namespace blendscope
