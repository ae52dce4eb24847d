#include "view/SceneView.h"

#include "core/Error.h"
#include "figure/Palette.h"
#include "figure/TruthShading.h"
#include "jobs/TaskPool.h"
#include "view/Canvas.h"
#include "view/ClassTiles.h"
#include "view/IdTiles.h"
#include "view/ImageTiles.h"
#include "view/Mailbox.h"
#include "view/Overlay.h"
#include "view/PixelProbe.h"
#include "view/SceneSamples.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QMouseEvent>
#include <QOffscreenSurface>
#include <QOpenGLContext>
#include <QPainter>
#include <QSurfaceFormat>
#include <QTimer>
#include <QVariantAnimation>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>
#include <numbers>
#include <unordered_set>

namespace blendscope {

namespace {

constexpr double kGreatestZoom = 64.0;
constexpr int kGreatestTabledId = 8'000'000; ///< ids beyond share the colours of smaller ones
constexpr double kEllipseSigmas = 2.5;       ///< semi-axes drawn, in the rms axes of the catalogue
constexpr double kPickRadius = 8.0;          ///< logical pixels around a position that count as a hit

/// Colours of ids, found in the background.
struct IdLook {
    ResultPtr result;
    std::vector<int> colours;
    int greatest = 0;
};

cv::Mat makeTable(int greatest) {
    const int rows = std::min(greatest, kGreatestTabledId) / SceneProp::kTableWidth + 1;
    return cv::Mat(rows, SceneProp::kTableWidth, CV_8UC4, cv::Scalar::all(0));
}

cv::Vec4b tableEntry(QColor colour, int flags) {
    return {static_cast<uchar>(colour.red()), static_cast<uchar>(colour.green()), static_cast<uchar>(colour.blue()),
            static_cast<uchar>(flags)};
}

int paletteIndex(const std::vector<int>& colours, int id) {
    const auto i = static_cast<size_t>(std::max(0, id));
    const int index = i < colours.size() ? colours[i] : -1;
    return index >= 0 ? index : id % kPaletteSize;
}

/// Greatest id, and the colours where the ids are dense enough for a table.
void lookOf(const cv::Mat& ids, std::vector<int>& colours, int& greatest) {
    double most = 0.0;
    if (!ids.empty()) cv::minMaxLoc(ids, nullptr, &most);
    greatest = static_cast<int>(std::max(0.0, most));
    if (greatest > 0 && greatest <= kGreatestTabledId) colours = colourObjects(ids);
}

} // namespace

struct SceneView::Private {
    explicit Private(SceneView* view)
        : q(view), mail(std::make_shared<Mailbox>(view)),
          probe([m = mail, view] { m->post([view] { view->d->updateReadout(); }); }) {}

    enum class Drag { None, Press, Pan, ZoomBox, Contrast, Place };

    void applyTransform();
    void updateOverlay();
    void updateReader();
    void updateIdTable();
    void requestLook();
    void requestTruth();
    void updateClasses();
    void rebuildMarks();
    void updateReadout();
    void updateHover();
    void setCameraInternal(ViewCamera camera, bool keepFitted = false);
    void animateTo(const ViewCamera& target);
    [[nodiscard]] ViewCamera fitted() const;
    [[nodiscard]] double fitZoom() const;
    [[nodiscard]] QPointF insideScene(const ViewCamera& wanted) const; ///< a centre that wastes no view on no pixels
    [[nodiscard]] QSize screen() const;
    [[nodiscard]] double ratio() const { return q->devicePixelRatioF(); }
    [[nodiscard]] int idAt(const cv::Mat& ids, int x, int y) const;
    [[nodiscard]] ViewSelection hit(QPointF image) const;
    void click(QPointF widgetPoint);
    void applyCuts(CutsMode mode, const std::vector<float>& sample);

    SceneView* q;
    MailboxPtr mail;
    PixelProbe probe;
    Canvas* canvas = nullptr; ///< null without OpenGL
    Overlay* overlay = nullptr;
    QVariantAnimation* animation = nullptr;
    QTimer* menuTimer = nullptr;

    ScenePtr scene;
    std::shared_ptr<SceneSamples> samples;
    ResultPtr result;
    std::unordered_set<int> dimmed;
    std::vector<QPointF> positions;
    IdLook look;
    bool lookRunning = false, lookAgain = false;
    std::shared_ptr<const cv::Mat> truthIds;
    std::vector<int> truthColours;
    bool truthRequested = false;
    const void* classesShown = nullptr; ///< the first class plane that is on screen
    int classShown = -1;

    ViewDisplay display;
    OverlayStyle style;
    QString caption;
    CutsMode cutsMode = CutsMode::ZScale;
    bool stretchPending = false;
    int sceneCount = 0; ///< answers for older scenes are dropped

    ViewCamera camera;
    bool isFitted = true;
    ViewSelection selection;
    ViewReadout readout;
    ViewSelection hovered;
    bool frozen = false;
    bool placing = false;
    std::optional<QPointF> cursor;   ///< widget coordinates
    std::optional<QPointF> mirrored; ///< image coordinates

