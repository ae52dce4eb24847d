#include "actions/ActionRegistry.h"
#include "charts/ProbabilityBars.h"
#include "document/Document.h"
#include "panels/InspectorPanel.h"
#include "support/EventDriver.h"
#include "theme/Theme.h"
#include "train/TrainPanel.h"
#include "view/ClassTiles.h"
#include "view/SceneView.h"
#include "window/MainWindow.h"
#include "window/ViewArea.h"

#include <QFile>
#include <QJsonObject>
#include <QPushButton>
#include <QTemporaryDir>
#include <QtTest>

using namespace blendscope;
using namespace blendscope::test;

namespace {

/// A scene of noise with a result that counts and classifies.
std::pair<ScenePtr, ResultPtr> classified() {
    auto scene = std::make_shared<Scene>();
    scene->id = QStringLiteral("classes");
    scene->size = {200, 160};
    Band band;
    band.name = QStringLiteral("r");
    cv::Mat image(scene->size, CV_32F);
    cv::randn(image, 0.0, 1.0);
    band.image = std::make_shared<MemoryPlane>(image);
    band.variance = std::make_shared<ConstantPlane>(scene->size, 1.0f);
    scene->bands.push_back(band);
    auto result = std::make_shared<Result>();
    result->sceneId = scene->id;
    result->bands = scene->bandNames();
    result->segmentation = cv::Mat::zeros(scene->size, CV_32S);
    result->classNames = {QStringLiteral("sky"), QStringLiteral("star"), QStringLiteral("galaxy")};
    for (int k = 0; k < 3; ++k) {
        result->classPlanes.push_back(cv::Mat(scene->size, CV_32F, cv::Scalar(k == 0 ? 0.9 : 0.05)));
    }
    const cv::Rect star(20, 20, 40, 40), galaxy(100, 60, 70, 70);
    result->classPlanes[0](star).setTo(0.0f);
    result->classPlanes[1](star).setTo(1.0f);
    result->classPlanes[0](galaxy).setTo(0.1f);
    result->classPlanes[2](galaxy).setTo(0.9f);
    Footprint footprint = Footprint::fromMask(cv::Mat(30, 30, CV_8U, cv::Scalar(255)), 110, 70);
    footprint.id = 1;
    footprint.peaks = {{120.0, 80.0, 9.0f, -1}};
    result->footprints.push_back(footprint);
    Object object;
    object.id = 1;
    object.parent = 1;
    object.x = object.peakX = 120;
    object.y = object.peakY = 80;
    object.pStar = 0.03f;
    object.bands.resize(1);
    result->objects.push_back(object);
    Blend blend;
    blend.id = 1;
    blend.box = footprint.box;
    blend.objects = {1};
    blend.countProbabilities = {0.01f, 0.17f, 0.7f, 0.12f};
    blend.countSpread = {0.01f, 0.06f, 0.1f, 0.05f};
    result->blends.push_back(blend);
    result->segmentation(cv::Rect(110, 70, 30, 30)).setTo(1);
    return {scene, result};
}

void keep(const QPixmap& picture, const char* name) {
    const QString folder = qEnvironmentVariable("BLENDSCOPE_SCREENSHOTS");
    if (!folder.isEmpty()) picture.save(folder + QLatin1Char('/') + QLatin1String(name));
}

} // namespace

/// The panel that trains, and what neural results look like.
class TestTrain : public QObject {
    Q_OBJECT
    std::unique_ptr<MainWindow> m_window;
    QTemporaryDir m_dir;

    bool makeWindow() {
        m_window = std::make_unique<MainWindow>();
        m_window->setAskBeforeClosing(false);
        m_window->resize(1280, 800);
        m_window->show();
        return QTest::qWaitForWindowExposed(m_window.get()) &&
               waitFor([&] { return m_window->document()->registry() != nullptr; });
    }
    [[nodiscard]] bool haveToy() const {
        return m_window->document()->registry()->find(QStringLiteral("toymethod")) != nullptr;
    }

private Q_SLOTS:
    void initTestCase() {
        isolateSettings();
        qputenv("BLENDSCOPE_PLUGIN_PATH", BLENDSCOPE_BINARY_DIR "/tests/plugins");
        Theme::apply(ThemeChoice::Light);
    }
    void init() { QVERIFY(makeWindow()); }
    void cleanup() { m_window.reset(); }

    void trainsWithLiveCurvesAndStops() {
        if (!haveToy()) QSKIP("built without LibTorch");
        QVERIFY(m_window->actionRegistry()->trigger(QStringLiteral("train.panel")));
        TrainPanel* panel = m_window->showTraining();
        TrainSession* session = m_window->training();
        panel->setMethod(QStringLiteral("toymethod"));
        QVERIFY(!panel->startButton()->isEnabled()); // no folder yet
        const QString out = m_dir.filePath(QStringLiteral("model"));
        panel->setOut(out);
        panel->setRecipe({{QStringLiteral("training"), QJsonObject{{QStringLiteral("steps"), 1000000},
                                                                   {QStringLiteral("checkpoint_minutes"), 1}}}});
        QVERIFY(panel->startButton()->isEnabled());
        click(panel->startButton(), panel->startButton()->rect().center());
        QVERIFY(waitFor([&] { return session->curves().size() > 20 && !session->picture().isNull(); }));
        keep(panel->grab(), "train_running.png");
        QVERIFY(panel->stopButton()->isEnabled());
        click(panel->stopButton(), panel->stopButton()->rect().center());
        QVERIFY(waitFor([&] { return !session->running(); }, 20000));
        QVERIFY2(panel->statusText().contains(QLatin1String("checkpoint")), qPrintable(panel->statusText()));
        QVERIFY(QFile::exists(out + QStringLiteral("/checkpoint.safetensors")));
        QVERIFY(QFile::exists(out + QStringLiteral("/curves.svg")));
    }

