#include "view/MarkProp.h"

#include <QOpenGLContext>
#include <QOpenGLExtraFunctions>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vtkObjectFactory.h>
#include <vtkOpenGLRenderWindow.h>
#include <vtkOpenGLShaderCache.h>
#include <vtkOpenGLState.h>
#include <vtkRenderer.h>
#include <vtkShaderProgram.h>

namespace blendscope {

namespace {

constexpr double kTinyRing = 6.0;
constexpr double kSmallRing = 20.0; // radius in physical pixels up to which few segments are smooth
constexpr int kSmallSegments = 20, kLargeSegments = 128;
constexpr double kDash = 9.0; // logical pixels of a dash and its gap
constexpr double kLeastRadius = 2.0;

constexpr const char* kRingVertex = R"(//VTK::System::Dec
in vec4 place;
in vec4 shape;
in vec4 colour;
uniform vec2 screen;
uniform float segments;
uniform float ratio;
out vec4 tint;
out vec4 line; // along 0..1, across in pixels, half width, dashes
void main() {
    float k = float(gl_VertexID / 2) / segments;
    float side = float(gl_VertexID % 2) * 2.0 - 1.0;
    float c = cos(6.28318531 * k), s = sin(6.28318531 * k);
    vec2 n = normalize(vec2(place.w * c, place.z * s));
    float outer = shape.z + 1.5 * ratio;
    vec2 p = vec2(place.z * c, place.w * s) + n * side * outer;
    p = vec2(shape.x * p.x - shape.y * p.y, shape.y * p.x + shape.x * p.y) + place.xy;
    tint = colour;
    line = vec4(k, side * outer, shape.z, shape.w);
    gl_Position = vec4(p * 2.0 / screen, 0.0, 1.0);
}
)";

constexpr const char* kRingFragment = R"(//VTK::System::Dec
//VTK::Output::Dec
in vec4 tint;
in vec4 line;
uniform float ratio;
void main() {
    if (line.w > 0.0 && fract(line.x * line.w) > 0.6) discard;
    float d = abs(line.y) - line.z;
    float core = clamp(0.5 - d, 0.0, 1.0);
    float rim = 0.55 * clamp(1.0 - d / (1.5 * ratio), 0.0, 1.0);
    float a = core + (1.0 - core) * rim;
    gl_FragData[0] = vec4(tint.rgb * (core / max(a, 1e-4)), a * tint.a);
}
)";

constexpr const char* kPointVertex = R"(//VTK::System::Dec
in vec4 place;
in vec4 shape;
in vec4 colour;
uniform vec2 screen;
uniform float ratio;
out vec4 tint;
out vec2 at;
flat out vec4 form; // half size, half line width, kind
void main() {
    vec2 corner = vec2(float(gl_VertexID % 2), float(gl_VertexID / 2)) * 2.0 - 1.0;
    float margin = shape.z + 1.5 * ratio;
    vec2 q = corner * (place.zw + margin);
    at = q;
    if (shape.w > 3.5) q = vec2(shape.x * q.x - shape.y * q.y, shape.y * q.x + shape.x * q.y);
    tint = colour;
    form = vec4(place.zw, shape.z, shape.w);
    gl_Position = vec4((place.xy + q) * 2.0 / screen, 0.0, 1.0);
}
)";

constexpr const char* kPointFragment = R"(//VTK::System::Dec
//VTK::Output::Dec
in vec4 tint;
in vec2 at;
flat in vec4 form;
uniform float ratio;
void main() {
    float d;
    vec2 p = abs(at);
    if (form.w < 0.5) { // cross
        vec2 r = vec2(p.x + p.y, abs(p.x - p.y)) * 0.70710678;
        d = max(r.x - form.x, r.y) - form.z;
    } else if (form.w < 1.5) { // plus, open in the middle so that the object shows
        float along = max(p.x, p.y), across = min(p.x, p.y);
        d = max(max(along - form.x, 0.35 * form.x - along), across) - form.z;
    } else if (form.w < 2.5) { // dot
        d = length(at) - form.x;
    } else if (form.w < 3.5) { // diamond
        d = abs((p.x + p.y - form.x) * 0.70710678) - form.z;
    } else if (form.w < 4.5) { // small ring: distance to an ellipse to first order
        vec2 u = at / form.xy;
        float r = length(u);
        d = abs((r - 1.0) * r / max(length(u / form.xy), 1e-3)) - form.z;
    } else { // disc, soft: light of a true object
        float r = dot(at / form.xy, at / form.xy);
        if (r > 1.0) discard;
        gl_FragData[0] = vec4(tint.rgb, tint.a * (1.0 - 0.6 * r));
        return;
    }
    float core = clamp(0.5 - d, 0.0, 1.0);
    float rim = 0.55 * clamp(1.0 - d / (1.5 * ratio), 0.0, 1.0);
    float a = core + (1.0 - core) * rim;
    if (a <= 0.0) discard;
    gl_FragData[0] = vec4(tint.rgb * (core / max(a, 1e-4)), a * tint.a);
}
)";

} // namespace

vtkStandardNewMacro(MarkProp);

void MarkProp::ReleaseGraphicsResources(vtkWindow*) {
    if (QOpenGLContext* context = QOpenGLContext::currentContext(); context && m_arrays[0]) {
        context->extraFunctions()->glDeleteVertexArrays(Batches, m_arrays.data());
        context->extraFunctions()->glDeleteBuffers(Batches, m_buffers.data());
    }
    m_arrays = {};
    m_buffers = {};
}

