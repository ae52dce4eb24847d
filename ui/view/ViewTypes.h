#pragma once

#include "core/Result.h"
#include "core/Scene.h"
#include "image/Display.h"
#include "judge/Outcome.h"

#include <QColor>
#include <QPointF>
#include <QRectF>
#include <optional>
#include <vector>

namespace blendscope {

/// What a scene view looks at. Image coordinates everywhere: pixel (0, 0) has its centre at (0, 0), x right, y up.
struct ViewCamera {
    QPointF centre;    ///< image position in the middle of the view
    double zoom = 1.0; ///< physical screen pixels an image pixel
    friend bool operator==(const ViewCamera&, const ViewCamera&) = default;
};

/// Colour maps of a single band, perceptually uniform; Diverging (blue - dark - red) is for signed residuals.
enum class DisplayMap { Gray, InvertedGray, Viridis, Cividis, Magma, Diverging };

/// Everything that turns pixels into colours.
struct ViewDisplay {
    bool rgb = true;
    RgbSettings rgbSettings; ///< where rgb; empty weights = the default of the scene, found in the background
    int band = 0;            ///< where not rgb
    Curve curve = Curve::Asinh;
    float curveParameter = 0.0f;
    Cuts cuts; ///< counts
    DisplayMap map = DisplayMap::Gray;
    float contrast = 1.0f; ///< slope of the right-drag (DS9): colour = (colour - bias) * contrast + 0.5
    float bias = 0.5f;
};

enum class CutsMode { ZScale, MinMax, Percent90, Percent99, Percent995, Percent999, Sky };

/// How the segmentation is drawn.
enum class MaskStyle { Off, Fill, Outline, FillAndOutline };

struct OverlayStyle {
    MaskStyle masks = MaskStyle::Outline;
    float maskOpacity = 0.35f; ///< of the fill
    bool peaks = false;        ///< crosses at the peaks of detection
    bool ellipses = false;     ///< dashed ellipses of what was measured
    bool truth = false;        ///< colour shading of the truth segmentation, and dots at true positions
    float truthOpacity = 0.35f;
    bool classes = true; ///< class planes as shading, where a result has some
    int classShown = -1; ///< one class, or -1 = the most probable
    float classOpacity = 0.5f;
    bool unusable = true;  ///< hatch over masked pixels and those without weight; NaN are always hatched
    bool positions = true; ///< given positions, where there are some
    bool compass = true;
    bool scaleBar = true;
    bool colorBar = true; ///< where the picture is not RGB
    bool cursorCross = true;
    bool hover = true; ///< light up the object under the mouse
    friend bool operator==(const OverlayStyle&, const OverlayStyle&) = default;
};

/// A judged blend, framed in its outcome's colour and dashes.
struct OutcomeMark {
    QRectF box; ///< image coordinates, pixel edges at half-integers
    Outcome outcome = Outcome::Unknown;
    bool suspected = false;
    bool selected = false;
};

/// What a person selected: an object, or a whole blend (object = 0), or nothing (both 0).
struct ViewSelection {
    int object = 0;
    int blend = 0;
    [[nodiscard]] bool empty() const { return object == 0 && blend == 0; }
    friend bool operator==(const ViewSelection&, const ViewSelection&) = default;
};

/// What lies under the cursor.
struct ViewReadout {
    bool inside = false; ///< the cursor is over a pixel of the scene
    QPointF position;    ///< image coordinates
    int x = 0, y = 0;    ///< pixel
    /// One a band, counts; NaN = no data, or not read yet where `pending`: the signal comes again with the values.
    std::vector<float> values;
    bool pending = false;
    bool unusable = false; ///< masked or without weight in a band
    std::optional<SkyPosition> sky;
    int object = 0, blend = 0, truth = 0; ///< ids, 0 = none
};

} // namespace blendscope
