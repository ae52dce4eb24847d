#include "panels/BlendPictures.h"

#include "core/Error.h"
#include "figure/Palette.h"

#include <cmath>
#include <opencv2/imgproc.hpp>

namespace blendscope {

namespace {

constexpr int kLargest = 384; ///< pictures of larger blends are averaged down to this

/// A component's image on the box, 0 where it does not reach.
cv::Mat onBox(const cv::Mat& image, const Box& from, const Box& box) {
    cv::Mat out = cv::Mat::zeros(box.height, box.width, CV_32F);
    const Box common = from.intersected(box);
    if (image.empty() || common.empty()) return out;
    image(common.shifted(-from.x0, -from.y0).rect()).copyTo(out(common.shifted(-box.x0, -box.y0).rect()));
    return out;
}

QImage toImage(const cv::Mat& bgr) {
    cv::Mat flipped;
    cv::flip(bgr, flipped, 0);
    QImage image(flipped.cols, flipped.rows, QImage::Format_RGB32);
    for (int y = 0; y < flipped.rows; ++y) {
        auto* line = reinterpret_cast<QRgb*>(image.scanLine(y));
        const auto* p = flipped.ptr<cv::Vec3b>(y);
        for (int x = 0; x < flipped.cols; ++x) {
            line[x] = qRgb(p[x][2], p[x][1], p[x][0]);
        }
    }
    return image;
}

cv::Mat reduced(const cv::Mat& m) {
    const int most = std::max(m.cols, m.rows);
    if (most <= kLargest) return m;
    cv::Mat small;
    const double f = double(kLargest) / most;
    cv::resize(m, small, {}, f, f, cv::INTER_AREA);
    return small;
}

QImage greyImage(const cv::Mat& counts, double low, double high, double sigma) {
    const cv::Mat m = reduced(counts);
    cv::Mat bgr(m.size(), CV_8UC3);
    const QColor none = look::noData();
    const auto f = [&](double v) { return std::asinh((v - low) / (4 * sigma)); };
    const double top = std::max(f(high), 1e-6);
    for (int y = 0; y < m.rows; ++y) {
        const auto* in = m.ptr<float>(y);
        auto* out = bgr.ptr<cv::Vec3b>(y);
        for (int x = 0; x < m.cols; ++x) {
            if (!std::isfinite(in[x])) {
                out[x] = {uchar(none.blue()), uchar(none.green()), uchar(none.red())};
                continue;
            }
            const auto g = static_cast<uchar>(std::clamp(f(double(in[x])) / top, 0.0, 1.0) * 255.0);
            out[x] = {g, g, g};
        }
    }
    return toImage(bgr);
}

QImage residualImage(const cv::Mat& sigmas, double limit) {
    const cv::Mat m = reduced(sigmas);
    cv::Mat bgr(m.size(), CV_8UC3);
    for (int y = 0; y < m.rows; ++y) {
        const auto* in = m.ptr<float>(y);
        auto* out = bgr.ptr<cv::Vec3b>(y);
        for (int x = 0; x < m.cols; ++x) {
            const QRgb c = divergingColour(float(double(in[x]) / limit));
            out[x] = {uchar(qBlue(c)), uchar(qGreen(c)), uchar(qRed(c))};
        }
    }
    return toImage(bgr);
}

void fillPictures(BlendPictures& p, const Scene& scene, const Result& result, const Blend& blend, RgbSettings rgb,
                  ComponentForm form) {
    Box wanted = blend.box;
    for (const int id : blend.objects) {
        const Object* o = result.object(id);
        if (o) wanted = wanted.united({int(std::lround(o->x)), int(std::lround(o->y)), 1, 1});
    }
    const int margin = std::max(4, std::max(wanted.width, wanted.height) / 8);
    Box box = wanted.grown(margin);
    // Thin blends get sky around them, so that tiles are not slivers.
    const int side = std::max(box.width, box.height);
    const int padX = std::max(0, side * 3 / 4 - box.width) / 2, padY = std::max(0, side * 3 / 4 - box.height) / 2;
    box = Box{box.x0 - padX, box.y0 - padY, box.width + 2 * padX, box.height + 2 * padY}.intersected(scene.box());
    p.box = box;
    p.objects = blend.objects;
    if (box.empty()) {
        p.problem = QStringLiteral("The blend lies outside the scene.");
        return;
    }
    const std::size_t bands = scene.bands.size(), n = blend.objects.size();
    std::vector<cv::Mat> data(bands), model(bands), residual(bands);
    std::vector<std::vector<cv::Mat>> parts(n, std::vector<cv::Mat>(bands));
    cv::Mat chi = cv::Mat::zeros(box.height, box.width, CV_32F), used = chi.clone();
    std::vector<BlendPictures::Row> rows;

    for (std::size_t b = 0; b < bands; ++b) {
        const Band& band = scene.bands[b];
        data[b] = band.image->read(box).clone();
        cv::Mat variance = band.variance ? band.variance->read(box).clone() : cv::Mat();
        if (b < result.sky.size() && result.sky[b]) {
            if (!result.sky[b]->isZero()) data[b] -= result.sky[b]->level(box);
            if (variance.empty()) cv::pow(result.sky[b]->rms(box), 2.0, variance);
        }
        if (variance.empty()) variance = cv::Mat(box.height, box.width, CV_32F, cv::Scalar(1.0));
        model[b] = cv::Mat::zeros(box.height, box.width, CV_32F);
        for (std::size_t k = 0; k < n; ++k) {
            const Component* c = result.component(blend.objects[k]);
            if (!c) continue;
            if (b < c->model.size()) {
                const cv::Mat m = onBox(c->model[b], c->box, box);
                model[b] += m;
                if (form == ComponentForm::Model) parts[k][b] = m;
            }
            if (form == ComponentForm::Share && b < c->share.size()) parts[k][b] = onBox(c->share[b], c->box, box);
        }
        // Neighbouring blends' models belong to the picture too: what is left is what nobody explains.
        for (const Component& c : result.components) {
            if (b < c.model.size() && !c.box.intersected(box).empty() &&
                std::find(blend.objects.begin(), blend.objects.end(), c.id) == blend.objects.end()) {
                model[b] += onBox(c.model[b], c.box, box);
            }
        }

        residual[b] = cv::Mat(box.height, box.width, CV_32F);
        std::vector<float> sigmas;
        const double perCount = band.varianceIsSkyOnly && band.gain > 0 ? 1.0 / band.gain : 0.0;
        double sum = 0.0;
        long long count = 0;
        double brightest = 0.0;
        for (int y = 0; y < box.height; ++y) {
            const auto* d = data[b].ptr<float>(y);
            const auto* m = model[b].ptr<float>(y);
            const auto* v = variance.ptr<float>(y);
            auto* r = residual[b].ptr<float>(y);
            auto* c = chi.ptr<float>(y);
            auto* u = used.ptr<float>(y);
            for (int x = 0; x < box.width; ++x) {
                const double var = double(v[x]) + perCount * std::max(0.0, double(m[x]));
                if (!std::isfinite(d[x]) || !(double(v[x]) > 0) || !std::isfinite(var)) {
                    r[x] = kNan;
                    continue;
                }
                sigmas.push_back(std::sqrt(v[x]));
                r[x] = float((double(d[x]) - double(m[x])) / std::sqrt(var));
                c[x] += r[x];
                u[x] += 1.0f;
                if (blend.box.contains(box.x0 + x, box.y0 + y)) {
                    sum += double(r[x]) * double(r[x]);
                    ++count;
                    brightest = std::max(brightest, double(d[x]));
                }
            }
        }
        double sigma = 1.0;
        if (!sigmas.empty()) {
            auto mid = sigmas.begin() + static_cast<std::ptrdiff_t>(sigmas.size() / 2);
            std::nth_element(sigmas.begin(), mid, sigmas.end());
            sigma = *mid > 0 ? double(*mid) : 1.0;
        }
        const double low = -1.5 * sigma, high = std::max(brightest, 5 * sigma);
        BlendPictures::Row row;
        row.name = band.name;
        row.reducedChi2 = count > 0 ? float(sum / double(count)) : kNan;
        row.data = greyImage(data[b], low, high, sigma);
        row.model = greyImage(model[b], low, high, sigma);
        row.residual = residualImage(residual[b], p.residualLimit);
        for (std::size_t k = 0; k < n; ++k) {
            row.components.push_back(parts[k][b].empty() ? QImage() : greyImage(parts[k][b], low, high, sigma));
        }
        rows.push_back(std::move(row));
    }

    if (bands > 1 && !rgb.weights[0].empty()) {
        rgb.level.assign(bands, 0.0f); // sky is taken off already
        const auto colour = [&rgb](const std::vector<cv::Mat>& images) {
            std::vector<cv::Mat> small;
            for (const cv::Mat& m : images) {
                small.push_back(m.empty() ? m : reduced(m));
            }
            cv::Mat bgr;
            luptonRgb(small, rgb, bgr);
            return toImage(bgr);
        };
        BlendPictures::Row row;
        row.data = colour(data);
        row.model = colour(model);
        for (int y = 0; y < box.height; ++y) {
            auto* c = chi.ptr<float>(y);
            const auto* u = used.ptr<float>(y);
            for (int x = 0; x < box.width; ++x) {
                c[x] = u[x] > 0 ? c[x] / std::sqrt(u[x]) : kNan;
            }
        }
        row.residual = residualImage(chi, p.residualLimit);
        for (std::size_t k = 0; k < n; ++k) {
            const bool none = std::all_of(parts[k].begin(), parts[k].end(), [](const cv::Mat& m) { return m.empty(); });
            row.components.push_back(none ? QImage() : colour(parts[k]));
        }
        p.rows.push_back(std::move(row));
    }
    for (BlendPictures::Row& row : rows) {
        p.rows.push_back(std::move(row));
    }
}

} // namespace

std::shared_ptr<const BlendPictures> makeBlendPictures(const Scene& scene, const Result& result, int blendId,
                                                       const RgbSettings& rgb, ComponentForm form) {
    auto pictures = std::make_shared<BlendPictures>();
    pictures->blendId = blendId;
    try {
        const Blend* blend = result.blend(blendId);
        if (!blend) return pictures;
        const RgbSettings used = rgb.weights[0].empty() ? defaultRgb(scene) : rgb;
        fillPictures(*pictures, scene, result, *blend, used, form);
    } catch (const std::exception& e) {
        pictures->problem = QString::fromUtf8(e.what());
    }
    return pictures;
}

} // namespace blendscope