int MarkProp::RenderOpaqueGeometry(vtkViewport* viewport) {
    auto* renderer = vtkRenderer::SafeDownCast(viewport);
    auto* window = renderer ? vtkOpenGLRenderWindow::SafeDownCast(renderer->GetRenderWindow()) : nullptr;
    QOpenGLContext* context = QOpenGLContext::currentContext();
    if (!window || !context || !m_shown || m_marks.empty()) return 0;

    for (std::vector<Instance>& batch : m_instances) {
        batch.clear();
    }
    const double zoom = m_transform.zoom, ratio = m_transform.pixelRatio;
    const double halfW = m_transform.screen.width() / 2.0, halfH = m_transform.screen.height() / 2.0;
    for (const Mark& m : m_marks) {
        const double x = (m.x - m_transform.centre.x()) * zoom, y = (m.y - m_transform.centre.y()) * zoom;
        const bool sized = m.kind >= Mark::Ring;
        double a = m.size * ratio, b = a;
        if (sized) {
            if (!(m.a > 0.0f) || !std::isfinite(m.a)) continue;
            a = std::max(m.a * zoom, kLeastRadius * ratio);
            b = std::max((m.b > 0.0f ? m.b : m.a) * zoom, kLeastRadius * ratio);
        }
        const double reach = std::max(a, b) + 4.0 * ratio;
        if (!(std::abs(x) < halfW + reach && std::abs(y) < halfH + reach)) continue;
        const bool ring = m.kind == Mark::Ring || m.kind == Mark::DashedRing;
        float last = static_cast<float>(m.kind);
        if (ring) {
            // Ramanujan's first formula for the length of an ellipse; a whole number of dashes.
            const double length = std::numbers::pi * (3 * (a + b) - std::sqrt((3 * a + b) * (a + 3 * b)));
            last = m.kind == Mark::DashedRing ? static_cast<float>(std::max(4.0, std::round(length / (kDash * ratio))))
                                              : 0.0f;
        }
        const bool tiny = ring && std::max(a, b) <= kTinyRing * ratio; // too small for dashes
        if (tiny) last = 4.0f;
        const Batch batch = !ring || tiny ? Points : std::max(a, b) <= kSmallRing * ratio ? SmallRings : LargeRings;
        m_instances[batch].push_back(
            {{static_cast<float>(x), static_cast<float>(y), static_cast<float>(a), static_cast<float>(b)},
             {std::cos(m.theta), std::sin(m.theta), static_cast<float>(m.width * ratio / 2), last},
             {static_cast<float>(qRed(m.colour)) / 255.0f, static_cast<float>(qGreen(m.colour)) / 255.0f,
              static_cast<float>(qBlue(m.colour)) / 255.0f, static_cast<float>(qAlpha(m.colour)) / 255.0f}});
    }

    QOpenGLExtraFunctions* gl = context->extraFunctions();
    if (!m_arrays[0]) {
        gl->glGenVertexArrays(Batches, m_arrays.data());
        gl->glGenBuffers(Batches, m_buffers.data());
    }
    vtkOpenGLState* state = window->GetState();
    state->vtkglDisable(GL_DEPTH_TEST);
    state->vtkglEnable(GL_BLEND);
    state->vtkglBlendFuncSeparate(GL_SRC_ALPHA, GL_ONE_MINUS_SRC_ALPHA, GL_ONE, GL_ONE_MINUS_SRC_ALPHA);
    int drawn = 0;
    for (size_t i = 0; i < Batches; ++i) {
        const std::vector<Instance>& batch = m_instances[i];
        if (batch.empty()) continue;
        const bool points = i == Points;
        vtkShaderProgram* program = window->GetShaderCache()->ReadyShaderProgram(
            points ? kPointVertex : kRingVertex, points ? kPointFragment : kRingFragment, "");
        if (!program) break;
        const int segments = i == SmallRings ? kSmallSegments : kLargeSegments;
        const float screen[] = {static_cast<float>(m_transform.screen.width()),
                                static_cast<float>(m_transform.screen.height())};
        program->SetUniform2f("screen", screen);
        program->SetUniformf("ratio", static_cast<float>(ratio));
        if (!points) program->SetUniformf("segments", static_cast<float>(segments));
        gl->glBindVertexArray(m_arrays[i]);
        gl->glBindBuffer(GL_ARRAY_BUFFER, m_buffers[i]);
        gl->glBufferData(GL_ARRAY_BUFFER, static_cast<GLsizeiptr>(batch.size() * sizeof(Instance)), batch.data(),
                         GL_STREAM_DRAW);
        const char* names[] = {"place", "shape", "colour"};
        for (size_t k = 0; k < 3; ++k) {
            const int location = gl->glGetAttribLocation(static_cast<GLuint>(program->GetHandle()), names[k]);
            if (location < 0) continue;
            const auto at = static_cast<GLuint>(location);
            gl->glEnableVertexAttribArray(at);
            gl->glVertexAttribPointer(at, 4, GL_FLOAT, GL_FALSE, sizeof(Instance),
                                      reinterpret_cast<const void*>(k * 4 * sizeof(float)));
            gl->glVertexAttribDivisor(at, 1);
        }
        gl->glDrawArraysInstanced(GL_TRIANGLE_STRIP, 0, points ? 4 : 2 * (segments + 1),
                                  static_cast<GLsizei>(batch.size()));
        gl->glBindVertexArray(0);
        drawn += static_cast<int>(batch.size());
    }
    state->vtkglEnable(GL_DEPTH_TEST);
    return drawn;
}

} // namespace blendscope
