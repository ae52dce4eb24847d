#include "window/MainWindow.h"

#include "actions/ActionRegistry.h"
#include "actions/CheatSheet.h"
#include "actions/CommandPalette.h"
#include "core/Random.h"
#include "io/SceneReader.h"
#include "method/Pipeline.h"
#include "method/Registry.h"
#include "models/ResultModel.h"
#include "panels/BlendsPanel.h"
#include "panels/InspectorPanel.h"
#include "panels/MethodPanel.h"
#include "panels/PictureBoard.h"
#include "panels/SearchWalk.h"
#include "support/EventDriver.h"
#include "support/SyntheticScene.h"
#include "theme/Theme.h"
#include "view/BandGrid.h"
#include "view/SceneView.h"
#include "window/BlinkTimer.h"
#include "window/MessageBar.h"
#include "window/RecentFiles.h"
#include "window/ViewArea.h"

#include <QAction>
#include <QComboBox>
#include <QHeaderView>
#include <QLineEdit>
#include <QListWidget>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTreeView>
#include <QtTest>
#include <cmath>

using namespace blendscope;
using namespace blendscope::test;

namespace {

/// Pairs of Gaussian galaxies on a grid, `pairs` a side, in three bands, with noise of one count.
ScenePtr makeScene(int pairs, const QString& id) {
    const int side = 48 * pairs;
    auto scene = std::make_shared<Scene>();
    scene->id = id;
    scene->size = {side, side};
    scene->pixelScale = 0.2;
    scene->wcs = Wcs::tangent({150.0, 2.2}, {side / 2.0, side / 2.0}, 0.2);
    const char* names[] = {"g", "r", "i"};
    for (int b = 0; b < 3; ++b) {
        Random random(7, std::uint64_t(b));
        cv::Mat image(side, side, CV_32F);
        for (int y = 0; y < side; ++y) {
            for (int x = 0; x < side; ++x) {
                double v = random.normal();
                for (int dy = -1; dy <= 1; ++dy) {
                    for (int dx = -1; dx <= 1; ++dx) {
                        const double cx = (x / 48 + dx) * 48 + 20, cy = (y / 48 + dy) * 48 + 24;
                        const double r1 = std::hypot(x - cx, y - cy), r2 = std::hypot(x - cx - 9, y - cy - 2);
                        v += 120.0 * std::exp(-r1 * r1 / 9.0) * (1 + 0.3 * b);
                        v += 70.0 * std::exp(-r2 * r2 / 9.0) * (1.6 - 0.3 * b);
                    }
                }
                image.at<float>(y, x) = float(v);
            }
        }
        Band band;
        band.name = QLatin1String(names[b]);
        band.image = std::make_shared<MemoryPlane>(image);
        band.variance = std::make_shared<ConstantPlane>(scene->size, 1.0f);
        band.psf = Psf::moffat(3.0);
        band.zeroPoint = 27.0;
        band.skySubtracted = true;
        band.wavelength = 480.0 + 140.0 * b;
        scene->bands.push_back(band);
    }
    return scene;
}

} // namespace

class TestMainWindow : public QObject {
    Q_OBJECT

private:
    QTemporaryDir m_folder;
    QString m_small; ///< a file with nine pairs

    static std::unique_ptr<MainWindow> makeWindow() {
        auto window = std::make_unique<MainWindow>();
        window->setAskBeforeClosing(false);
        window->resize(1280, 800);
        window->show();
        if (!QTest::qWaitForWindowExposed(window.get())) return nullptr;
        if (!waitFor([&] { return window->document()->registry() != nullptr; })) return nullptr;
        return window;
    }
    static bool runDone(MainWindow& window) {
        return waitFor([&] { return !window.document()->busy() && window.document()->result() != nullptr; });
    }

private Q_SLOTS:
    void initTestCase() {
        isolateSettings();
        Theme::apply(ThemeChoice::Light);
        const QString problem = SceneView::openGLProblem();
        QVERIFY2(problem.isEmpty(), qPrintable(problem));
        m_small = m_folder.filePath(QStringLiteral("pairs.fits"));
        writeScene(*makeScene(3, QStringLiteral("pairs")), m_small);
    }

