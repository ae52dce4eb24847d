#pragma once

#include "view/SceneView.h"

#include <QObject>
#include <QPointer>
#include <vector>

namespace blendscope {

/// Keeps several views in step: camera, mirrored cursor, selection and (where asked for) the stretch. Views that are
/// destroyed leave by themselves.
class ViewGroup final : public QObject {
    Q_OBJECT

public:
    explicit ViewGroup(QObject* parent = nullptr);

    /// A view that joins takes the camera of the first one.
    void add(SceneView* view);
    void remove(SceneView* view);
    [[nodiscard]] std::vector<SceneView*> views() const;

    void setCameraLinked(bool linked) { m_cameraLinked = linked; }       ///< default true
    void setCursorMirrored(bool mirrored);                               ///< default true
    void setSelectionLinked(bool linked) { m_selectionLinked = linked; } ///< default true
    void setDisplayLinked(bool linked) { m_displayLinked = linked; }     ///< all settings, same bands; default false
    void setContrastLinked(bool linked) { m_contrastLinked = linked; }   ///< contrast, bias, curve, map; default true

private:
    template <typename F>
    void forOthers(SceneView* source, F&& apply);

    std::vector<QPointer<SceneView>> m_views;
    bool m_busy = false;
    bool m_cameraLinked = true;
    bool m_cursorMirrored = true;
    bool m_selectionLinked = true;
    bool m_displayLinked = false;
    bool m_contrastLinked = true;
};

} // namespace blendscope
