#include "view/ImageTiles.h"

#include "figure/Usable.h"

#include <array>
#include <cmath>

namespace blendscope {

namespace {

constexpr int kSamplesPerTexel = 4; // a side

/// Mean of step x step blocks over finite pixels; NaN where there are none. The last blocks may be partial.
cv::Mat blockMean(const cv::Mat& pixels, int step) {
    if (step == 1) return pixels;
    const int w = (pixels.cols + step - 1) / step, h = (pixels.rows + step - 1) / step;
    cv::Mat out(h, w, CV_32F);
    std::vector<float> sum(static_cast<size_t>(w)), count(static_cast<size_t>(w));
    for (int j = 0; j < h; ++j) {
        std::fill(sum.begin(), sum.end(), 0.0f);
        std::fill(count.begin(), count.end(), 0.0f);
        for (int y = j * step; y < std::min((j + 1) * step, pixels.rows); ++y) {
            const float* row = pixels.ptr<float>(y);
            for (int i = 0; i < w; ++i) {
                const int end = std::min((i + 1) * step, pixels.cols);
                for (int x = i * step; x < end; ++x) {
                    const bool good = std::isfinite(row[x]);
                    sum[static_cast<size_t>(i)] += good ? row[x] : 0.0f;
                    count[static_cast<size_t>(i)] += good ? 1.0f : 0.0f;
                }
            }
        }
        float* to = out.ptr<float>(j);
        for (int i = 0; i < w; ++i) {
            const auto k = static_cast<size_t>(i);
            to[i] = count[k] > 0.0f ? sum[k] / count[k] : std::numeric_limits<float>::quiet_NaN();
        }
    }
    return out;
}

} // namespace

std::shared_ptr<ImageTiles> ImageTiles::ofBand(ScenePtr scene, int band) {
    std::shared_ptr<ImageTiles> tiles(new ImageTiles);
    tiles->m_scene = std::move(scene);
    tiles->m_bands = {band};
    return tiles;
}

std::shared_ptr<ImageTiles> ImageTiles::ofColours(ScenePtr scene, const RgbSettings& settings) {
    std::shared_ptr<ImageTiles> tiles(new ImageTiles);
    for (int b = 0; b < static_cast<int>(scene->bands.size()); ++b) {
        const auto k = static_cast<size_t>(b);
        bool used = false;
        for (const std::vector<float>& weights : settings.weights) {
            used = used || (k < weights.size() && weights[k] != 0.0f);
        }
        if (used) tiles->m_bands.push_back(b);
    }
    tiles->m_scene = std::move(scene);
    tiles->m_settings = settings;
    tiles->m_settings.level.resize(tiles->m_scene->bands.size());
    tiles->m_colour = true;
    return tiles;
}

bool ImageTiles::plain(const cv::Mat& tile) const {
    const int channels = tile.channels();
    for (int y = 0; y < tile.rows; ++y) {
        const float* row = tile.ptr<float>(y);
        for (int x = 0; x < tile.cols; ++x) {
            if (row[x * channels + channels - 1] != 0.0f) return false;
        }
    }
    return true;
}

cv::Mat ImageTiles::meanTexels(const Plane& plane, const TileCutter& cut) const {
    if (cut.step() <= kSamplesPerTexel) return blockMean(plane.read(cut.pixels()), cut.step());
    return blockMean(plane.readSampled(cut.pixels(), cut.step() / kSamplesPerTexel), kSamplesPerTexel);
}

cv::Mat ImageTiles::read(const TileKey& key) const {
    const TileCutter cut(geometry(), key);
    const int w = (cut.pixels().width + cut.step() - 1) / cut.step();
    const int h = (cut.pixels().height + cut.step() - 1) / cut.step();

    std::vector<cv::Mat> planes;
    for (const int b : m_bands) {
        const Band& band = m_scene->bands[static_cast<size_t>(b)];
        planes.push_back(band.image ? meanTexels(*band.image, cut)
                                    : cv::Mat(h, w, CV_32F, cv::Scalar(std::numeric_limits<float>::quiet_NaN())));
    }
    const cv::Mat unusable = unusablePixels(*m_scene, m_bands, cut.pixels(), cut.step());

    if (!m_colour) {
        cv::Mat out(h, w, CV_32FC2);
        for (int y = 0; y < h; ++y) {
            const float* from = planes[0].ptr<float>(y);
            auto* to = out.ptr<cv::Vec2f>(y);
            for (int x = 0; x < w; ++x) {
                const bool good = std::isfinite(from[x]);
                to[x] = {good ? from[x] : 0.0f, !good ? 2.0f : unusable.at<std::uint8_t>(y, x) ? 1.0f : 0.0f};
            }
        }
        return cut.padded(out);
    }

    std::array<float, 3> whole{};
    for (size_t c = 0; c < 3; ++c) {
        for (const int b : m_bands) {
            whole[c] += m_settings.weights[c][static_cast<size_t>(b)];
        }
    }
    cv::Mat out(h, w, CV_32FC4);
    std::vector<const float*> rows(planes.size());
    for (int y = 0; y < h; ++y) {
        for (size_t i = 0; i < planes.size(); ++i) {
            rows[i] = planes[i].ptr<float>(y);
        }
        const auto* bad = unusable.ptr<std::uint8_t>(y);
        auto* to = out.ptr<cv::Vec4f>(y);
        for (int x = 0; x < w; ++x) {
            std::array<float, 3> value{}, weight{};
            size_t missing = 0;
            for (size_t i = 0; i < planes.size(); ++i) {
                const auto b = static_cast<size_t>(m_bands[i]);
                const float v = rows[i][x] - m_settings.level[b];
                if (!std::isfinite(v)) {
                    ++missing;
                    continue;
                }
                for (size_t c = 0; c < 3; ++c) {
                    value[c] += m_settings.weights[c][b] * v;
                    weight[c] += m_settings.weights[c][b];
                }
            }
            if (missing == planes.size()) {
                to[x] = {0.0f, 0.0f, 0.0f, 2.0f};
                continue;
            }
            if (missing) {
                // As in luptonRgb: a channel stands on the bands left; one without any takes the others' mean.
                float sum = 0.0f;
                int have = 0;
                for (size_t c = 0; c < 3; ++c) {
                    if (weight[c] == 0.0f) continue;
                    value[c] *= whole[c] / weight[c];
                    sum += value[c];
                    ++have;
                }
                for (size_t c = 0; c < 3; ++c) {
                    if (weight[c] == 0.0f && whole[c] != 0.0f && have) value[c] = sum / static_cast<float>(have);
                }
            }
            to[x] = {value[0], value[1], value[2], missing || bad[x] ? 1.0f : 0.0f};
        }
    }
    return cut.padded(out);
}

} // namespace blendscope
