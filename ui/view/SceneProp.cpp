#include "view/SceneProp.h"

#include "figure/Palette.h"
#include "view/ColourMap.h"

#include <QElapsedTimer>
#include <QOpenGLContext>
#include <QOpenGLExtraFunctions>
#include <cmath>
#include <vtkObjectFactory.h>
#include <vtkOpenGLRenderWindow.h>
#include <vtkOpenGLShaderCache.h>
#include <vtkOpenGLState.h>
#include <vtkRenderer.h>
#include <vtkShaderProgram.h>
#include <vtkTextureObject.h>

namespace blendscope {

namespace {

constexpr long long kImageBudget = 256ll << 20;
constexpr long long kIdBudget = 96ll << 20;

constexpr const char* kVertexShader = R"(//VTK::System::Dec
in vec2 corner;
uniform vec4 place;  // x, y of the tile's lower left edge, width, height: clip coordinates
uniform vec2 pixels; // width, height in image pixels
out vec2 local;      // image pixels from the tile's lower left edge
void main() {
    local = corner * pixels;
    gl_Position = vec4(place.xy + corner * place.zw, 0.0, 1.0);
}
)";

// Variants by #define: COLOURS, SMOOTH, CURVE (0..3), HATCH, IDS, SELECTION, TRUTH, CLASSES. Software OpenGL pays for
// each instruction and fetch, also behind a branch that no pixel takes, so each tile gets the least variant that it
// needs.
constexpr const char* kFragmentShader = R"(
in vec2 local;
uniform sampler2D image;
uniform vec3 imageMap; // texel = local * x + yz
uniform float imageSize;
uniform vec2 tone; // contrast, bias
uniform vec3 noData;
uniform float ratio; // physical pixels a logical pixel
uniform int maskedShown;
#ifdef COLOURS
uniform vec2 lupton; // Q / stretch, Q
#else
uniform sampler2D colourMap;
uniform vec2 cuts; // low, 1 / (high - low)
uniform vec2 curve; // parameter, 1 / norm
#endif
#ifdef IDS
uniform isampler2D ids;
uniform vec3 idMap;
uniform sampler2D idTable;
uniform int hovered;
uniform vec4 idStyle; // fill opacity, outline opacity, outline half width in texels, selected outline width in texels
#endif
#ifdef TRUTH
uniform isampler2D truthIds;
uniform vec3 truthMap;
uniform sampler2D truthTable;
uniform float truthFill;
#endif
#ifdef CLASSES
uniform isampler2D classIds;
uniform vec3 classMap;
uniform sampler2D classTable;
uniform float classFill;
#endif

float asinhOf(float v) { return sign(v) * log(abs(v) + sqrt(v * v + 1.0)); }

#if defined(IDS) || defined(TRUTH) || defined(CLASSES)
vec4 look(sampler2D table, int id) {
    int rows = textureSize(table, 0).y;
    return texelFetch(table, ivec2(id & 1023, (id >> 10) % rows), 0);
}
int flagsOf(vec4 entry) { return int(entry.a * 255.0 + 0.5); }
#endif

#ifdef HATCH
vec3 hatch(vec3 under, float state) {
    if (state > 1.5) {
        // No data: broad opaque stripes that no sky looks like.
        float s = fract((gl_FragCoord.x + gl_FragCoord.y) / (10.0 * ratio));
        return mix(vec3(0.075, 0.08, 0.095), noData * 0.75, step(0.5, s));
    }
    if (maskedShown == 0) return under;
    float s = fract((gl_FragCoord.x - gl_FragCoord.y) / (7.0 * ratio));
    return mix(under, noData, s < 0.16 ? 0.5 : 0.0);
}
#endif

void main() {
    vec2 t = local * imageMap.x + imageMap.yz;
#ifdef SMOOTH
    vec4 v = texture(image, t / imageSize);
#else
    vec4 v = texelFetch(image, ivec2(t), 0);
#endif
#ifdef COLOURS
    float state = v.a;
    float i = (v.r + v.g + v.b) / 3.0;
    float x = i * lupton.x;
    x = max(abs(x), 1e-4); // the factor is even in x
    float f = log(x + sqrt(x * x + 1.0)) / x * (lupton.x / lupton.y);
    vec3 c = max(v.rgb * f, 0.0);
    c *= 1.0 / max(1.0, max(c.r, max(c.g, c.b)));
    c = clamp((c - tone.y) * tone.x + 0.5, 0.0, 1.0);
#else
    float state = v.g;
    float u = clamp((v.r - cuts.x) * cuts.y, 0.0, 1.0);
#if CURVE == 1
    u = log(1.0 + curve.x * u) * curve.y;
#elif CURVE == 2
    u = sqrt(u);
#elif CURVE == 3
    u = asinhOf(u / curve.x) * curve.y;
#endif
    u = clamp((u - tone.y) * tone.x + 0.5, 0.0, 1.0);
    vec3 c = texelFetch(colourMap, ivec2(int(u * 1023.0 + 0.5), 0), 0).rgb;
#endif
#ifdef HATCH
    if (state > 0.5) c = hatch(c, state);
#endif

#ifdef CLASSES
    int classId = texelFetch(classIds, ivec2(local * classMap.x + classMap.yz), 0).r;
    if (classId > 0) {
        vec4 entry = look(classTable, classId);
        c = mix(c, entry.rgb, classFill * entry.a);
    }
#endif

#ifdef TRUTH
    int truthId = texelFetch(truthIds, ivec2(local * truthMap.x + truthMap.yz), 0).r;
    if (truthId > 0) c = mix(c, look(truthTable, truthId).rgb, truthFill);
#endif

#ifdef IDS
    vec2 p = local * idMap.x + idMap.yz;
    int id = texelFetch(ids, ivec2(p), 0).r;
    float w = idStyle.z;
    int n0 = texelFetch(ids, ivec2(p + vec2(w, 0.0)), 0).r;
    int n1 = texelFetch(ids, ivec2(p - vec2(w, 0.0)), 0).r;
    int n2 = texelFetch(ids, ivec2(p + vec2(0.0, w)), 0).r;
    int n3 = texelFetch(ids, ivec2(p - vec2(0.0, w)), 0).r;
    if (id > 0) {
        vec4 entry = look(idTable, id);
        int flags = flagsOf(entry);
        bool edge = n0 != id || n1 != id || n2 != id || n3 != id;
        float a = edge ? max(idStyle.x, idStyle.y) : idStyle.x;
        if ((flags & 2) != 0) a *= 0.25;
        if ((flags & 1) != 0) c = mix(c, entry.rgb, a);
        if (id == hovered) c = mix(c, vec3(1.0), edge ? 0.9 : 0.16);
    }
#ifdef SELECTION
    {
        float s = idStyle.w;
        n0 = texelFetch(ids, ivec2(p + vec2(s, 0.0)), 0).r;
        n1 = texelFetch(ids, ivec2(p - vec2(s, 0.0)), 0).r;
        n2 = texelFetch(ids, ivec2(p + vec2(0.0, s)), 0).r;
        n3 = texelFetch(ids, ivec2(p - vec2(0.0, s)), 0).r;
        if (id != n0 || id != n1 || id != n2 || id != n3) {
            int own = id > 0 ? flagsOf(look(idTable, id)) & 4 : 0;
            int around = 0, all = 4;
            int f0 = n0 > 0 ? flagsOf(look(idTable, n0)) & 4 : 0;
            int f1 = n1 > 0 ? flagsOf(look(idTable, n1)) & 4 : 0;
            int f2 = n2 > 0 ? flagsOf(look(idTable, n2)) & 4 : 0;
            int f3 = n3 > 0 ? flagsOf(look(idTable, n3)) & 4 : 0;
            around = f0 | f1 | f2 | f3;
            all = f0 & f1 & f2 & f3;
            if (own == 0 && around != 0) c = vec3(1.0);            // bright line around
            else if (own != 0 && all == 0) c = mix(c, vec3(0.0), 0.65); // dark line inside: legible on any sky
        }
    }
#endif
#endif
    gl_FragData[0] = vec4(c, 1.0);
}
)";