    Drag drag = Drag::None;
    Qt::MouseButton button = Qt::NoButton;
    QPointF pressAt, lastAt;
    bool afterDoubleClick = false;
    float pressContrast = 1.0f, pressBias = 0.5f;
    QRectF band;
    std::vector<ViewSelection> cycle;
    size_t cycleAt = 0;
    QPointF cyclePoint;
};

// ---- set-up --------------------------------------------------------------------------------------------------------

void SceneView::prepareOpenGL() {
    QSurfaceFormat format;
    format.setRenderableType(QSurfaceFormat::OpenGL);
    format.setVersion(3, 2);
    format.setProfile(QSurfaceFormat::CoreProfile);
    format.setSwapBehavior(QSurfaceFormat::DoubleBuffer);
    format.setRedBufferSize(8);
    format.setGreenBufferSize(8);
    format.setBlueBufferSize(8);
    format.setAlphaBufferSize(8);
    format.setDepthBufferSize(24);
    format.setStencilBufferSize(0);
    format.setSamples(0);
    QSurfaceFormat::setDefaultFormat(format);
    QCoreApplication::setAttribute(Qt::AA_ShareOpenGLContexts);
}

QString SceneView::openGLProblem() {
    static const QString problem = [] {
        QOpenGLContext context;
        context.setFormat(QSurfaceFormat::defaultFormat());
        const QString help = tr("Update the graphics driver, or use software OpenGL: set LIBGL_ALWAYS_SOFTWARE=1 "
                                "before starting Blendscope. Everything but the pictures works.");
        if (!context.create()) return tr("Pictures need OpenGL 3.2, and this screen offers no OpenGL at all. ") + help;
        QOffscreenSurface surface;
        surface.setFormat(context.format());
        surface.create();
        if (!context.makeCurrent(&surface))
            return tr("Pictures need OpenGL 3.2, which cannot be started here. ") + help;
        const QSurfaceFormat got = context.format();
        context.doneCurrent();
        if (got.majorVersion() < 3 || (got.majorVersion() == 3 && got.minorVersion() < 2)) {
            return tr("Pictures need OpenGL 3.2, and this screen offers %1.%2. ")
                       .arg(got.majorVersion())
                       .arg(got.minorVersion()) +
                   help;
        }
        return QString();
    }();
    return problem;
}

SceneView::SceneView(QWidget* parent) : QWidget(parent), d(std::make_unique<Private>(this)) {
    setMouseTracking(true);
    setFocusPolicy(Qt::StrongFocus);
    setMinimumSize(80, 60);
    setAccessibleName(tr("Picture of the scene"));
    if (openGLProblem().isEmpty()) {
        d->canvas = new Canvas(this);
        connect(d->canvas, &Canvas::resized, this, [this] { d->applyTransform(); });
    }
    d->overlay = new Overlay(this);
    d->animation = new QVariantAnimation(this);
    d->animation->setDuration(180);
    d->animation->setEasingCurve(QEasingCurve::InOutQuad);
    d->animation->setStartValue(0.0);
    d->animation->setEndValue(1.0);
    d->menuTimer = new QTimer(this);
    d->menuTimer->setSingleShot(true);
    d->updateOverlay();
}

SceneView::~SceneView() {
    d->mail->close();
    delete d->canvas; // its context and loaders go while we are whole
    d->canvas = nullptr;
}

QSize SceneView::sizeHint() const {
    return {800, 600};
}

// ---- scene and result ----------------------------------------------------------------------------------------------

void SceneView::setScene(ScenePtr scene, std::shared_ptr<SceneSamples> samples) {
    d->animation->stop();
    ++d->sceneCount;
    d->scene = std::move(scene);
    d->samples = d->scene ? (samples ? std::move(samples) : std::make_shared<SceneSamples>(d->scene)) : nullptr;
    d->probe.setScene(d->scene);
    d->result = nullptr;
    d->look = {};
    d->dimmed.clear();
    d->positions.clear();
    d->truthIds = nullptr;
    d->truthRequested = false;
    d->classesShown = nullptr;
    d->cycle.clear();
    const bool hadSelection = !d->selection.empty();
    d->selection = {};
    d->stretchPending = false;
    if (d->canvas) d->canvas->scene().clear();

    const float contrast = 1.0f, bias = 0.5f;
    d->display.contrast = contrast;
    d->display.bias = bias;
    d->display.rgbSettings = {};
    d->isFitted = true;
    d->camera = d->fitted();
    d->applyTransform();
    if (d->scene) {
        if (d->scene->bands.size() > 1) {
            showRgb();
        } else {
            d->cutsMode = CutsMode::ZScale;
            d->display.curve = Curve::Linear;
            showBand(0);
        }
        if (d->style.truth) d->requestTruth();
    }
    d->rebuildMarks();
    d->updateReadout();
    d->updateOverlay();
    if (hadSelection) Q_EMIT selectionChanged({});
}

void SceneView::replaceScene(ScenePtr scene) {
    if (!scene || !d->scene || scene->size != d->scene->size || scene->bands.size() != d->scene->bands.size())
        return setScene(std::move(scene));
    ++d->sceneCount;
    d->stretchPending = false;
    d->scene = std::move(scene);
    d->samples = std::make_shared<SceneSamples>(d->scene);
    d->probe.setScene(d->scene);
    d->updateReader();
    d->updateReadout();
    d->updateOverlay();
}

ScenePtr SceneView::scene() const {
    return d->scene;
}

std::shared_ptr<SceneSamples> SceneView::samples() const {
    return d->samples;
}

void SceneView::setResult(ResultPtr result) {
    d->result = std::move(result);
    const bool fits =
        d->result && d->scene && d->result->segmentation.size() == d->scene->size && !d->result->segmentation.empty();
    if (!fits) {
        d->look = {};
        if (d->canvas) d->canvas->scene().setIds(nullptr);
    } else {
        d->requestLook();
    }
    d->updateClasses();
    d->cycle.clear();
    // A selection stays where its object is still there.
    ViewSelection kept = d->selection;
    if (kept.object && !(d->result && d->result->object(kept.object))) kept.object = 0;
    if (kept.blend && !(d->result && d->result->blend(kept.blend)) && !kept.object) kept = {};
    setSelection(kept);
    d->rebuildMarks();
    d->updateReadout();
    if (d->canvas) d->canvas->refresh();
}

ResultPtr SceneView::result() const {
    return d->result;
}

void SceneView::setDimmedObjects(std::vector<int> ids) {
    d->dimmed = std::unordered_set<int>(ids.begin(), ids.end());
    d->updateIdTable();
    d->rebuildMarks();
}

void SceneView::setOutcomes(std::vector<OutcomeMark> marks) {
    d->overlay->setOutcomes(std::move(marks));
}

void SceneView::setPositions(std::vector<QPointF> positions) {
    d->positions = std::move(positions);
    d->rebuildMarks();
}

QColor SceneView::objectColor(int objectId) const {
    return paletteColour(paletteIndex(d->look.colours, objectId));
}

void SceneView::Private::requestLook() {
    if (lookRunning) {
        lookAgain = true;
        return;
    }
    lookRunning = true;
    lookAgain = false;
    TaskPool::shared().submit(
        [m = mail, view = q, r = result, count = sceneCount] {
            auto found = std::make_shared<IdLook>();
            found->result = r;
            try {
                lookOf(r->segmentation, found->colours, found->greatest);
            } catch (const std::exception&) {
                found->colours.clear(); // ids give the colours then
            }
            m->post([view, found, count] {
                Private& p = *view->d;
                p.lookRunning = false;
                if (count == p.sceneCount && p.result) {
                    p.look = std::move(*found);
                    if (p.canvas) p.canvas->scene().setIds(std::make_shared<IdTiles>(p.look.result->segmentation));
                    p.updateIdTable();
                }
                if (p.lookAgain && p.result) p.requestLook();
            });
        },
        TaskPool::OnScreen);
}

void SceneView::Private::updateIdTable() {
    if (!canvas || !look.result) return;
    std::vector<int> chosen;
    if (selection.object) {
        chosen.push_back(selection.object);
    } else if (const Blend* blend = result ? result->blend(selection.blend) : nullptr) {
        chosen = blend->objects;
    }
    cv::Mat table = makeTable(look.greatest);
    const int total = static_cast<int>(table.total());
    for (int id = 1; id < total; ++id) {
        const int flags = SceneProp::IdVisible | (dimmed.contains(id) ? SceneProp::IdDimmed : 0);
        table.at<cv::Vec4b>(id / SceneProp::kTableWidth, id % SceneProp::kTableWidth) =
            tableEntry(paletteColour(paletteIndex(look.colours, id)), flags);
    }
    for (const int id : chosen) {
        if (id <= 0) continue;
        auto& entry = table.at<cv::Vec4b>((id / SceneProp::kTableWidth) % table.rows, id % SceneProp::kTableWidth);
        entry[3] = static_cast<uchar>(entry[3] | SceneProp::IdSelected);
    }
    canvas->scene().setIdTable(table);
    const Blend* around = result ? result->blend(selection.blend) : nullptr;
    canvas->scene().setSelectionBox(chosen.empty() || !scene ? Box{} : around ? around->box.grown(4) : scene->box());
    canvas->refresh();
}

void SceneView::Private::updateClasses() {
    const bool fits = result && scene && !result->classPlanes.empty() &&
                      std::all_of(result->classPlanes.begin(), result->classPlanes.end(),
                                  [&](const cv::Mat& m) { return m.size() == scene->size && m.type() == CV_32F; });
    const void* wanted = fits ? result->classPlanes.front().data : nullptr;
    if (wanted == classesShown && (!fits || style.classShown == classShown)) return;
    classesShown = wanted;
    classShown = style.classShown;
    if (!canvas) return;
    if (fits) {
        std::vector<QString> names = result->classNames;
        names.resize(result->classPlanes.size());
        const int shown = classShown < static_cast<int>(names.size()) ? classShown : -1;
        canvas->scene().setClassTable(ClassTiles::table(names, shown, SceneProp::kTableWidth));
        canvas->scene().setClasses(std::make_shared<ClassTiles>(result->classPlanes, shown));
    } else {
        canvas->scene().setClasses(nullptr);
    }
    canvas->refresh();
    updateOverlay();
}

void SceneView::Private::requestTruth() {
    if (truthRequested || !scene || !scene->truth) return;
    truthRequested = true;
    TaskPool::shared().submit(
        [m = mail, view = q, s = scene, count = sceneCount] {
            auto ids = std::make_shared<cv::Mat>();
            auto found = std::make_shared<IdLook>();
            try {
                *ids = blendscope::truthIds(*s, s->box());
                lookOf(*ids, found->colours, found->greatest);
            } catch (const std::exception&) {
                ids->release(); // marks alone then
            }
            m->post([view, ids, found, count] {
                Private& p = *view->d;
                if (count != p.sceneCount) return;
                p.truthIds = ids;
                p.truthColours = found->colours;
                if (!ids->empty() && p.canvas) {
                    cv::Mat table = makeTable(found->greatest);
                    for (int id = 1; id < static_cast<int>(table.total()); ++id) {
                        table.at<cv::Vec4b>(id / SceneProp::kTableWidth, id % SceneProp::kTableWidth) =
                            tableEntry(paletteColour(paletteIndex(found->colours, id)), SceneProp::IdVisible);
                    }
                    p.canvas->scene().setTruth(std::make_shared<IdTiles>(*ids));
                    p.canvas->scene().setTruthTable(table);
                    p.canvas->refresh();
                }
                p.rebuildMarks();
            });
        },
        TaskPool::Normal);
}

void SceneView::Private::rebuildMarks() {
    if (!canvas) return;
    std::vector<Mark> ellipses, peaks, truth, given;
    const auto isSelected = [this](const Object& o) {
        return selection.object ? o.id == selection.object : selection.blend != 0 && o.parent == selection.blend;
    };
    if (result) {
        ellipses.reserve(result->objects.size());
        for (const Object& o : result->objects) {
            const bool chosen = isSelected(o);
            if (!style.ellipses && !chosen) continue;
            Mark m;
            m.kind = Mark::DashedRing;
            m.x = o.x;
            m.y = o.y;
            m.a = static_cast<float>(kEllipseSigmas * o.a);
            m.b = static_cast<float>(kEllipseSigmas * o.b);
            m.theta = std::isfinite(o.theta) ? static_cast<float>(o.theta * std::numbers::pi / 180.0) : 0.0f;
            m.width = chosen ? 2.0f : 1.4f;
            QColor colour = chosen ? QColor(Qt::white) : look::detected();
            if (dimmed.contains(o.id)) colour.setAlphaF(0.3f);
            m.colour = colour.rgba();
            if (std::isfinite(m.a) && std::isfinite(m.b)) ellipses.push_back(m);
        }
        for (const Footprint& f : result->footprints) {
            if (!style.peaks) break;
            for (const Peak& p : f.peaks) {
                Mark m;
                m.kind = Mark::Plus;
                m.x = p.x;
                m.y = p.y;
                m.size = 6.0f;
                m.colour = look::peak().rgba();
                peaks.push_back(m);
            }
        }
    }
    if (style.truth && scene && scene->truth) {
        const bool shaded = truthIds && !truthIds->empty();
        for (const TruthObject& t : scene->truth->objects) {
            Mark m;
            m.x = t.x;
            m.y = t.y;
            QColor colour = paletteColour(paletteIndex(truthColours, t.id));
            if (!shaded && t.hlrArcsec > 0.0 && scene->pixelScale > 0.0) {
                Mark disc = m;
                disc.kind = Mark::Disc;
                disc.a = disc.b = static_cast<float>(1.5 * t.hlrArcsec / scene->pixelScale);
                colour.setAlphaF(style.truthOpacity);
                disc.colour = colour.rgba();
                truth.push_back(disc);
                colour.setAlphaF(1.0f);
            }
            m.kind = Mark::Dot;
            m.size = 2.5f;
            m.colour = look::truth().rgba();
            truth.push_back(m);
        }
    }
    if (style.positions) {
        for (const QPointF& p : positions) {
            Mark m;
            m.kind = Mark::Diamond;
            m.x = p.x();
            m.y = p.y();
            m.size = 6.0f;
            m.colour = look::ink().rgba();
            given.push_back(m);
        }
    }
    canvas->marks(Canvas::Ellipses).setMarks(std::move(ellipses));
    canvas->marks(Canvas::Peaks).setMarks(std::move(peaks));
    canvas->marks(Canvas::TruthMarks).setMarks(std::move(truth));
    canvas->marks(Canvas::Positions).setMarks(std::move(given));
    canvas->refresh();
}

// ---- display -------------------------------------------------------------------------------------------------------

const ViewDisplay& SceneView::display() const {
    return d->display;
}

void SceneView::setDisplay(const ViewDisplay& display) {
    const bool tiles = display.rgb != d->display.rgb ||
                       (display.rgb && (display.rgbSettings.weights != d->display.rgbSettings.weights ||
                                        display.rgbSettings.level != d->display.rgbSettings.level)) ||
                       (!display.rgb && display.band != d->display.band);
    d->display = display;
    if (tiles) d->updateReader();
    if (d->canvas) {
        d->canvas->scene().setDisplay(d->display);
        d->canvas->refresh();
    }
    d->updateOverlay();
    Q_EMIT displayChanged(d->display);
}

void SceneView::Private::updateReader() {
    if (!scene || scene->bands.empty()) return;
    if (display.rgb && display.rgbSettings.level.size() != scene->bands.size()) {
        if (const auto ready = samples->rgb()) {
            stretchPending = false;
            display.rgbSettings = *ready;
        } else {
            stretchPending = true;
            samples->requestRgb([m = mail, view = q, count = sceneCount] {
                m->post([view, count] {
                    Private& p = *view->d;
                    if (count != p.sceneCount || !p.stretchPending) return;
                    p.updateReader();
                    Q_EMIT view->displayChanged(p.display);
                });
            });
            return;
        }
    }
    if (canvas) {
        display.band = std::clamp(display.band, 0, static_cast<int>(scene->bands.size()) - 1);
        canvas->scene().setImage(display.rgb ? ImageTiles::ofColours(scene, display.rgbSettings)
                                             : ImageTiles::ofBand(scene, display.band),
                                 display.rgb);
        canvas->scene().setDisplay(display);
        canvas->refresh();
    }
}

void SceneView::showRgb() {
    ViewDisplay next = d->display;
    next.rgb = true;
    next.rgbSettings = {};
    if (d->samples) {
        if (const auto ready = d->samples->rgb()) next.rgbSettings = *ready;
    }
    d->display = next;
    d->updateReader();
    d->updateOverlay();
    Q_EMIT displayChanged(d->display);
}

void SceneView::showBand(int band) {
    if (!d->scene || band < 0 || band >= static_cast<int>(d->scene->bands.size())) return;
    d->display.rgb = false;
    d->display.band = band;
    d->stretchPending = false;
    d->updateReader();
    autoCuts(d->cutsMode);
    d->updateOverlay();
    Q_EMIT displayChanged(d->display);
}

void SceneView::autoCuts(CutsMode mode) {
    d->cutsMode = mode;
    if (!d->samples || d->display.rgb) return;
    const int band = d->display.band;
    if (const auto sample = d->samples->band(band)) return d->applyCuts(mode, *sample);
    d->stretchPending = true;
    d->samples->requestBand(band, [m = d->mail, view = this, band, count = d->sceneCount] {
        m->post([view, band, count] {
            Private& p = *view->d;
            if (count != p.sceneCount || p.display.rgb || p.display.band != band) return;
            p.stretchPending = false;
            // What was asked for last counts, in whatever order the answers come.
            if (const auto sample = p.samples->band(band)) p.applyCuts(p.cutsMode, *sample);
        });
    });
}

void SceneView::Private::applyCuts(CutsMode mode, const std::vector<float>& sample) {
    Cuts cuts;
    switch (mode) {
    case CutsMode::ZScale:
        cuts = zScale(sample);
        break;
    case CutsMode::MinMax:
        cuts = minMaxCuts(sample);
        break;
    case CutsMode::Percent90:
        cuts = percentileCuts(sample, 90.0);
        break;
    case CutsMode::Percent99:
        cuts = percentileCuts(sample, 99.0);
        break;
    case CutsMode::Percent995:
        cuts = percentileCuts(sample, 99.5);
        break;
    case CutsMode::Percent999:
        cuts = percentileCuts(sample, 99.9);
        break;
    case CutsMode::Sky: {
        const SkyLevel sky = skyOfSample(sample);
        cuts = {sky.level - 2.0f * sky.sigma, sky.level + 30.0f * sky.sigma};
        break;
    }
    }
    ViewDisplay next = display;
    next.cuts = cuts;
    q->setDisplay(next);
}

void SceneView::resetContrast() {
    ViewDisplay next = d->display;
    next.contrast = 1.0f;
    next.bias = 0.5f;
    setDisplay(next);
}

const OverlayStyle& SceneView::overlays() const {
    return d->style;
}

void SceneView::setOverlays(const OverlayStyle& style) {
    if (style == d->style) return;
    const bool marks = style.peaks != d->style.peaks || style.ellipses != d->style.ellipses ||
                       style.truth != d->style.truth || style.positions != d->style.positions ||
                       style.truthOpacity != d->style.truthOpacity;
    d->style = style;
    if (d->canvas) {
        d->canvas->scene().setStyle(style);
        d->canvas->refresh();
    }
    d->updateClasses();
    if (style.truth) d->requestTruth();
    if (marks) d->rebuildMarks();
    setMirroredCursor(d->mirrored);
    d->updateOverlay();
    Q_EMIT overlaysChanged();
}

void SceneView::setCaption(const QString& caption) {
    d->caption = caption;
    d->updateOverlay();
}

QString SceneView::caption() const {
    return d->caption;
}

void SceneView::Private::updateOverlay() {
    Overlay::Contents c;
    c.scene = scene;
    c.transform = {camera.centre, camera.zoom, screen(), ratio()};
    c.display = display;
    c.style = style;
    c.caption = caption;
    if (classesShown && result) c.classes = result->classNames;
    c.band = band;
    if (!canvas) {
        c.message = openGLProblem();
    } else if (!canvas->problem().isEmpty()) {
        c.message = canvas->problem();
    } else {
        const QString error = canvas->scene().readError();
        if (!error.isEmpty()) c.note = SceneView::tr("Some pixels cannot be read: %1").arg(error);
    }
    overlay->setContents(c);
}

// ---- camera --------------------------------------------------------------------------------------------------------

QSize SceneView::Private::screen() const {
    return (QSizeF(q->size()) * ratio()).toSize().expandedTo(QSize(1, 1));
}

double SceneView::Private::fitZoom() const {
    if (!scene || scene->size.width <= 0 || scene->size.height <= 0) return 1.0;
    const QSize s = screen();
    return 0.98 * std::min(double(s.width()) / scene->size.width, double(s.height()) / scene->size.height);
}

ViewCamera SceneView::Private::fitted() const {
    if (!scene) return {};
    return {QPointF((scene->size.width - 1) / 2.0, (scene->size.height - 1) / 2.0), fitZoom()};
}

QPointF SceneView::Private::insideScene(const ViewCamera& wanted) const {
    if (!scene) return wanted.centre;
    // Along each axis the view holds as much of the scene as it can.
    const auto inside = [&](double centre, int length, int pixels) {
        const double half = pixels / (2.0 * wanted.zoom), low = half - 0.5, high = length - 0.5 - half;
        return low < high ? std::clamp(centre, low, high) : (length - 1) / 2.0;
    };
    return {inside(wanted.centre.x(), scene->size.width, screen().width()),
            inside(wanted.centre.y(), scene->size.height, screen().height())};
}

void SceneView::Private::setCameraInternal(ViewCamera next, bool keepFitted) {
    if (!std::isfinite(next.zoom) || !std::isfinite(next.centre.x()) || !std::isfinite(next.centre.y())) return;
    if (!keepFitted) isFitted = false;
    if (scene) {
        const double fit = fitZoom();
        next.zoom = std::clamp(next.zoom, std::min(fit / 2, 1.0), std::max(fit * 4, kGreatestZoom * ratio()));
        next.centre.setX(std::clamp(next.centre.x(), -0.5, scene->size.width - 0.5));
        next.centre.setY(std::clamp(next.centre.y(), -0.5, scene->size.height - 0.5));
    }
    if (next == camera) return;
    camera = next;
    applyTransform();
    Q_EMIT q->cameraChanged(camera);
}

void SceneView::Private::applyTransform() {
    if (canvas) canvas->setTransform({camera.centre, camera.zoom, screen(), ratio()});
    updateOverlay();
    updateReadout();
}

void SceneView::Private::animateTo(const ViewCamera& target) {
    animation->stop();
    animation->disconnect(q);
    const ViewCamera from = camera;
    connect(animation, &QVariantAnimation::valueChanged, q, [this, from, target](const QVariant& value) {
        const double t = value.toDouble();
        ViewCamera c;
        c.zoom = t >= 1.0 ? target.zoom : from.zoom * std::pow(target.zoom / from.zoom, t);
        // The centre moves with the scale, so that one point of the sky stays where it is on the screen.
        const double span = 1 / from.zoom - 1 / target.zoom;
        const double left = std::abs(span) < 1e-12 ? 1.0 - t : (1 / c.zoom - 1 / target.zoom) / span;
        c.centre = target.centre + (from.centre - target.centre) * left;
        setCameraInternal(c);
    });
    animation->start();
}

ViewCamera SceneView::camera() const {
    return d->camera;
}

void SceneView::setCamera(const ViewCamera& camera) {
    d->animation->stop();
    d->setCameraInternal(camera);
}

void SceneView::fit() {
    d->animation->stop();
    d->isFitted = true;
    d->setCameraInternal(d->fitted(), true);
}

void SceneView::setZoom(double zoom) {
    setCamera({d->camera.centre, zoom});
}

void SceneView::zoomBy(double factor) {
    setCamera({d->camera.centre, d->camera.zoom * factor});
}

void SceneView::zoomToBox(const QRectF& box, Framing framing, bool animate) {
    const QRectF b = box.normalized();
    if (!b.isValid()) return;
    const QSize s = d->screen();
    const double zoom = 0.85 * std::min(s.width() / b.width(), s.height() / b.height());
    ViewCamera target{b.center(), std::min(zoom, kGreatestZoom * d->ratio())};
    if (framing == Framing::InsideScene) target.centre = d->insideScene(target);
    if (animate && isVisible()) {
        d->animateTo(target);
    } else {
        setCamera(target);
    }
}

void SceneView::centreOn(QPointF image) {
    setCamera({image, d->camera.zoom});
}

void SceneView::centreOnSelection(bool animate) {
    if (!d->result || d->selection.empty()) return;
    QPointF at;
    const Object* object = d->result->object(d->selection.object);
    const Blend* blend = d->result->blend(d->selection.blend);
    if (object) {
        at = {object->x, object->y};
    } else if (blend) {
        at = {blend->box.x0 + (blend->box.width - 1) / 2.0, blend->box.y0 + (blend->box.height - 1) / 2.0};
    } else {
        return;
    }
    if (animate && isVisible()) {
        d->animateTo({at, d->camera.zoom});
    } else {
        centreOn(at);
    }
}

QRectF SceneView::visibleBox() const {
    return ViewTransform{d->camera.centre, d->camera.zoom, d->screen(), d->ratio()}.visibleBox();
}

QPointF SceneView::toImage(QPointF p) const {
    const double r = d->ratio();
    return {d->camera.centre.x() + (p.x() * r - d->screen().width() / 2.0) / d->camera.zoom,
            d->camera.centre.y() - (p.y() * r - d->screen().height() / 2.0) / d->camera.zoom};
}

QPointF SceneView::toWidget(QPointF image) const {
    const double r = d->ratio();
    return {((image.x() - d->camera.centre.x()) * d->camera.zoom + d->screen().width() / 2.0) / r,
            (d->screen().height() / 2.0 - (image.y() - d->camera.centre.y()) * d->camera.zoom) / r};
}

// ---- selection and read-out ----------------------------------------------------------------------------------------

ViewSelection SceneView::selection() const {
    return d->selection;
}

void SceneView::setSelection(ViewSelection selection) {
    if (selection.object && d->result) {
        if (const Object* o = d->result->object(selection.object)) selection.blend = o->parent;
    }
    if (selection == d->selection) return;
    d->selection = selection;
    d->updateIdTable();
    d->rebuildMarks();
    Q_EMIT selectionChanged(selection);
}

int SceneView::Private::idAt(const cv::Mat& ids, int x, int y) const {
    return x >= 0 && y >= 0 && x < ids.cols && y < ids.rows ? ids.at<int>(y, x) : 0;
}

ViewSelection SceneView::Private::hit(QPointF image) const {
    if (!result) return {};
    const int x = static_cast<int>(std::floor(image.x() + 0.5)), y = static_cast<int>(std::floor(image.y() + 0.5));
    if (const int id = idAt(result->segmentation, x, y)) {
        const Object* o = result->object(id);
        return {id, o ? o->parent : 0};
    }
    // Objects without pixels of their own (given positions, components below the noise) are hit at their positions.
    const double reach = kPickRadius * ratio() / camera.zoom;
    double best = reach * reach;
    ViewSelection found;
    for (const Object& o : result->objects) {
        const double dx = o.x - image.x(), dy = o.y - image.y();
        if (dx * dx + dy * dy < best) {
            best = dx * dx + dy * dy;
            found = {o.id, o.parent};
        }
    }
    if (!found.empty()) return found;
    for (const Footprint& f : result->footprints) {
        if (f.box.contains(x, y) && f.contains(x, y) && result->blend(f.id)) return {0, f.id};
    }
    return {};
}

void SceneView::Private::click(QPointF at) {
    const bool again = !cycle.empty() && (at - cyclePoint).manhattanLength() <= 4 && selection == cycle[cycleAt];
    if (again) {
        cycleAt = (cycleAt + 1) % cycle.size();
    } else {
        cycle.clear();
        cycleAt = 0;
        cyclePoint = at;
        const QPointF image = q->toImage(at);
        const ViewSelection first = hit(image);
        if (!first.empty()) {
            cycle.push_back(first);
            const Blend* blend = result->blend(first.blend);
            if (blend && first.object && blend->objects.size() > 1) {
                cycle.push_back({0, first.blend});
                // The other children, nearest to the click first.
                std::vector<std::pair<double, int>> others;
                for (const int id : blend->objects) {
                    const Object* o = result->object(id);
                    if (o && id != first.object)
                        others.emplace_back(std::hypot(o->x - image.x(), o->y - image.y()), id);
                }
                std::sort(others.begin(), others.end());
                for (const auto& [distance, id] : others) {
                    cycle.push_back({id, first.blend});
                }
            }
        }
    }
    q->setSelection(cycle.empty() ? ViewSelection{} : cycle[cycleAt]);
}

void SceneView::Private::updateReadout() {
    if (frozen) return;
    ViewReadout r;
    if (cursor && scene) {
        r.position = q->toImage(*cursor);
        r.x = static_cast<int>(std::floor(r.position.x() + 0.5));
        r.y = static_cast<int>(std::floor(r.position.y() + 0.5));
        r.inside = scene->box().contains(r.x, r.y);
        r.sky = scene->wcs.toSky(r.position.x(), r.position.y());
    }
    if (r.inside) {
        if (auto values = probe.at(r.x, r.y)) {
            r.values = std::move(values->bands);
            r.unusable = values->unusable;
        } else {
            r.pending = true;
            r.values.assign(scene->bands.size(), kNan);
        }
        if (result) {
            r.object = idAt(result->segmentation, r.x, r.y);
            if (const Object* o = result->object(r.object)) r.blend = o->parent;
        }
        if (truthIds) r.truth = idAt(*truthIds, r.x, r.y);
    }
    if (!r.inside && !readout.inside && !cursor) return;
    readout = std::move(r);
    Q_EMIT q->readoutChanged(readout);
}

void SceneView::Private::updateHover() {
    const bool looking = cursor && drag == Drag::None && result;
    ViewSelection now;
    if (looking) now = hit(q->toImage(*cursor));
    if (!now.object) now = {}; // empty parts of a footprint light nothing up
    if (now == hovered) return;
    q->setHovered(now);
    Q_EMIT q->hoveredChanged(now);
}

ViewSelection SceneView::hovered() const {
    return d->hovered;
}

void SceneView::setHovered(ViewSelection hovered) {
    if (hovered == d->hovered) return;
    d->hovered = hovered;
    if (!d->canvas) return;
    d->canvas->scene().setHovered(hovered.object);
    // Blends, and objects without pixels of their own, are shown by marks.
    std::vector<int> ids;
    const Blend* blend = d->result && !hovered.object ? d->result->blend(hovered.blend) : nullptr;
    if (blend) ids = blend->objects;
    if (hovered.object) ids = {hovered.object};
    std::vector<Mark> marks;
    for (const int id : ids) {
        const Object* o = d->result && d->style.hover ? d->result->object(id) : nullptr;
        if (!o) continue;
        if (!blend && d->idAt(d->result->segmentation, int(std::lround(o->x)), int(std::lround(o->y))) == id) continue;
        Mark m;
        m.kind = Mark::Diamond;
        m.x = o->x;
        m.y = o->y;
        m.size = 9.0f;
        m.width = 2.0f;
        m.colour = look::ink().rgba();
        marks.push_back(m);
    }
    d->canvas->marks(Canvas::Hover).setMarks(std::move(marks));
    d->canvas->refresh();
}

void SceneView::setMirroredCursor(std::optional<QPointF> image) {
    d->mirrored = image;
    if (!d->canvas) return;
    std::vector<Mark> marks;
    if (image && d->style.cursorCross) {
        Mark m;
        m.kind = Mark::Plus;
        m.x = image->x();
        m.y = image->y();
        m.size = 11.0f;
        m.colour = look::ink().rgba();
        marks.push_back(m);
    }
    d->canvas->marks(Canvas::Cursor).setMarks(std::move(marks));
    d->canvas->refresh();
}

void SceneView::setPlacing(bool on) {
    d->placing = on;
    on ? setCursor(Qt::CrossCursor) : unsetCursor();
}

void SceneView::setReadoutFrozen(bool frozen) {
    d->frozen = frozen;
    if (!frozen) d->updateReadout();
}

const ViewReadout& SceneView::readout() const {
    return d->readout;
}

// ---- pictures ------------------------------------------------------------------------------------------------------

bool SceneView::settled() const {
    if (!d->canvas || !d->scene) return true;
    return !d->stretchPending && !d->lookRunning && d->animation->state() != QAbstractAnimation::Running &&
           (!d->truthRequested || d->truthIds) && d->canvas->settled();
}

bool SceneView::waitUntilSettled(int timeoutMs) {
    QElapsedTimer timer;
    timer.start();
    do {
        QCoreApplication::processEvents(QEventLoop::AllEvents, 10);
        if (d->canvas && !isVisible()) (void)d->canvas->grabFramebuffer(); // hidden widgets are not painted
        if (settled()) return true;
    } while (timer.elapsed() < timeoutMs);
    return false;
}

QImage SceneView::grabImage() {
    QImage image;
    if (d->canvas) {
        image = d->canvas->grabFramebuffer();
    } else {
        image = QImage(d->screen(), QImage::Format_ARGB32_Premultiplied);
        image.fill(look::canvas());
    }
    image.setDevicePixelRatio(d->ratio());
    QPainter painter(&image);
    d->overlay->paintContents(painter);
    return image;
}

double SceneView::benchmark(int frames) {
    if (!d->canvas || !d->scene || frames <= 0) return 0.0;
    waitUntilSettled();
    const ViewCamera camera = d->camera;
    const ViewDisplay display = d->display;
    QElapsedTimer timer;
    timer.start();
    for (int i = 0; i < frames; ++i) {
        const double phase = 2.0 * std::numbers::pi * i / frames;
        const double step = 40.0 / camera.zoom;
        ViewCamera next{camera.centre + QPointF(std::cos(phase), std::sin(phase)) * step,
                        camera.zoom * (1.0 + 0.2 * std::sin(phase))};
        d->setCameraInternal(next);
        ViewDisplay tone = display;
        tone.contrast = static_cast<float>(1.0 + 0.3 * std::sin(phase));
        setDisplay(tone);
        d->canvas->repaint();
        QCoreApplication::processEvents();
    }
    const double seconds = static_cast<double>(timer.nsecsElapsed()) * 1e-9;
    d->setCameraInternal(camera);
    setDisplay(display);
    return frames / seconds;
}

// ---- events --------------------------------------------------------------------------------------------------------

void SceneView::resizeEvent(QResizeEvent*) {
    if (d->canvas) d->canvas->setGeometry(rect());
    d->overlay->setGeometry(rect());
    d->overlay->raise();
    if (d->isFitted && d->scene) {
        d->setCameraInternal(d->fitted(), true);
    }
    d->applyTransform();
}

void SceneView::changeEvent(QEvent* event) {
    if (event->type() == QEvent::FontChange || event->type() == QEvent::LanguageChange) d->updateOverlay();
    QWidget::changeEvent(event);
}

void SceneView::mousePressEvent(QMouseEvent* event) {
    if (d->drag != Private::Drag::None) return; // one button at a time
    d->animation->stop();
    d->button = event->button();
    d->pressAt = d->lastAt = event->position();
    d->drag = Private::Drag::Press;
    if (d->placing && d->button == Qt::LeftButton && d->scene) {
        d->drag = Private::Drag::Place;
        Q_EMIT placed(toImage(event->position()), false);
    }
    d->pressContrast = d->display.contrast;
    d->pressBias = d->display.bias;
}

void SceneView::mouseMoveEvent(QMouseEvent* event) {
    const QPointF at = event->position();
    d->cursor = at;
    if (d->drag == Private::Drag::Press && (at - d->pressAt).manhattanLength() >= QApplication::startDragDistance()) {
        const bool box = d->button == Qt::LeftButton && (event->modifiers() & Qt::ShiftModifier);
        d->drag = d->button == Qt::RightButton ? Private::Drag::Contrast
                  : box                        ? Private::Drag::ZoomBox
                                               : Private::Drag::Pan;
        if (d->drag == Private::Drag::Pan) setCursor(Qt::ClosedHandCursor);
    }
    switch (d->drag) {
    case Private::Drag::Pan: {
        const QPointF step = (at - d->lastAt) * d->ratio() / d->camera.zoom;
        d->setCameraInternal({d->camera.centre - QPointF(step.x(), -step.y()), d->camera.zoom});
        break;
    }
    case Private::Drag::ZoomBox:
        d->band = QRectF(d->pressAt, at).normalized();
        d->updateOverlay();
        break;
    case Private::Drag::Contrast: {
        // DS9: to the right = more bias (darker), up = more contrast.
        ViewDisplay next = d->display;
        next.bias =
            std::clamp(d->pressBias + static_cast<float>((at.x() - d->pressAt.x()) / std::max(1, width())), 0.0f, 1.0f);
        next.contrast = std::clamp(d->pressContrast * static_cast<float>(std::exp2((d->pressAt.y() - at.y()) / 150.0)),
                                   0.05f, 20.0f);
        setDisplay(next);
        break;
    }
    case Private::Drag::Place:
        Q_EMIT placed(toImage(at), false);
        break;
    case Private::Drag::None:
    case Private::Drag::Press:
        break;
    }
    d->lastAt = at;
    d->updateReadout();
    d->updateHover();
    Q_EMIT cursorMoved(toImage(at));
}

void SceneView::mouseReleaseEvent(QMouseEvent* event) {
    if (event->button() != d->button) return;
    const Private::Drag drag = std::exchange(d->drag, Private::Drag::None);
    d->button = Qt::NoButton;
    d->placing ? setCursor(Qt::CrossCursor) : unsetCursor();
    if (std::exchange(d->afterDoubleClick, false)) return;
    const QPointF at = event->position();
    if (drag == Private::Drag::Place) {
        Q_EMIT placed(toImage(at), true);
        return;
    }
    if (drag == Private::Drag::ZoomBox) {
        const QRectF band = std::exchange(d->band, {});
        d->updateOverlay();
        zoomToBox(QRectF(toImage(band.topLeft()), toImage(band.bottomRight())).normalized());
    } else if (drag == Private::Drag::Press) {
        switch (event->button()) {
        case Qt::LeftButton:
            d->click(at);
            Q_EMIT clicked(toImage(at));
            break;
        case Qt::MiddleButton:
            d->animateTo({toImage(at), d->camera.zoom});
            break;
        case Qt::RightButton: {
            // The menu waits for a second click, which means something else.
            const QPoint global = event->globalPosition().toPoint();
            const QPointF image = toImage(at);
            d->menuTimer->disconnect(this);
            connect(d->menuTimer, &QTimer::timeout, this,
                    [this, global, image] { Q_EMIT menuRequested(global, image); });
            d->menuTimer->start(std::min(250, QApplication::doubleClickInterval()));
            break;
        }
        default:
            break;
        }
    }
}

void SceneView::mouseDoubleClickEvent(QMouseEvent* event) {
    d->afterDoubleClick = true;
    d->button = event->button();
    d->drag = Private::Drag::Press;
    d->pressAt = d->lastAt = event->position();
    d->pressContrast = 1.0f;
    d->pressBias = 0.5f;
    if (event->button() == Qt::RightButton) {
        d->menuTimer->stop();
        resetContrast();
    } else if (event->button() == Qt::LeftButton && !d->selection.empty()) {
        Q_EMIT objectActivated(d->selection);
    }
}

void SceneView::wheelEvent(QWheelEvent* event) {
    const double delta = event->angleDelta().y() != 0 ? event->angleDelta().y() : event->pixelDelta().y() * 2.0;
    if (delta == 0.0 || !d->scene) return event->ignore();
    d->animation->stop();
    double zoom = d->camera.zoom * std::exp2(delta / 360.0);
    if (event->modifiers() & Qt::ControlModifier) {
        const double steps = std::log2(d->camera.zoom);
        zoom = std::exp2(delta > 0 ? std::floor(steps + 1.0 + 1e-6) : std::ceil(steps - 1.0 - 1e-6));
    }
    // The pixel under the cursor stays there, also where the zoom is at its limit.
    const QPointF at = event->position(), under = toImage(at);
    d->setCameraInternal({d->camera.centre, zoom});
    const QPointF drift = under - toImage(at);
    d->setCameraInternal({d->camera.centre + drift, d->camera.zoom});
    event->accept();
}

void SceneView::leaveEvent(QEvent*) {
    d->cursor.reset();
    d->updateReadout();
    d->updateHover();
    Q_EMIT cursorLeft();
}

} // namespace blendscope