    void startPageTellsWhatToDo() {
        auto window = makeWindow();
        QVERIFY(window);
        QVERIFY(window->startPageShown());
        QVERIFY(window->startPage()->findChild<QPushButton*>(QStringLiteral("startDemo")));
        QVERIFY(window->startPage()->findChild<QPushButton*>(QStringLiteral("startOpen")));
        QVERIFY(!window->actionRegistry()->trigger(QStringLiteral("run.start"))); // nothing to run on
        QVERIFY(!window->actionRegistry()->trigger(QStringLiteral("blend.next")));
    }

    void opensRunsAndLinksEverything() {
        auto window = makeWindow();
        QVERIFY(window);
        QVERIFY(drop(window.get(), {m_small}));
        QVERIFY(waitFor([&] { return window->document()->scene() != nullptr; }));
        QVERIFY(!window->startPageShown());
        QCOMPARE(window->recent()->entries().size(), std::size_t(1));
        QVERIFY2(!window->method()->suggestions().isEmpty(), "no methods are installed in this build");

        QVERIFY(window->actionRegistry()->trigger(QStringLiteral("run.start")));
        QVERIFY(runDone(*window));
        const ResultPtr result = window->document()->result();
        QVERIFY2(result->complete, qPrintable(window->messages()->text()));
        QVERIFY(result->objects.size() >= 15);
        QCOMPARE(window->blends()->model()->objectsShown(), int(result->objects.size()));

        // The key, from the picture: the first blend of the table.
        window->activateWindow();
        QApplication::setActiveWindow(window.get()); // no window manager does it here
        window->viewArea()->view()->setFocus();
        QTest::keyClick(window.get(), Qt::Key_D);
        const Selection first = window->document()->selection();
        QVERIFY(first.blend > 0);
        const Blend* blend = result->blend(first.blend);
        QVERIFY(blend);
        QCOMPARE(window->blends()->model()->blendId(window->blends()->view()->currentIndex()), first.blend);
        QCOMPARE(window->viewArea()->view()->selection().blend, first.blend);
        QVERIFY(waitFor([&] { return window->inspector()->settled(); }));
        QCOMPARE(window->inspector()->board()->objectsShown(), blend->objects);

        // A component in the inspector selects its object everywhere.
        const int second = blend->objects.back();
        click(window->inspector()->board(), window->inspector()->board()->componentRect(second).center());
        QCOMPARE(window->document()->selection().object, second);
        QCOMPARE(window->viewArea()->view()->selection().object, second);
        QCOMPARE(window->blends()->model()->objectId(window->blends()->view()->currentIndex()), second);

        // A row selects in the picture.
        const int other = result->blends.back().objects.front();
        window->blends()->view()->setCurrentIndex(window->blends()->model()->indexOfObject(other));
        QCOMPARE(window->document()->selection().object, other);
        QCOMPARE(window->viewArea()->view()->selection().object, other);

        // A click in the picture selects in the table.
        QVERIFY(window->viewArea()->view()->waitUntilSettled());
        window->viewArea()->view()->fit();
        QVERIFY(window->viewArea()->view()->waitUntilSettled());
        window->document()->setSelection({});
        const Object* target = result->object(result->blends.front().objects.front());
        click(window->viewArea()->view(), window->viewArea()->view()->toWidget({target->x, target->y}).toPoint());
        QVERIFY(waitFor([&] { return window->document()->selection().object == target->id; }, 5000));
        QCOMPARE(window->blends()->model()->objectId(window->blends()->view()->currentIndex()), target->id);

        // Letters typed into the filter are text, not commands.
        QLineEdit* field = window->blends()->filterField();
        field->setFocus();
        QTest::keyClicks(field, QStringLiteral("n>1 mad"));
        QCOMPARE(field->text(), QStringLiteral("n>1 mad"));
        QCOMPARE(window->document()->selection().object, target->id);
        QVERIFY(waitFor([&] { return window->blends()->model()->objectsShown() == 0; }, 3000));
        field->clear();
        QVERIFY(waitFor([&] { return window->blends()->model()->objectsShown() > 0; }, 3000));

        // Save, open again as a second result, blink and compare.
        const QString out = m_folder.filePath(QStringLiteral("out"));
        window->document()->saveResult(out);
        QVERIFY(waitFor([&] { return !window->document()->busy(); }));
        QVERIFY(QFileInfo::exists(out + QStringLiteral("/catalog.csv")));
        window->open({out});
        QVERIFY(waitFor([&] { return window->document()->current()->results.size() == 2; }));
        QCOMPARE(window->document()->result()->objects.size(), result->objects.size());
        window->document()->selectObject(target->id);
        QVERIFY(window->actionRegistry()->trigger(QStringLiteral("compare.blink")));
        QCOMPARE(window->document()->result(), result);
        QCOMPARE(window->document()->selection().object, target->id); // flipping stays on the object
        QVERIFY(window->actionRegistry()->trigger(QStringLiteral("compare.side")));
        QVERIFY(window->viewArea()->secondView());
        QVERIFY(window->viewArea()->secondView()->result() != window->viewArea()->view()->result());
        window->viewArea()->view()->setZoom(7.0);
        QVERIFY(waitFor(
            [&] {
                return window->viewArea()->secondView()->camera().zoom == window->viewArea()->view()->camera().zoom;
            },
            3000));
        QVERIFY(window->actionRegistry()->trigger(QStringLiteral("compare.side")));
        QVERIFY(!window->viewArea()->secondView());

        // Modes of the picture.
        for (const char* id : {"view.grid", "view.single", "view.rgb"}) {
            QVERIFY(window->actionRegistry()->trigger(QLatin1String(id)));
            QVERIFY(waitFor([&] { return window->viewArea()->settled(); }, 10000));
        }
        QVERIFY(window->actionRegistry()->trigger(QStringLiteral("file.closeScene")));
        QVERIFY(window->startPageShown());
    }