enum Variant {
    Colours = 1,
    Smooth = 2,
    Hatch = 4,
    Ids = 8,
    Chosen = 16,
    TruthShading = 32,
    Classes = 64,
    FirstCurve = 128
};

double sideOf(int level) {
    return static_cast<double>(TileGeometry::kTile) * (1 << level);
}

/// texel = local * x + (y, z) where `local` counts image pixels from the lower left edge of tile `drawn` and the
/// texture is that of `source`, the tile itself or an ancestor.
std::array<float, 3> mapFor(const TileKey& drawn, const TileKey& source) {
    const double scale = 1.0 / (1 << source.level);
    const double x = drawn.x * sideOf(drawn.level) * scale - source.x * TileGeometry::kTile + TileGeometry::kBorder;
    const double y = drawn.y * sideOf(drawn.level) * scale - source.y * TileGeometry::kTile + TileGeometry::kBorder;
    return {static_cast<float>(scale), static_cast<float>(x), static_cast<float>(y)};
}

} // namespace

vtkStandardNewMacro(SceneProp);

SceneProp::SceneProp() : m_image(kImageBudget), m_ids(kIdBudget), m_truth(kIdBudget), m_classes(kIdBudget) {}

SceneProp::~SceneProp() = default;

void SceneProp::initialise(std::function<void()> ready) {
    for (Layer* layer : {&m_image, &m_ids, &m_truth, &m_classes}) {
        layer->loader = std::make_unique<TileLoader>(ready);
    }
}

