#pragma once

#include <QColor>
#include <opencv2/core.hpp>
#include <vector>

namespace blendscope {

/// Colours for masks and components, after Okabe & Ito 2008 (told apart by colour-blind readers), ordered so that
/// successive ones contrast. Index wraps around.
inline constexpr int kPaletteSize = 7;
[[nodiscard]] QColor paletteColour(int index);

/// A palette index per object id (element 0, "no object", is -1): objects whose pixels lie within two pixels of each
/// other get different colours as long as seven suffice (greedy colouring in the order of ids; where seven do not
/// suffice, the pair with the shortest common border shares). `segmentation` is CV_32S [y, x] with ids >= 0; the vector
/// reaches to its greatest id. Deterministic, and adding an object with a higher id leaves the others' colours alone.
[[nodiscard]] std::vector<int> colourObjects(const cv::Mat& segmentation);

/// Colours with one meaning everywhere in the program: truth is shading, what was detected is a dashed outline.
namespace look {
[[nodiscard]] QColor truth();    ///< shading of true objects
[[nodiscard]] QColor detected(); ///< dashed outline of a measured shape
[[nodiscard]] QColor peak();     ///< position of an object
[[nodiscard]] QColor noData();   ///< hatching of NaN and unusable pixels
[[nodiscard]] QColor canvas();   ///< ground of pictures
[[nodiscard]] QColor ink();      ///< text, scale bar and compass on the canvas
} // namespace look

/// Diverging colour of t in -1..1 for residuals: blue, dark, orange; colour-blind safe. NaN gives look::noData().
[[nodiscard]] QRgb divergingColour(float t);

} // namespace blendscope
