#include "view/Canvas.h"

#include "figure/Palette.h"

#include <QOpenGLContext>
#include <QOpenGLExtraFunctions>
#include <vtkCallbackCommand.h>
#include <vtkCamera.h>
#include <vtkCullerCollection.h>
#include <vtkGenericOpenGLRenderWindow.h>
#include <vtkOpenGLShaderCache.h>
#include <vtkOpenGLState.h>
#include <vtkRenderer.h>

namespace blendscope {

namespace {

constexpr double kUploadMs = 8.0; // of a frame, at most, so that arriving tiles do not make a pan stutter

} // namespace

Canvas::Canvas(QWidget* parent) : QOpenGLWidget(parent) {
    setAttribute(Qt::WA_TransparentForMouseEvents);
    setUpdateBehavior(QOpenGLWidget::NoPartialUpdate);
    // Called under the loader's lock, so the canvas is alive; queued, so nothing happens there.
    m_scene->initialise([this] { QMetaObject::invokeMethod(this, &Canvas::refresh, Qt::QueuedConnection); });

    m_window->SetMultiSamples(0);
    m_window->SetOwnContext(0);
    m_window->SetReadyForRendering(false);
    m_window->AddRenderer(m_renderer);
    vtkNew<vtkCallbackCommand> current;
    current->SetClientData(this);
    current->SetCallback([](vtkObject*, unsigned long, void* client, void* answer) {
        auto* self = static_cast<Canvas*>(client);
        *static_cast<bool*>(answer) = self->context() && QOpenGLContext::currentContext() == self->context();
    });
    m_window->AddObserver(vtkCommand::WindowIsCurrentEvent, current);
    vtkNew<vtkCallbackCommand> make;
    make->SetClientData(this);
    make->SetCallback([](vtkObject*, unsigned long, void* client, void*) {
        auto* self = static_cast<Canvas*>(client);
        if (self->isValid() && QOpenGLContext::currentContext() != self->context()) self->makeCurrent();
    });
    m_window->AddObserver(vtkCommand::WindowMakeCurrentEvent, make);

    m_renderer->GetCullers()->RemoveAllItems();
    m_renderer->GetActiveCamera()->ParallelProjectionOn();
    m_renderer->AddViewProp(m_scene);
    for (auto& layer : m_marks) {
        m_renderer->AddViewProp(layer);
    }
}

Canvas::~Canvas() {
    release();
    m_scene->initialise({}); // loaders go before the widget does
}

void Canvas::setTransform(const ViewTransform& transform) {
    m_transform = transform;
    refresh();
}

void Canvas::refresh() {
    m_stale = true;
    update();
}

void Canvas::release() {
    if (!m_ready) return;
    m_ready = false;
    makeCurrent();
    m_scene->ReleaseGraphicsResources(m_window);
    for (auto& layer : m_marks) {
        layer->ReleaseGraphicsResources(m_window);
    }
    m_window->Finalize();
    m_window->SetReadyForRendering(false);
    doneCurrent();
}

void Canvas::initializeGL() {
    // A widget that moves to another window gets a new context: what the old one held goes with it.
    connect(context(), &QOpenGLContext::aboutToBeDestroyed, this, &Canvas::release, Qt::DirectConnection);
    const QSurfaceFormat format = context()->format();
    if (format.majorVersion() < 3 || (format.majorVersion() == 3 && format.minorVersion() < 2)) {
        m_problem = tr("This screen offers OpenGL %1.%2; pictures need 3.2.")
                        .arg(format.majorVersion())
                        .arg(format.minorVersion());
        return;
    }
    m_window->SetForceMaximumHardwareLineWidth(1);
    m_window->SetReadyForRendering(true);
    m_window->InitializeFromCurrentContext();
    m_window->OpenGLInit();
    m_ready = true;
}

void Canvas::resizeGL(int, int) {
    Q_EMIT resized();
}

void Canvas::paintGL() {
    if (!m_ready) {
        QOpenGLFunctions* gl = context()->functions();
        gl->glClearColor(0.05f, 0.05f, 0.07f, 1.0f);
        gl->glClear(GL_COLOR_BUFFER_BIT);
        return;
    }
    m_stale = false;
    QOpenGLFunctions* gl = context()->functions();
    gl->glBindFramebuffer(GL_FRAMEBUFFER, defaultFramebufferObject());
    vtkOpenGLState* state = m_window->GetState();
    state->Reset(); // Qt changed the context behind VTK's back
    state->Push();

    m_scene->setTransform(m_transform);
    const bool more = m_scene->update(m_window, kUploadMs);
    m_complete = !more && m_scene->missing() == 0;
    vtkCamera* camera = m_renderer->GetActiveCamera();
    camera->SetFocalPoint(m_transform.centre.x(), m_transform.centre.y(), 0.0);
    camera->SetPosition(m_transform.centre.x(), m_transform.centre.y(), 1.0);
    camera->SetViewUp(0.0, 1.0, 0.0);
    camera->SetParallelScale(std::max(1e-9, m_transform.screen.height() / m_transform.zoom / 2));
    camera->SetClippingRange(0.5, 1.5);

    // The flat picture goes straight into Qt's framebuffer: vtkRenderWindow::Render would draw into its own one and
    // copy the screen twice, which software OpenGL feels.
    m_window->SetSize(m_transform.screen.width(), m_transform.screen.height());
    const QColor ground = look::canvas();
    state->vtkglDisable(GL_SCISSOR_TEST);
    state->vtkglViewport(0, 0, m_transform.screen.width(), m_transform.screen.height());
    state->vtkglClearColor(static_cast<float>(ground.redF()), static_cast<float>(ground.greenF()),
                           static_cast<float>(ground.blueF()), 1.0f);
    state->vtkglClear(GL_COLOR_BUFFER_BIT);
    m_scene->RenderOpaqueGeometry(m_renderer);
    for (auto& layer : m_marks) {
        layer->setTransform(m_transform);
        layer->RenderOpaqueGeometry(m_renderer);
    }
    m_window->GetShaderCache()->ReleaseCurrentShader();
    state->Pop();
    if (more) QMetaObject::invokeMethod(this, &Canvas::refresh, Qt::QueuedConnection);
    Q_EMIT framePainted();
}

} // namespace blendscope