void SceneProp::setReader(Layer& layer, TileReaderPtr reader, bool keepTiles) {
    const cv::Size size = reader ? reader->geometry().size : cv::Size();
    if (!keepTiles || size != layer.size) layer.clearing = true;
    layer.size = size;
    layer.arrived.clear();
    layer.loader->setReader(std::move(reader));
}

void SceneProp::setImage(TileReaderPtr reader, bool colours) {
    setReader(m_image, std::move(reader), colours == m_colours);
    m_colours = colours;
    m_bounds[0] = m_bounds[2] = -0.5;
    m_bounds[1] = m_image.size.width - 0.5;
    m_bounds[3] = m_image.size.height - 0.5;
    m_bounds[4] = m_bounds[5] = 0.0;
}

void SceneProp::setIds(TileReaderPtr reader) {
    setReader(m_ids, std::move(reader), true);
}

void SceneProp::setTruth(TileReaderPtr reader) {
    setReader(m_truth, std::move(reader), true);
}

void SceneProp::setClasses(TileReaderPtr reader) {
    setReader(m_classes, std::move(reader), true);
}

void SceneProp::setClassTable(cv::Mat table) {
    m_newClassTable = std::move(table);
}

void SceneProp::setIdTable(cv::Mat table) {
    m_newIdTable = std::move(table);
}

void SceneProp::setTruthTable(cv::Mat table) {
    m_newTruthTable = std::move(table);
}

void SceneProp::setDisplay(const ViewDisplay& display) {
    m_display = display;
}

void SceneProp::clear() {
    setImage(nullptr, true);
    setIds(nullptr);
    setTruth(nullptr);
    setClasses(nullptr);
}

QString SceneProp::readError() const {
    return m_image.loader ? m_image.loader->lastError() : QString();
}

double* SceneProp::GetBounds() {
    return m_bounds;
}

void SceneProp::ReleaseGraphicsResources(vtkWindow*) {
    for (Layer* layer : {&m_image, &m_ids, &m_truth, &m_classes}) {
        layer->textures.clear();
    }
    m_programs.clear();
    m_idTable = nullptr;
    m_truthTable = nullptr;
    m_classTable = nullptr;
    m_colourMap = nullptr;
    m_mapOnCard.reset();
    if (QOpenGLContext* context = QOpenGLContext::currentContext(); context && m_quad) {
        context->extraFunctions()->glDeleteVertexArrays(1, &m_quad);
        context->extraFunctions()->glDeleteBuffers(1, &m_quadBuffer);
    }
    m_quad = m_quadBuffer = 0;
}

