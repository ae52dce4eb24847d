#include "view/IdTiles.h"

namespace blendscope {

cv::Mat IdTiles::read(const TileKey& key) const {
    const TileCutter cut(geometry(), key);
    const cv::Mat pixels = m_ids(cut.pixels().rect());
    const int step = cut.step();
    if (step == 1) return cut.padded(pixels);

    const int w = (pixels.cols + step - 1) / step, h = (pixels.rows + step - 1) / step;
    const int stride = std::max(1, step / 4);
    cv::Mat out(h, w, CV_32S);
    for (int j = 0; j < h; ++j) {
        for (int i = 0; i < w; ++i) {
            // Boyer & Moore's vote over the pixels that have an id.
            int best = 0, votes = 0;
            for (int y = j * step; y < std::min((j + 1) * step, pixels.rows); y += stride) {
                const int* row = pixels.ptr<int>(y);
                for (int x = i * step; x < std::min((i + 1) * step, pixels.cols); x += stride) {
                    if (row[x] == 0) continue;
                    if (votes == 0) best = row[x];
                    votes += row[x] == best ? 1 : -1;
                }
            }
            out.at<int>(j, i) = best;
        }
    }
    return cut.padded(out);
}

} // namespace blendscope
