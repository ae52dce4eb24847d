#include "view/ViewGroup.h"

#include <algorithm>

namespace blendscope {

ViewGroup::ViewGroup(QObject* parent) : QObject(parent) {}

template <typename F>
void ViewGroup::forOthers(SceneView* source, F&& apply) {
    if (m_busy) return; // an answer to what we did ourselves
    m_busy = true;
    for (const QPointer<SceneView>& view : m_views) {
        if (view && view != source) apply(view.data());
    }
    m_busy = false;
}

void ViewGroup::add(SceneView* view) {
    if (!view || std::find(m_views.begin(), m_views.end(), view) != m_views.end()) return;
    std::erase_if(m_views, [](const QPointer<SceneView>& v) { return v.isNull(); });
    if (!m_views.empty() && m_cameraLinked) view->setCamera(m_views.front()->camera());
    m_views.emplace_back(view);
    connect(view, &SceneView::cameraChanged, this, [this, view](const ViewCamera& camera) {
        if (m_cameraLinked) forOthers(view, [&](SceneView* other) { other->setCamera(camera); });
    });
    connect(view, &SceneView::cursorMoved, this, [this, view](QPointF image) {
        if (m_cursorMirrored) forOthers(view, [&](SceneView* other) { other->setMirroredCursor(image); });
        view->setMirroredCursor({});
    });
    connect(view, &SceneView::cursorLeft, this,
            [this, view] { forOthers(view, [](SceneView* other) { other->setMirroredCursor({}); }); });
    connect(view, &SceneView::selectionChanged, this, [this, view](ViewSelection selection) {
        if (m_selectionLinked) forOthers(view, [&](SceneView* other) { other->setSelection(selection); });
    });
    connect(view, &SceneView::displayChanged, this, [this, view](const ViewDisplay& display) {
        if (m_displayLinked) {
            forOthers(view, [&](SceneView* other) { other->setDisplay(display); });
        } else if (m_contrastLinked) {
            forOthers(view, [&](SceneView* other) {
                ViewDisplay next = other->display();
                if (next.contrast == display.contrast && next.bias == display.bias && next.curve == display.curve &&
                    next.curveParameter == display.curveParameter && next.map == display.map)
                    return;
                next.contrast = display.contrast;
                next.bias = display.bias;
                next.curve = display.curve;
                next.curveParameter = display.curveParameter;
                next.map = display.map;
                other->setDisplay(next);
            });
        }
    });
}

void ViewGroup::remove(SceneView* view) {
    std::erase(m_views, QPointer<SceneView>(view));
    if (view) {
        view->disconnect(this);
        view->setMirroredCursor({});
    }
}

std::vector<SceneView*> ViewGroup::views() const {
    std::vector<SceneView*> list;
    for (const QPointer<SceneView>& view : m_views) {
        if (view) list.push_back(view.data());
    }
    return list;
}

void ViewGroup::setCursorMirrored(bool mirrored) {
    m_cursorMirrored = mirrored;
    if (mirrored) return;
    for (const QPointer<SceneView>& view : m_views) {
        if (view) view->setMirroredCursor({});
    }
}

} // namespace blendscope
