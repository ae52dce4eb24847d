#pragma once

#include "view/MarkProp.h"
#include "view/SceneProp.h"
#include "view/ViewTransform.h"

#include <QOpenGLWidget>
#include <vtkNew.h>

class vtkGenericOpenGLRenderWindow;
class vtkRenderer;

namespace blendscope {

/// The OpenGL surface of a view: a VTK render window of Qt's context, the scene's prop and the layers of marks.
class Canvas final : public QOpenGLWidget {
    Q_OBJECT

public:
    enum Layer { TruthMarks, Ellipses, Peaks, Positions, Hover, Cursor, Layers };

    explicit Canvas(QWidget* parent = nullptr);
    ~Canvas() override;

    [[nodiscard]] SceneProp& scene() { return *m_scene; }
    [[nodiscard]] MarkProp& marks(Layer layer) { return *m_marks[layer]; }
    void setTransform(const ViewTransform& transform);
    /// Asks for a new frame.
    void refresh();
    /// Nothing was asked for since the last frame, and that frame had all its tiles.
    [[nodiscard]] bool settled() const { return !m_stale && m_complete; }
    [[nodiscard]] QString problem() const { return m_problem; } ///< OpenGL failed after all; a sentence

Q_SIGNALS:
    void framePainted();
    void resized(); ///< also when the device-pixel ratio changed

protected:
    void initializeGL() override;
    void resizeGL(int width, int height) override;
    void paintGL() override;

private:
    void release();

    vtkNew<vtkGenericOpenGLRenderWindow> m_window;
    vtkNew<vtkRenderer> m_renderer;
    vtkNew<SceneProp> m_scene;
    std::array<vtkNew<MarkProp>, Layers> m_marks;
    ViewTransform m_transform;
    bool m_ready = false;
    bool m_stale = true;
    bool m_complete = false;
    QString m_problem;
};

} // namespace blendscope