    void searchIsWalkedThrough() {
        // Two galaxies of two colours, a little apart: one peak, and a source more that the pixels need.
        const auto scene = std::make_shared<Scene>(syntheticScene(
            {80, 80}, 3, {{38.6, 40.0, 2.2, {9000.0, 6000.0, 4000.0}}, {41.6, 40.3, 2.2, {3000.0, 6000.0, 9000.0}}},
            3.0));
        const Registry registry;
        Progress progress;
        const ResultPtr result =
            runPipeline(*scene, Pipeline::parse(QStringLiteral("threshold+resolve")), registry, progress);
        QCOMPARE(result->objects.size(), std::size_t(2));
        SearchWalk walk;
        walk.setBlend(scene, result, result->blends.front().id);
        QVERIFY(walk.hasSearch());
        QVERIFY(walk.shown() == nullptr);
        for (const std::size_t sources : {1, 2}) {
            walk.walk(1);
            QVERIFY(waitFor([&] { return walk.settled(); }));
            QVERIFY(walk.shown() != nullptr);
            QCOMPARE(walk.shown()->objects.size(), sources);
        }
        QVERIFY2(walk.words().contains(QStringLiteral("was added")), qPrintable(walk.words()));
        walk.walk(-1);
        QCOMPARE(walk.shown()->objects.size(), std::size_t(1));
        walk.walk(-1);
        QVERIFY(walk.shown() == nullptr);
        walk.setBlend(scene, result, 0);
        QVERIFY(!walk.hasSearch());
    }