int SceneProp::updateLayer(Layer& layer, vtkOpenGLRenderWindow* window, double& milliseconds) {
    if (layer.clearing) layer.textures.clear();
    layer.clearing = false;
    if (!layer.loader->hasReader()) return 0;
    QElapsedTimer timer;
    timer.start();
    for (TileLoader::Loaded& loaded : layer.loader->take()) {
        layer.arrived.push_back(std::move(loaded));
    }
    std::erase_if(layer.arrived, [&](const auto& l) { return l.generation != layer.loader->generation(); });
    size_t done = 0;
    while (done < layer.arrived.size() && (done == 0 || static_cast<double>(timer.elapsed()) < milliseconds)) {
        layer.textures.upload(window, layer.arrived[done++]);
    }
    layer.arrived.erase(layer.arrived.begin(), layer.arrived.begin() + static_cast<std::ptrdiff_t>(done));
    milliseconds -= static_cast<double>(timer.elapsed());

    const TileGeometry geometry = layer.loader->geometry();
    const int level = geometry.levelFor(m_transform.zoom), generation = layer.loader->generation();
    const QRectF box = m_transform.visibleBox();
    const auto wanted = [&](const TileKey& key) {
        return !layer.textures.current(key, generation) &&
               std::none_of(layer.arrived.begin(), layer.arrived.end(), [&](const auto& l) { return l.key == key; });
    };
    std::vector<TileKey> keys;
    if (wanted(geometry.root())) keys.push_back(geometry.root());
    int missing = static_cast<int>(layer.arrived.size());
    for (const TileKey& key : geometry.covering(level, box.left(), box.top(), box.right(), box.bottom())) {
        if (!wanted(key)) continue;
        ++missing;
        if (key != geometry.root()) keys.push_back(key);
    }
    const size_t onScreen = keys.size();
    // What a small pan or one step out would show.
    const double dx = box.width() / 4, dy = box.height() / 4;
    for (const TileKey& key :
         geometry.covering(level, box.left() - dx, box.top() - dy, box.right() + dx, box.bottom() + dy)) {
        if (wanted(key) && std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
    layer.loader->setWanted(keys, onScreen);
    return missing;
}

bool SceneProp::update(vtkOpenGLRenderWindow* window, double milliseconds) {
    m_missing = updateLayer(m_image, window, milliseconds);
    m_missing += updateLayer(m_ids, window, milliseconds);
    if (m_style.truth) m_missing += updateLayer(m_truth, window, milliseconds);
    if (m_style.classes) m_missing += updateLayer(m_classes, window, milliseconds);
    uploadTable(window, m_idTable, m_newIdTable);
    uploadTable(window, m_classTable, m_newClassTable);
    uploadTable(window, m_truthTable, m_newTruthTable);
    uploadColourMap(window);
    return !m_image.arrived.empty() || !m_ids.arrived.empty() || (m_style.truth && !m_truth.arrived.empty()) ||
           (m_style.classes && !m_classes.arrived.empty());
}

void SceneProp::uploadTable(vtkOpenGLRenderWindow* window, vtkSmartPointer<vtkTextureObject>& texture, cv::Mat& table) {
    if (table.empty()) return;
    texture = vtkSmartPointer<vtkTextureObject>::New();
    texture->SetContext(window);
    texture->Create2DFromRaw(static_cast<unsigned>(table.cols), static_cast<unsigned>(table.rows), 4, VTK_UNSIGNED_CHAR,
                             table.data);
    table.release();
}

void SceneProp::uploadColourMap(vtkOpenGLRenderWindow* window) {
    if (m_mapOnCard == m_display.map && m_colourMap) return;
    m_mapOnCard = m_display.map;
    cv::Mat map(1, 1024, CV_8UC4);
    for (int i = 0; i < map.cols; ++i) {
        const QRgb c = mapColour(m_display.map, static_cast<float>(i) / 1023.0f);
        map.at<cv::Vec4b>(0, i) = {static_cast<uchar>(qRed(c)), static_cast<uchar>(qGreen(c)),
                                   static_cast<uchar>(qBlue(c)), 255};
    }
    uploadTable(window, m_colourMap, map);
}

vtkShaderProgram* SceneProp::program(vtkOpenGLRenderWindow* window, int variant) {
    vtkSmartPointer<vtkShaderProgram>& known = m_programs[variant];
    if (known) return window->GetShaderCache()->ReadyShaderProgram(known);
    std::string fragment = "//VTK::System::Dec\n//VTK::Output::Dec\n";
    const std::pair<int, const char*> names[] = {{Colours, "COLOURS"}, {Smooth, "SMOOTH"},    {Hatch, "HATCH"},
                                                 {Ids, "IDS"},         {Chosen, "SELECTION"}, {TruthShading, "TRUTH"},
                                                 {Classes, "CLASSES"}};
    for (const auto& [bit, name] : names) {
        if (variant & bit) fragment += std::string("#define ") + name + "\n";
    }
    fragment += "#define CURVE " + std::to_string(variant / FirstCurve) + "\n";
    fragment += kFragmentShader;
    known = window->GetShaderCache()->ReadyShaderProgram(kVertexShader, fragment.c_str(), "");
    return known;
}

int SceneProp::RenderOpaqueGeometry(vtkViewport* viewport) {
    auto* renderer = vtkRenderer::SafeDownCast(viewport);
    auto* window = renderer ? vtkOpenGLRenderWindow::SafeDownCast(renderer->GetRenderWindow()) : nullptr;
    QOpenGLContext* context = QOpenGLContext::currentContext();
    if (!window || !context || !m_image.loader || !m_image.loader->hasReader()) return 0;
    QOpenGLExtraFunctions* gl = context->extraFunctions();
    vtkOpenGLState* state = window->GetState();
    state->vtkglDisable(GL_DEPTH_TEST);
    state->vtkglDisable(GL_BLEND);
    if (!m_quad) {
        const float corners[] = {0.0f, 0.0f, 1.0f, 0.0f, 0.0f, 1.0f, 1.0f, 1.0f};
        gl->glGenVertexArrays(1, &m_quad);
        gl->glGenBuffers(1, &m_quadBuffer);
        gl->glBindBuffer(GL_ARRAY_BUFFER, m_quadBuffer);
        gl->glBufferData(GL_ARRAY_BUFFER, sizeof corners, corners, GL_STATIC_DRAW);
    }

    const TileGeometry geometry = m_image.loader->geometry();
    const int levels = geometry.levels(), level = geometry.levelFor(m_transform.zoom);
    const QRectF box = m_transform.visibleBox();
    const double screenW = m_transform.screen.width(), screenH = m_transform.screen.height();
    const double zoom = m_transform.zoom;
    const bool masks =
        (m_style.masks != MaskStyle::Off || (m_hovered > 0 && m_style.hover)) && m_ids.loader->hasReader() && m_idTable;
    const bool truth = m_style.truth && m_truth.loader->hasReader() && m_truthTable;
    const bool classes = m_style.classes && m_classes.loader->hasReader() && m_classTable;
    const bool fill = m_style.masks == MaskStyle::Fill || m_style.masks == MaskStyle::FillAndOutline;
    const bool outline = m_style.masks == MaskStyle::Outline || m_style.masks == MaskStyle::FillAndOutline;
    const QColor noData = look::noData();
    const float noDataColour[] = {noData.redF(), noData.greenF(), noData.blueF()};

    int drawn = 0;
    for (const TileKey& key : geometry.covering(level, box.left(), box.top(), box.right(), box.bottom())) {
        const TileTextures::Tile pixels = m_image.textures.find(key, levels);
        if (!pixels.texture) continue;
        TileTextures::Tile ids = masks ? m_ids.textures.find(key, levels) : TileTextures::Tile{};
        TileTextures::Tile truthIds = truth ? m_truth.textures.find(key, levels) : TileTextures::Tile{};
        TileTextures::Tile classIds = classes ? m_classes.textures.find(key, levels) : TileTextures::Tile{};
        if (classIds.plain) classIds.texture = nullptr;
        if (ids.plain) ids.texture = nullptr;
        if (truthIds.plain) truthIds.texture = nullptr;
        const Box tile = geometry.pixels(key);

        const bool smooth = zoom < 1.0 || pixels.key.level > 0;
        const bool chosen = ids.texture && !tile.grown(4 << level).intersected(m_selectionBox).empty();
        vtkShaderProgram* program =
            this->program(window, (m_colours ? Colours : 0) | (smooth ? Smooth : 0) | (pixels.plain ? 0 : Hatch) |
                                      (ids.texture ? Ids : 0) | (chosen ? Chosen : 0) |
                                      (truthIds.texture ? TruthShading : 0) | (classIds.texture ? Classes : 0) |
                                      (m_colours ? 0 : static_cast<int>(m_display.curve) * FirstCurve));
        if (!program) return drawn;

        const float place[] = {static_cast<float>((tile.x0 - 0.5 - m_transform.centre.x()) * zoom * 2 / screenW),
                               static_cast<float>((tile.y0 - 0.5 - m_transform.centre.y()) * zoom * 2 / screenH),
                               static_cast<float>(tile.width * zoom * 2 / screenW),
                               static_cast<float>(tile.height * zoom * 2 / screenH)};
        const float size[] = {static_cast<float>(tile.width), static_cast<float>(tile.height)};
        const float tone[] = {m_display.contrast, m_display.bias};
        program->SetUniform4f("place", place);
        program->SetUniform2f("pixels", size);
        program->SetUniform3f("imageMap", mapFor(key, pixels.key).data());
        if (smooth) program->SetUniformf("imageSize", static_cast<float>(TileGeometry::kTexture));
        program->SetUniform2f("tone", tone);
        if (!pixels.plain) {
            program->SetUniform3f("noData", noDataColour);
            program->SetUniformf("ratio", static_cast<float>(m_transform.pixelRatio));
            program->SetUniformi("maskedShown", m_style.unusable ? 1 : 0);
        }
        pixels.texture->Activate();
        program->SetUniformi("image", pixels.texture->GetTextureUnit());
        if (m_colours) {
            const float q = std::max(1e-6f, m_display.rgbSettings.q);
            const float stretch = m_display.rgbSettings.stretch > 0.0f ? m_display.rgbSettings.stretch : 1.0f;
            const float lupton[] = {q / stretch, q};
            program->SetUniform2f("lupton", lupton);
        } else {
            const float range = m_display.cuts.high - m_display.cuts.low;
            const float cuts[] = {m_display.cuts.low, range != 0.0f ? 1.0f / range : 1e30f};
            float parameter = m_display.curveParameter, norm = 1.0f;
            if (m_display.curve == Curve::Log) {
                parameter = parameter > 0.0f ? parameter : 1000.0f;
                norm = 1.0f / std::log1p(parameter);
            } else if (m_display.curve == Curve::Asinh) {
                parameter = parameter > 0.0f ? parameter : 0.1f;
                norm = 1.0f / std::asinh(1.0f / parameter);
            }
            const float curve[] = {parameter, norm};
            program->SetUniform2f("cuts", cuts);
            program->SetUniform2f("curve", curve);
            m_colourMap->Activate();
            program->SetUniformi("colourMap", m_colourMap->GetTextureUnit());
        }
        if (ids.texture) {
            // Widths are constant on the screen; never beyond the border that a tile carries of its neighbours.
            const double texels = 1.0 / (zoom * (1 << ids.key.level)) * m_transform.pixelRatio;
            const double most = TileGeometry::kBorder - 0.5;
            // Far out, outlines would cover the objects that they enclose.
            const double strength = std::clamp(zoom * 2.0, 0.4, 1.0);
            const float style[] = {
                fill ? m_style.maskOpacity : 0.0f, outline ? static_cast<float>(0.95 * strength) : 0.0f,
                static_cast<float>(std::min(1.3 * texels, most)), static_cast<float>(std::min(2.2 * texels, most))};
            program->SetUniform3f("idMap", mapFor(key, ids.key).data());
            program->SetUniform4f("idStyle", style);
            program->SetUniformi("hovered", m_style.hover ? m_hovered : 0);
            ids.texture->Activate();
            program->SetUniformi("ids", ids.texture->GetTextureUnit());
            m_idTable->Activate();
            program->SetUniformi("idTable", m_idTable->GetTextureUnit());
        }
        if (truthIds.texture) {
            program->SetUniform3f("truthMap", mapFor(key, truthIds.key).data());
            program->SetUniformf("truthFill", m_style.truthOpacity);
            truthIds.texture->Activate();
            program->SetUniformi("truthIds", truthIds.texture->GetTextureUnit());
            m_truthTable->Activate();
            program->SetUniformi("truthTable", m_truthTable->GetTextureUnit());
        }
        if (classIds.texture) {
            program->SetUniform3f("classMap", mapFor(key, classIds.key).data());
            program->SetUniformf("classFill", m_style.classOpacity);
            classIds.texture->Activate();
            program->SetUniformi("classIds", classIds.texture->GetTextureUnit());
            m_classTable->Activate();
            program->SetUniformi("classTable", m_classTable->GetTextureUnit());
        }
        gl->glBindVertexArray(m_quad);
        gl->glBindBuffer(GL_ARRAY_BUFFER, m_quadBuffer);
        const int corner = gl->glGetAttribLocation(static_cast<GLuint>(program->GetHandle()), "corner");
        gl->glEnableVertexAttribArray(static_cast<GLuint>(corner));
        gl->glVertexAttribPointer(static_cast<GLuint>(corner), 2, GL_FLOAT, GL_FALSE, 0, nullptr);
        gl->glDrawArrays(GL_TRIANGLE_STRIP, 0, 4);
        gl->glBindVertexArray(0);
        ++drawn;

        pixels.texture->Deactivate();
        if (!m_colours) m_colourMap->Deactivate();
        if (ids.texture) {
            ids.texture->Deactivate();
            m_idTable->Deactivate();
        }
        if (truthIds.texture) {
            truthIds.texture->Deactivate();
            m_truthTable->Deactivate();
        }
        if (classIds.texture) {
            classIds.texture->Deactivate();
            m_classTable->Deactivate();
        }
    }
    for (Layer* layer : {&m_image, &m_ids, &m_truth, &m_classes}) {
        layer->textures.endFrame(layer->loader->geometry().root());
    }
    state->vtkglEnable(GL_DEPTH_TEST);
    state->vtkglEnable(GL_BLEND);
    return drawn;
}

} // namespace blendscope