    void badRecipesAreSaidInWords() {
        if (!haveToy()) QSKIP("built without LibTorch");
        TrainPanel* panel = m_window->showTraining();
        panel->setMethod(QStringLiteral("toymethod"));
        panel->setOut(m_dir.filePath(QStringLiteral("bad")));
        panel->setRecipe({{QStringLiteral("training"), QJsonObject{{QStringLiteral("batch"), -3}}}});
        click(panel->startButton(), panel->startButton()->rect().center());
        QVERIFY(waitFor([&] { return panel->statusText().contains(QLatin1String("batch")); }));
        QVERIFY(waitFor([&] { return !m_window->training()->running(); }));
    }

    void closingTheWindowKeepsACheckpoint() {
        if (!haveToy()) QSKIP("built without LibTorch");
        TrainPanel* panel = m_window->showTraining();
        panel->setMethod(QStringLiteral("toymethod"));
        const QString out = m_dir.filePath(QStringLiteral("closed"));
        panel->setOut(out);
        panel->setRecipe({{QStringLiteral("training"), QJsonObject{{QStringLiteral("steps"), 1000000},
                                                                   {QStringLiteral("checkpoint_minutes"), 60}}}});
        click(panel->startButton(), panel->startButton()->rect().center());
        QVERIFY(waitFor([&] { return m_window->training()->curves().size() > 5; }));
        QVERIFY(!QFile::exists(out + QStringLiteral("/checkpoint.safetensors")));
        m_window->close();
        m_window.reset();
        QVERIFY(QFile::exists(out + QStringLiteral("/checkpoint.safetensors")));
    }

    void classesAreShadedWithALegendAndCountsAreBars() {
        const auto [scene, result] = classified();
        m_window->document()->addScene(scene);
        m_window->document()->addResult(result, QStringLiteral("net"));
        m_window->document()->selectBlend(1);
        QVERIFY(waitFor([&] { return m_window->settled(); }));
        SceneView* view = m_window->findChild<SceneView*>();
        QVERIFY(view && view->waitUntilSettled());
        OverlayStyle style = view->overlays();
        style.masks = MaskStyle::Off;
        style.hover = false;
        const auto colourAt = [&](double x, double y) {
            const QImage image = view->grabImage();
            const QPointF at = view->toWidget({x, y}) * view->devicePixelRatioF();
            double r = 0, g = 0, b = 0;
            for (int j = -3; j <= 3; ++j) {
                for (int i = -3; i <= 3; ++i) {
                    const QColor c = image.pixelColor(int(at.x()) + i, int(at.y()) + j);
                    r += c.redF(), g += c.greenF(), b += c.blueF();
                }
            }
            return QColor::fromRgbF(float(r / 49), float(g / 49), float(b / 49));
        };
        const auto distance = [](const QColor& a, const QColor& b) {
            return std::hypot(double(a.redF() - b.redF()), double(a.greenF() - b.greenF()),
                              double(a.blueF() - b.blueF()));
        };
        style.classes = false;
        view->setOverlays(style);
        QVERIFY(view->waitUntilSettled());
        const QColor bare = colourAt(40, 40), bareSky = colourAt(80, 130);
        style.classes = true;
        style.classOpacity = 1.0f;
        view->setOverlays(style);
        QVERIFY(view->waitUntilSettled());
        keep(m_window->grab(), "classes.png");
        keep(QPixmap::fromImage(view->grabImage()), "classes_view.png");
        // A certain class covers, a less certain one shades, the sky stays as it is.
        QVERIFY(distance(colourAt(40, 40), classColour(1)) < 0.1);
        QVERIFY(distance(colourAt(40, 40), bare) > 0.2);
        QVERIFY(distance(colourAt(150, 110), classColour(2)) < 0.25);
        QVERIFY(distance(colourAt(80, 130), bareSky) < 0.05);
        style.classShown = 0;
        view->setOverlays(style);
        QVERIFY(view->waitUntilSettled());
        QVERIFY(distance(colourAt(80, 130), classColour(0)) < 0.25);

        const ProbabilityBars* counts = m_window->inspector()->counts();
        QVERIFY(counts->isVisible());
        QCOMPARE(counts->bars().size(), std::size_t(4));
        QVERIFY(counts->bars()[1].marked && !counts->bars()[2].marked);
        QVERIFY(counts->toolTip().contains(QLatin1String("70.0")));
        QCOMPARE(counts->bars()[3].name, QStringLiteral("3 or more"));
    }
};

int main(int argc, char** argv) {
    SceneView::prepareOpenGL();
    QApplication application(argc, argv);
    TestTrain test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_Train.moc"