    void cancelKeepsWhatIsDone() {
        auto window = makeWindow();
        QVERIFY(window);
        QVERIFY2(!window->method()->suggestions().isEmpty(), "no methods are installed in this build");
        // A fast machine may be through before it can be stopped: then the next scene is larger.
        for (int count = 12; count <= 768 && !window->document()->running(); count *= 4) {
            window->document()->addScene(makeScene(count, QStringLiteral("many %1").arg(count)));
            QVERIFY(window->actionRegistry()->trigger(QStringLiteral("run.start")));
            QVERIFY(waitFor([&] {
                return !window->document()->running() ||
                       (window->document()->result() && !window->document()->result()->blends.empty());
            }));
        }
        QVERIFY2(window->document()->running(), "every run was over before it could be cancelled");
        QElapsedTimer clock;
        clock.start();
        QVERIFY(window->actionRegistry()->trigger(QStringLiteral("run.cancel")));
        QVERIFY(waitFor([&] { return !window->document()->running(); }, 10000));
        qInfo("cancelled after %lld ms", clock.elapsed());
        const ResultPtr result = window->document()->result();
        QVERIFY(result);
        QVERIFY(!result->blends.empty());
        QCOMPARE(window->blends()->model()->objectsShown(), int(result->objects.size()));
        if (!result->complete) QVERIFY(window->messages()->text().contains(QStringLiteral("cancelled")));
    }

    void aBadFileIsWordsAndHarmsNothing() {
        auto window = makeWindow();
        QVERIFY(window);
        window->document()->addScene(makeScene(2, QStringLiteral("good")));
        const ScenePtr good = window->document()->scene();
        const QString bad = m_folder.filePath(QStringLiteral("bad.fits"));
        QFile file(bad);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write("SIMPLE  = this is not a FITS file");
        file.close();
        for (const QString& path : {bad, m_folder.filePath(QStringLiteral("missing.fits"))}) {
            window->messages()->clear();
            window->open({path});
            QVERIFY(waitFor([&] { return !window->document()->busy(); }));
            QVERIFY(!window->messages()->text().isEmpty());
            QVERIFY(window->messages()->isVisible());
            QCOMPARE(window->document()->scene(), good);
        }
        window->document()->openResult(m_folder.path());
        QVERIFY(waitFor([&] { return !window->document()->busy(); }));
        QCOMPARE(window->document()->scene(), good);
        window->setPipeline(QStringLiteral("nonsense+more"));
        QVERIFY(waitFor([&] { return window->document()->scene() == good; }));
    }

    void oneBandAndATinySceneWork() {
        auto window = makeWindow();
        QVERIFY(window);
        auto tiny = std::make_shared<Scene>();
        tiny->id = QStringLiteral("tiny");
        tiny->size = {3, 2};
        Band band;
        band.name = QStringLiteral("r");
        band.image = std::make_shared<MemoryPlane>(cv::Mat(2, 3, CV_32F, cv::Scalar(std::nan(""))));
        band.variance = std::make_shared<ConstantPlane>(tiny->size, 0.0f);
        tiny->bands.push_back(band);
        window->document()->addScene(tiny);
        QCOMPARE(window->viewArea()->mode(), ViewArea::Mode::Single);
        QVERIFY(!window->actionRegistry()->trigger(QStringLiteral("view.grid")));
        window->actionRegistry()->trigger(QStringLiteral("run.start"));
        QVERIFY(waitFor([&] { return !window->document()->busy(); }));
        window->showMostInteresting();
        window->document()->closeScene(0);
        QVERIFY(window->startPageShown());
    }

    void themeSwitchesAndStaysReadable() {
        auto window = makeWindow();
        QVERIFY(window);
        for (const char* name : {"dark", "light"}) {
            QVERIFY(window->actionRegistry()->trigger(QStringLiteral("theme.") + QLatin1String(name)));
            QCOMPARE(Theme::isDark(), QByteArray(name) == "dark");
            const QPalette p = QApplication::palette();
            QVERIFY(Theme::contrast(p.color(QPalette::WindowText), p.color(QPalette::Window)) >= 7.0);
            QVERIFY(Theme::contrast(p.color(QPalette::HighlightedText), p.color(QPalette::Highlight)) >= 4.5);
            QVERIFY(Theme::contrast(Theme::colors().muted, p.color(QPalette::Window)) >= 4.5);
            QVERIFY(Theme::contrast(p.color(QPalette::PlaceholderText), p.color(QPalette::Base)) >= 4.5);
            for (const QColor& c : {Theme::colors().error, Theme::colors().warning, Theme::colors().notice}) {
                QVERIFY(Theme::contrast(Theme::colors().strongText, c) >= 4.5);
            }
        }
        QCOMPARE(QSettings().value(QStringLiteral("ui/theme")).toString(), QStringLiteral("light"));
    }

