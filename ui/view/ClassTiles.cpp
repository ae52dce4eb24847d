#include "view/ClassTiles.h"

#include "figure/Palette.h"

#include <QStringList>
#include <algorithm>
#include <cmath>

namespace blendscope {

cv::Mat ClassTiles::read(const TileKey& key) const {
    const TileCutter cut(geometry(), key);
    const Box box = cut.pixels();
    const int step = cut.step();
    const int w = (box.width + step - 1) / step, h = (box.height + step - 1) / step;
    cv::Mat out(h, w, CV_32S);
    const int count = static_cast<int>(m_planes.size());
    for (int j = 0; j < h; ++j) {
        const int y = box.y0 + std::min(j * step + step / 2, box.height - 1);
        for (int i = 0; i < w; ++i) {
            const int x = box.x0 + std::min(i * step + step / 2, box.width - 1);
            int best = std::max(0, m_shown);
            float p = m_planes[static_cast<size_t>(best)].at<float>(y, x);
            for (int k = 0; m_shown < 0 && k < count; ++k) {
                const float other = m_planes[static_cast<size_t>(k)].at<float>(y, x);
                if (other > p) {
                    best = k;
                    p = other;
                }
            }
            const int level = static_cast<int>(std::lround(std::clamp(double(p), 0.0, 1.0) * (kLevels - 1)));
            out.at<int>(j, i) = level > 0 ? 1 + best * kLevels + level : 0;
        }
    }
    return cut.padded(out);
}

cv::Mat ClassTiles::table(const std::vector<QString>& names, int shown, int width) {
    const int count = static_cast<int>(names.size());
    cv::Mat table((1 + count * kLevels) / width + 1, width, CV_8UC4, cv::Scalar::all(0));
    for (int k = 0; k < count; ++k) {
        if (shown < 0 && isSkyClass(names[static_cast<size_t>(k)])) continue;
        const QColor colour = classColour(k);
        for (int level = 1; level < kLevels; ++level) {
            const int id = 1 + k * kLevels + level;
            table.at<cv::Vec4b>(id / width, id % width) = {
                static_cast<uchar>(colour.red()), static_cast<uchar>(colour.green()), static_cast<uchar>(colour.blue()),
                static_cast<uchar>(255 * level / (kLevels - 1))};
        }
    }
    return table;
}

QColor classColour(int index) {
    return paletteColour(index);
}

bool isSkyClass(const QString& name) {
    static const QStringList sky{QStringLiteral("sky"), QStringLiteral("background"), QStringLiteral("none")};
    return sky.contains(name.toLower());
}

} // namespace blendscope
