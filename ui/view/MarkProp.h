#pragma once

#include "view/ViewTransform.h"

#include <QColor>
#include <array>
#include <vector>
#include <vtkProp.h>

namespace blendscope {

/// One mark at an image position. Points have a constant size on the screen, rings and discs that of the sky.
struct Mark {
    enum Kind : std::uint8_t { Cross, Plus, Dot, Diamond, Ring, DashedRing, Disc };
    double x = 0.0, y = 0.0;
    float a = 0.0f, b = 0.0f; ///< semi-axes, image pixels (rings and discs)
    float theta = 0.0f;       ///< rad from +x towards +y
    float size = 5.0f;        ///< half size, logical screen pixels (points)
    float width = 1.4f;       ///< of the line, logical screen pixels
    Kind kind = Cross;
    QRgb colour = 0xffffffff;
};

/// Any number of marks in one VTK prop: what is in view is sent as three buffers of instances, lines are expanded and
/// smoothed in the shader and carry a dark rim, so that they can be read over any sky.
class MarkProp final : public vtkProp {
public:
    static MarkProp* New();
    vtkTypeMacro(MarkProp, vtkProp);
    MarkProp(const MarkProp&) = delete;
    MarkProp& operator=(const MarkProp&) = delete;

    void setMarks(std::vector<Mark> marks) { m_marks = std::move(marks); }
    [[nodiscard]] const std::vector<Mark>& marks() const { return m_marks; }
    void setTransform(const ViewTransform& transform) { m_transform = transform; }
    void setShown(bool shown) { m_shown = shown; }

    int RenderOpaqueGeometry(vtkViewport* viewport) override;
    double* GetBounds() override { return nullptr; } ///< does not matter to the camera
    void ReleaseGraphicsResources(vtkWindow* window) override;

private:
    MarkProp() = default;
    ~MarkProp() override = default;

    enum Batch { Points, SmallRings, LargeRings, Batches };
    struct Instance {
        float place[4]; ///< centre from the middle of the screen in physical pixels, semi-axes in physical pixels
        float shape[4]; ///< cos, sin of theta, half line width in physical pixels, dashes (rings) or kind (points)
        float colour[4];
    };

    std::vector<Mark> m_marks;
    ViewTransform m_transform;
    bool m_shown = true;
    std::array<std::vector<Instance>, Batches> m_instances;
    std::array<unsigned, Batches> m_arrays{}, m_buffers{};
};

} // namespace blendscope