    void everyActionIsNamedOnceAndHasItsOwnKeys() {
        auto window = makeWindow();
        QVERIFY(window);
        QSet<QString> ids, keys;
        for (const ActionInfo& info : window->actionRegistry()->infos()) {
            QVERIFY2(!ids.contains(info.id), qPrintable(info.id));
            ids.insert(info.id);
            QVERIFY2(!info.tip.isEmpty(), qPrintable(info.id));
            for (const QKeySequence& key : info.keys) {
                QVERIFY2(!key.isEmpty() && !keys.contains(key.toString()), qPrintable(info.id));
                keys.insert(key.toString());
            }
        }
    }

    void paletteAndCheatSheetComeFromTheActions() {
        auto window = makeWindow();
        QVERIFY(window);
        QVERIFY(window->actionRegistry()->trigger(QStringLiteral("help.search")));
        auto* palette = window->findChild<CommandPalette*>();
        QVERIFY(palette && palette->isVisible());
        QTest::keyClicks(palette->field(), QStringLiteral("dark"));
        QVERIFY(palette->list()->count() >= 1);
        QTest::keyClick(palette->field(), Qt::Key_Return);
        QVERIFY(waitFor([] { return Theme::isDark(); }, 3000));
        QVERIFY(window->actionRegistry()->trigger(QStringLiteral("help.keys")));
        auto* sheet = window->findChild<CheatSheet*>();
        QVERIFY(sheet && sheet->isVisible());
        sheet->close();
        window->actionRegistry()->trigger(QStringLiteral("theme.light"));
    }

    void hoverLightsUpEverywhere() {
        auto window = makeWindow();
        QVERIFY(window);
        window->document()->addScene(makeScene(3, QStringLiteral("hover")));
        QVERIFY(window->actionRegistry()->trigger(QStringLiteral("run.start")));
        QVERIFY(runDone(*window));
        SceneView* view = window->viewArea()->view();
        QVERIFY(view->waitUntilSettled());
        const ResultPtr result = window->document()->result();
        const Object* target = result->object(result->blends.front().objects.front());
        QVERIFY(target);
        const QImage before = view->grabImage();
        // A window that closes meanwhile makes the pointer leave: it comes again, as a hand would.
        const auto point = [&](QWidget* on, const QPoint& at, const std::function<bool()>& reached) {
            for (int tries = 0; tries < 20; ++tries) {
                QTest::mouseMove(on, {3, 3});
                QTest::mouseMove(on, at);
                if (waitFor(reached, 500)) return true;
            }
            return false;
        };
        QVERIFY(point(view, view->toWidget({target->x, target->y}).toPoint(),
                      [&] { return window->document()->hovered().object == target->id; }));
        const QModelIndex row = window->blends()->model()->indexOfBlend(target->parent);
        QVERIFY(window->blends()->model()->data(row, Qt::BackgroundRole).isValid());
        QVERIFY(view->waitUntilSettled());
        QVERIFY(view->grabImage() != before);

        // From the table: a blend's row, and away again.
        const int other = result->blends.back().id;
        const QModelIndex there = window->blends()->model()->indexOfBlend(other);
        QWidget* port = window->blends()->view()->viewport();
        window->blends()->view()->scrollTo(there);
        QVERIFY(point(port, window->blends()->view()->visualRect(there).center(),
                      [&] { return window->document()->hovered().blend == other; }));
        QCOMPARE(view->hovered().blend, other);
        QEvent leave(QEvent::Leave);
        QApplication::sendEvent(port, &leave);
        QVERIFY(view->hovered().empty());
    }

    void blinksByTheClock() {
        auto window = makeWindow();
        QVERIFY(window);
        window->document()->addScene(makeScene(2, QStringLiteral("blink")));
        for (int i = 0; i < 3; ++i) {
            QVERIFY(window->actionRegistry()->trigger(QStringLiteral("run.start")));
            QVERIFY(runDone(*window));
        }
        window->document()->setCurrentResult(0);
        window->document()->setCurrentResult(2);
        BlinkTimer* blink = window->blink();
        blink->setIntervalMs(120);
        QSet<int> seen;
        connect(window->document(), &Document::currentResultChanged, window.get(),
                [&] { seen.insert(window->document()->current()->currentResult); });
        QVERIFY(window->actionRegistry()->trigger(QStringLiteral("compare.timed")));
        QVERIFY(blink->running());
        QTest::qWait(700);
        QCOMPARE(seen, QSet<int>({0, 2})); // the two that were shown last, never the third
        QVERIFY(window->actionRegistry()->trigger(QStringLiteral("compare.slower")));
        QVERIFY(blink->intervalMs() > 120);
        QVERIFY(window->actionRegistry()->trigger(QStringLiteral("compare.timed")));
        QVERIFY(!blink->running());
        QVERIFY(window->actionRegistry()->trigger(QStringLiteral("compare.timed")));
        window->document()->removeResult(window->document()->current()->results[0]->id);
        window->document()->removeResult(window->document()->current()->results[0]->id);
        QVERIFY(waitFor([&] { return !blink->running(); }, 3000));
    }

    void layoutIsRememberedAndReset() {
        QSettings().remove(QStringLiteral("layout"));
        {
            auto window = makeWindow();
            QVERIFY(window);
            window->restoreLayout();
            window->document()->addScene(makeScene(2, QStringLiteral("layout")));
            QVERIFY(window->actionRegistry()->trigger(QStringLiteral("panel.table")));
            window->blends()->view()->header()->resizeSection(0, 231);
            QVERIFY(window->close());
        }
        auto window = makeWindow();
        QVERIFY(window);
        window->restoreLayout();
        QCOMPARE(window->blends()->view()->header()->sectionSize(0), 231);
        window->document()->addScene(makeScene(2, QStringLiteral("layout")));
        QVERIFY(!window->blends()->isVisible());
        QVERIFY(window->inspector()->isVisible());
        QVERIFY(window->actionRegistry()->trigger(QStringLiteral("window.reset")));
        QVERIFY(window->blends()->isVisible());
        QVERIFY(window->blends()->view()->header()->sectionSize(0) != 231);
        QVERIFY(!QSettings().contains(QStringLiteral("layout/geometry")));
    }

    void bandsFillTheGrid() {
        QCOMPARE(BandGrid::columnsFor(7, {1000, 600}, 1.0), 4);
        QCOMPARE(BandGrid::columnsFor(7, {600, 1000}, 1.0), 2);
        QCOMPARE(BandGrid::columnsFor(2, {1000, 500}, 1.0), 2);
        QCOMPARE(BandGrid::columnsFor(1, {100, 100}, 1.0), 1);
        QCOMPARE(BandGrid::columnsFor(6, {1000, 200}, 0.01), 6);
    }

    void fitsASmallScreen() {
        auto window = makeWindow();
        QVERIFY(window);
        window->document()->addScene(makeScene(2, QStringLiteral("small")));
        window->resize(1024, 700);
        QVERIFY(waitFor([&] { return window->width() <= 1024 && window->height() <= 700; }, 3000));
        QVERIFY2(window->minimumSizeHint().width() <= 1024,
                 qPrintable(QString::number(window->minimumSizeHint().width())));
        QVERIFY(window->viewArea()->width() >= 300);
    }
};

int main(int argc, char** argv) {
    SceneView::prepareOpenGL();
    QApplication app(argc, argv);
    TestMainWindow test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_MainWindow.moc"
