#include "view/SceneView.h"

#include "support/ImageCompare.h"
#include "view/BandGrid.h"
#include "view/SceneSamples.h"
#include "view/ViewGroup.h"

#include <QApplication>
#include <QSignalSpy>
#include <QTest>
#include <QWheelEvent>
#include <array>
#include <cmath>

using namespace blendscope;

namespace {

constexpr int kWidth = 600, kHeight = 400;

/// Faint noise-free gradient with one very bright pixel at (40, 70), a NaN block and a masked block.
ScenePtr makeScene(int bands = 3, cv::Size size = {100, 80}) {
    auto scene = std::make_shared<Scene>();
    scene->id = QStringLiteral("test");
    scene->size = size;
    scene->wcs = Wcs();
    for (int b = 0; b < bands; ++b) {
        cv::Mat image(size, CV_32F);
        for (int y = 0; y < size.height; ++y) {
            for (int x = 0; x < size.width; ++x) {
                image.at<float>(y, x) = static_cast<float>(((x * 7 + y * 13 + b) % 11) - 5);
            }
        }
        image.at<float>(70, 40) = 1e4f;
        image(cv::Rect(70, 10, 20, 20)).setTo(std::numeric_limits<float>::quiet_NaN());
        Band band;
        band.name = QString(QLatin1Char("griz"[b % 4]));
        band.image = std::make_shared<MemoryPlane>(image);
        cv::Mat variance(size, CV_32F, cv::Scalar(10.0f));
        variance(cv::Rect(5, 30, 10, 5)).setTo(0.0f);
        variance(cv::Rect(5, 35, 10, 5)).setTo(std::numeric_limits<float>::infinity());
        band.variance = std::make_shared<MemoryPlane>(variance);
        cv::Mat mask(size, CV_32S, cv::Scalar(0));
        mask(cv::Rect(5, 5, 10, 10)).setTo(1);
        band.mask = std::make_shared<MemoryPlane>(mask);
        band.maskNames.insert(QStringLiteral("BAD"), 0);
        band.wavelength = 500.0 + 100.0 * b;
        scene->bands.push_back(band);
    }
    return scene;
}

/// Two touching squares of one blend (objects 1 and 2) and one alone (object 3).
ResultPtr makeResult(cv::Size size = {100, 80}) {
    auto result = std::make_shared<Result>();
    result->segmentation = cv::Mat(size, CV_32S, cv::Scalar(0));
    result->segmentation(cv::Rect(20, 20, 10, 10)).setTo(1);
    result->segmentation(cv::Rect(30, 20, 10, 10)).setTo(2);
    result->segmentation(cv::Rect(50, 50, 10, 10)).setTo(3);
    const double x[] = {24.5, 34.5, 54.5}, y[] = {24.5, 24.5, 54.5};
    for (int i = 0; i < 3; ++i) {
        Object o;
        o.id = i + 1;
        o.parent = i < 2 ? 1 : 2;
        o.x = x[i];
        o.y = y[i];
        o.a = o.b = 3.0f;
        o.theta = 0.0f;
        result->objects.push_back(o);
    }
    Blend a, b;
    a.id = 1;
    a.box = {20, 20, 20, 10};
    a.objects = {1, 2};
    b.id = 2;
    b.box = {50, 50, 10, 10};
    b.objects = {3};
    result->blends = {a, b};
    for (const Blend& blend : result->blends) {
        cv::Mat mask(size, CV_8U, cv::Scalar(0));
        mask(blend.box.rect()).setTo(255);
        Footprint f = Footprint::fromMask(mask, 0, 0);
        f.id = blend.id;
        f.peaks.push_back({blend.box.x0 + 4.5, blend.box.y0 + 4.5, 10.0f, -1});
        result->footprints.push_back(f);
    }
    return result;
}

} // namespace

/// The picture, driven by events: state first, pixels second.
class TestSceneView : public QObject {
    Q_OBJECT

    std::unique_ptr<SceneView> m_view;

    SceneView& show(ScenePtr scene) {
        m_view = std::make_unique<SceneView>();
        m_view->resize(kWidth, kHeight);
        m_view->show();
        (void)QTest::qWaitForWindowExposed(m_view.get());
        m_view->setScene(std::move(scene));
        m_view->waitUntilSettled();
        return *m_view;
    }
    /// Colour of the picture in the middle of an image pixel.
    QColor at(double x, double y) {
        const QImage image = m_view->grabImage();
        const QPointF p = m_view->toWidget({x, y}) * m_view->devicePixelRatioF();
        return image.pixelColor(static_cast<int>(std::floor(p.x())), static_cast<int>(std::floor(p.y())));
    }
    void wheel(QPointF at, int delta, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
        QWheelEvent event(at, m_view->mapToGlobal(at), {}, {0, delta}, Qt::NoButton, modifiers, Qt::NoScrollPhase,
                          false);
        QApplication::sendEvent(m_view.get(), &event);
    }
    void drag(Qt::MouseButton button, QPoint from, QPoint to, Qt::KeyboardModifiers modifiers = Qt::NoModifier) {
        QTest::mousePress(m_view.get(), button, modifiers, from);
        for (int i = 1; i <= 4; ++i) {
            const QPoint p = from + (to - from) * i / 4;
            QMouseEvent move(QEvent::MouseMove, p, m_view->mapToGlobal(QPointF(p)), Qt::NoButton, button, modifiers);
            QApplication::sendEvent(m_view.get(), &move);
        }
        QTest::mouseRelease(m_view.get(), button, modifiers, to);
    }
    void hover(QPointF p) {
        QMouseEvent move(QEvent::MouseMove, p, m_view->mapToGlobal(p), Qt::NoButton, Qt::NoButton, Qt::NoModifier);
        QApplication::sendEvent(m_view.get(), &move);
    }

private Q_SLOTS:
    void cleanup() { m_view.reset(); }

    void openGLIsThere() { QVERIFY2(SceneView::openGLProblem().isEmpty(), qPrintable(SceneView::openGLProblem())); }

    void fitsTheScene() {
        SceneView& view = show(makeScene());
        const QRectF box = view.visibleBox();
        QVERIFY(box.contains(QRectF(-0.5, -0.5, 100, 80)));
        QVERIFY(box.width() < 125.0 || box.height() < 85.0);
        QCOMPARE(view.camera().centre, QPointF(49.5, 39.5));
        // A fitted picture stays fitted when the window grows.
        view.resize(900, 700);
        QTest::qWait(50);
        QVERIFY(view.visibleBox().contains(QRectF(-0.5, -0.5, 100, 80)));
        QVERIFY(view.camera().zoom > 7.0);
    }

    void brightPixelIsWhereItShouldBe() {
        SceneView& view = show(makeScene());
        view.setOverlays([] {
            OverlayStyle style;
            style.compass = style.scaleBar = false;
            return style;
        }());
        view.setCamera({{40.0, 70.0}, 20.0});
        QVERIFY(view.waitUntilSettled());
        QVERIFY(at(40, 70).lightness() > 200);
        // Pixel edges lie at half-integers: 0.45 px from the centre is still the pixel, 0.55 px is its neighbour.
        for (const QPointF d : {QPointF(1, 0), QPointF(-1, 0), QPointF(0, 1), QPointF(0, -1)}) {
            QVERIFY(at(40 + 0.45 * d.x(), 70 + 0.45 * d.y()).lightness() > 200);
            QVERIFY(at(40 + 0.58 * d.x(), 70 + 0.58 * d.y()).lightness() < 120);
        }
        // y points up.
        QVERIFY(view.toWidget({40, 72}).y() < view.toWidget({40, 70}).y());
    }

    void pictureIsThatOfTheEngine() {
        const ScenePtr scene = makeScene();
        SceneView& view = show(scene);
        view.setCamera({{49.5, 39.5}, 4.0});
        QVERIFY(view.waitUntilSettled());
        std::vector<cv::Mat> bands;
        for (const Band& b : scene->bands) {
            bands.push_back(b.image->readAll());
        }
        cv::Mat bgr;
        luptonRgb(bands, view.display().rgbSettings, bgr);
        const QImage image = view.grabImage();
        int worst = 0;
        for (int y = 30; y < 60; ++y) {
            for (int x = 30; x < 60; ++x) {
                const QPointF p = view.toWidget({double(x), double(y)}) * view.devicePixelRatioF();
                const QColor c = image.pixelColor(static_cast<int>(p.x()), static_cast<int>(p.y()));
                const cv::Vec3b e = bgr.at<cv::Vec3b>(y, x);
                worst =
                    std::max({worst, std::abs(c.red() - e[2]), std::abs(c.green() - e[1]), std::abs(c.blue() - e[0])});
            }
        }
        QVERIFY2(worst <= 3, qPrintable(QString::number(worst)));
    }

    void missingPixelsAreHatched() {
        SceneView& view = show(makeScene());
        const QImage image = view.grabImage();
        // Two tones, neither black nor white, over the NaN block.
        QSet<QRgb> tones;
        for (int i = 0; i < 60; ++i) {
            const QPointF p = view.toWidget({72.0 + 16.0 * i / 60.0, 20.0}) * view.devicePixelRatioF();
            tones.insert(image.pixel(p.toPoint()));
        }
        QVERIFY(tones.size() >= 2);
        int lightest = 0;
        for (const QRgb tone : tones) {
            lightest = std::max(lightest, qGray(tone));
        }
        QVERIFY(lightest > 40);
        // Masked pixels too, and those without weight, unless switched off.
        const auto pieces = [&view] {
            const QImage all = view.grabImage();
            const auto cut = [&](double x, double y) {
                return all.copy(QRect(view.toWidget({x, y + 4}).toPoint(), view.toWidget({x + 9, y}).toPoint()));
            };
            return std::array{cut(5, 5), cut(5, 30), cut(5, 35)};
        };
        const auto hatched = pieces();
        OverlayStyle style = view.overlays();
        style.unusable = false;
        view.setOverlays(style);
        view.waitUntilSettled();
        const auto plain = pieces();
        for (std::size_t i = 0; i < plain.size(); ++i) {
            QVERIFY(hatched[i] != plain[i]);
        }
    }

    void wheelZoomsAboutTheCursor() {
        SceneView& view = show(makeScene());
        const QPointF p(420, 130);
        const QPointF under = view.toImage(p);
        const double zoom = view.camera().zoom;
        QSignalSpy spy(&view, &SceneView::cameraChanged);
        wheel(p, 120);
        QVERIFY(view.camera().zoom > zoom * 1.2);
        QVERIFY(QLineF(view.toImage(p), under).length() < 1e-6);
        QVERIFY(!spy.isEmpty());
        wheel(p, 120, Qt::ControlModifier);
        const double steps = std::log2(view.camera().zoom);
        QVERIFY(std::abs(steps - std::round(steps)) < 1e-9);
        for (int i = 0; i < 60; ++i) {
            wheel(p, 240);
        }
        QVERIFY(view.camera().zoom <= 64.0 * view.devicePixelRatioF() * 1.001);
        for (int i = 0; i < 90; ++i) {
            wheel(p, -240);
        }
        QVERIFY(view.camera().zoom >= 0.5);
    }

    void dragPansAndClickSelects() {
        SceneView& view = show(makeScene());
        view.setResult(makeResult());
        view.setZoom(12.0);
        const QPointF before = view.camera().centre;
        drag(Qt::LeftButton, {300, 200}, {360, 224});
        QVERIFY(std::abs(view.camera().centre.x() - (before.x() - 60.0 / 12.0)) < 1e-6);
        QVERIFY(std::abs(view.camera().centre.y() - (before.y() + 24.0 / 12.0)) < 1e-6);
        QVERIFY(view.selection().empty());

        view.fit();
        QSignalSpy spy(&view, &SceneView::selectionChanged);
        const QPoint p = view.toWidget({24, 24}).toPoint();
        QTest::mouseClick(&view, Qt::LeftButton, {}, p);
        QCOMPARE(view.selection(), (ViewSelection{1, 1}));
        QCOMPARE(spy.count(), 1);
        QTest::qWait(QApplication::doubleClickInterval() + 20);
        QTest::mouseClick(&view, Qt::LeftButton, {}, p); // parent
        QCOMPARE(view.selection(), (ViewSelection{0, 1}));
        QTest::qWait(QApplication::doubleClickInterval() + 20);
        QTest::mouseClick(&view, Qt::LeftButton, {}, p); // other child
        QCOMPARE(view.selection(), (ViewSelection{2, 1}));
        QTest::mouseClick(&view, Qt::LeftButton, {}, view.toWidget({90, 70}).toPoint()); // sky
        QVERIFY(view.selection().empty());
        QTest::mouseClick(&view, Qt::LeftButton, {}, view.toWidget({54, 54}).toPoint());
        QCOMPARE(view.selection(), (ViewSelection{3, 2}));
    }

    void middleClickRecentres() {
        SceneView& view = show(makeScene());
        view.setZoom(10.0);
        const QPointF target = view.toImage({420, 260});
        QTest::mouseClick(&view, Qt::MiddleButton, {}, {420, 260});
        QTRY_VERIFY(QLineF(view.camera().centre, target).length() < 1e-6);
    }

    void shiftDragZoomsToTheBox() {
        SceneView& view = show(makeScene());
        const QRectF box = QRectF(view.toImage({200, 100}), view.toImage({300, 160})).normalized();
        drag(Qt::LeftButton, {200, 100}, {300, 160}, Qt::ShiftModifier);
        QTRY_VERIFY(QLineF(view.camera().centre, box.center()).length() < 0.2);
        QVERIFY(view.visibleBox().contains(box));
    }

    void aBoxNearTheBorderShowsNoMoreOfNothingThanItMust() {
        SceneView& view = show(makeScene());
        const QRectF corner(0, 0, 20, 20), scene(-0.5, -0.5, 100, 80);
        view.zoomToBox(corner, SceneView::Framing::InsideScene);
        QTRY_VERIFY(view.camera().zoom > 5.0 && view.visibleBox().contains(corner));
        QTRY_VERIFY(scene.adjusted(-0.01, -0.01, 0.01, 0.01).contains(view.visibleBox()));
    }

    void rightDragIsContrast() {
        SceneView& view = show(makeScene());
        const QImage before = view.grabImage();
        QSignalSpy spy(&view, &SceneView::displayChanged);
        drag(Qt::RightButton, {300, 200}, {240, 100});
        QVERIFY(view.display().contrast > 1.2f);
        QVERIFY(std::abs(view.display().bias - 0.4f) < 0.01f);
        QVERIFY(!spy.isEmpty());
        QVERIFY(view.settled() || view.waitUntilSettled(200)); // nothing is read again
        QVERIFY(view.grabImage() != before);
        QTest::mouseDClick(&view, Qt::RightButton, {}, {300, 200});
        QCOMPARE(view.display().contrast, 1.0f);
        QCOMPARE(view.display().bias, 0.5f);
    }

    void readoutIsThePixel() {
        const ScenePtr scene = makeScene();
        SceneView& view = show(scene);
        view.setResult(makeResult());
        for (const auto& [x, y] : {std::pair{40, 70}, {0, 0}, {99, 79}, {24, 25}, {75, 15}}) {
            hover(view.toWidget({double(x), double(y)}));
            const ViewReadout& r = view.readout();
            QVERIFY(r.inside);
            QCOMPARE(r.x, x);
            QCOMPARE(r.y, y);
            QVERIFY(!r.pending);
            QCOMPARE(r.values.size(), scene->bands.size());
            for (size_t b = 0; b < scene->bands.size(); ++b) {
                const float expected = scene->bands[b].image->read({x, y, 1, 1}).at<float>(0, 0);
                QVERIFY(r.values[b] == expected || (std::isnan(r.values[b]) && std::isnan(expected)));
            }
        }
        hover(view.toWidget({24.0, 25.0}));
        QCOMPARE(view.readout().object, 1);
        QCOMPARE(view.readout().blend, 1);
        hover(view.toWidget({24.49, 25.0})); // still the same pixel
        QCOMPARE(view.readout().x, 24);
        hover(view.toWidget({24.51, 25.0}));
        QCOMPARE(view.readout().x, 25);
        hover(view.toWidget({8.0, 8.0}));
        QVERIFY(view.readout().unusable);
        hover({2, 2});
        QVERIFY(!view.readout().inside);
    }

    void masksAreFilledInTheirColour() {
        SceneView& view = show(makeScene());
        view.setResult(makeResult());
        OverlayStyle style;
        style.masks = MaskStyle::Fill;
        style.maskOpacity = 1.0f;
        view.setOverlays(style);
        QVERIFY(view.waitUntilSettled());
        for (const auto& [id, x, y] : {std::tuple{1, 24.0, 24.0}, {2, 34.0, 24.0}, {3, 54.0, 54.0}}) {
            const QColor want = view.objectColor(id), got = at(x, y);
            QVERIFY2(std::abs(want.red() - got.red()) < 6 && std::abs(want.green() - got.green()) < 6 &&
                         std::abs(want.blue() - got.blue()) < 6,
                     qPrintable(want.name() + QLatin1Char(' ') + got.name()));
        }
        QVERIFY(view.objectColor(1) != view.objectColor(2)); // neighbours
        QVERIFY(at(45, 24).lightness() < 120);
        // Outline: coloured at the rim, the sky inside.
        style.masks = MaskStyle::Outline;
        view.setOverlays(style);
        QVERIFY(view.waitUntilSettled());
        QVERIFY(at(24.5, 24.5) != view.objectColor(1));
        const QColor rim = at(20.0 - 0.5 + 0.6 / view.camera().zoom, 24.5), own = view.objectColor(1);
        QVERIFY2(std::abs(rim.red() - own.red()) < 40 && std::abs(rim.blue() - own.blue()) < 40,
                 qPrintable(rim.name() + QLatin1Char(' ') + own.name()));
    }

    void selectionIsBright() {
        SceneView& view = show(makeScene());
        view.setResult(makeResult());
        QVERIFY(view.waitUntilSettled());
        const double outside = 0.5 + 1.0 / view.camera().zoom;
        QVERIFY(at(50.0 - outside, 54.5).lightness() < 120);
        view.setSelection({3, 0});
        QCOMPARE(view.selection().blend, 2);
        QVERIFY(view.waitUntilSettled());
        QVERIFY(at(50.0 - outside, 54.5).lightness() > 240);
        // A selected blend has one line around it, none between its children.
        view.setSelection({0, 1});
        QVERIFY(view.waitUntilSettled());
        QVERIFY(at(20.0 - outside, 24.5).lightness() > 240);
        QVERIFY(at(29.5, 24.5).lightness() < 240);
    }

    void resultsMayComeInParts() {
        SceneView& view = show(makeScene());
        auto part = std::make_shared<Result>(*makeResult());
        part->objects.resize(1);
        part->complete = false;
        view.setResult(part);
        view.setSelection({1, 0});
        for (int i = 0; i < 10; ++i) {
            view.setResult(makeResult());
        }
        QVERIFY(view.waitUntilSettled());
        QCOMPARE(view.selection(), (ViewSelection{1, 1}));
        view.setResult(nullptr);
        QVERIFY(view.selection().empty());
        QVERIFY(view.waitUntilSettled());
        view.setScene(nullptr);
        QVERIFY(view.waitUntilSettled());
        (void)view.grabImage();
    }

    void bandsAndCuts() {
        SceneView& view = show(makeScene());
        view.showBand(1);
        QVERIFY(view.waitUntilSettled());
        QVERIFY(!view.display().rgb);
        QVERIFY(view.display().cuts.low < view.display().cuts.high);
        view.autoCuts(CutsMode::MinMax);
        QVERIFY(view.waitUntilSettled());
        QCOMPARE(view.display().cuts.high, 1e4f);
        ViewDisplay display = view.display();
        display.cuts = {-5.0f, 5.0f};
        display.curve = Curve::Linear;
        view.setDisplay(display);
        view.setZoom(20.0);
        view.centreOn({50, 40});
        QVERIFY(view.waitUntilSettled());
        const float value = view.scene()->bands[1].image->read({51, 41, 1, 1}).at<float>(0, 0);
        QVERIFY(std::abs(at(51, 41).red() - 255.0f * (value + 5.0f) / 10.0f) < 4.0f);
    }

    void oddScenes() {
        for (const cv::Size size : {cv::Size(1, 1), cv::Size(3, 700), cv::Size(257, 256)}) {
            auto scene = std::make_shared<Scene>();
            scene->size = size;
            Band band;
            band.image = std::make_shared<MemoryPlane>(
                cv::Mat(size, CV_32F, cv::Scalar(std::numeric_limits<double>::quiet_NaN())));
            scene->bands.push_back(band);
            SceneView& view = show(scene);
            QVERIFY(view.settled());
            (void)view.grabImage();
        }
        auto none = std::make_shared<Scene>(); // no band, no size
        SceneView& view = show(none);
        wheel({100, 100}, 120);
        QTest::mouseClick(&view, Qt::LeftButton, {}, {100, 100});
        (void)view.grabImage();
    }

    void largeSceneByTiles() {
        const cv::Size size(2500, 1700);
        cv::Mat image(size, CV_32F, cv::Scalar(0.0f));
        image.at<float>(1699, 2499) = 1000.0f;
        image.at<float>(1024, 1024) = 1000.0f;
        auto scene = std::make_shared<Scene>();
        scene->size = size;
        Band band;
        band.image = std::make_shared<MemoryPlane>(image);
        scene->bands.push_back(band);
        SceneView& view = show(scene);
        ViewDisplay display = view.display();
        display.cuts = {0.0f, 100.0f};
        view.setDisplay(display);
        QVERIFY(view.settled() || view.waitUntilSettled());
        for (const QPointF p : {QPointF(2499, 1699), QPointF(1024, 1024)}) {
            view.setCamera({p, 9.0});
            QVERIFY(view.waitUntilSettled());
            QVERIFY(at(p.x(), p.y()).lightness() > 240);
            QVERIFY(at(p.x() - 1, p.y()).lightness() < 40);
            // The means of the coarser levels lie at the same place.
            for (const double zoom : {0.6, 0.35, 0.2}) {
                view.setCamera({p, zoom});
                QVERIFY(view.waitUntilSettled());
                QVERIFY(at(p.x(), p.y()).lightness() > 2 || zoom < 0.25);
                QVERIFY(at(p.x() - 12 / zoom, p.y()).lightness() < 2);
            }
        }
    }

    void groupKeepsInStep() {
        const ScenePtr scene = makeScene();
        SceneView a, b;
        ViewGroup group;
        for (SceneView* view : {&a, &b}) {
            view->resize(300, 200);
            view->setScene(scene);
            group.add(view);
        }
        a.setCamera({{30, 20}, 9.0});
        QCOMPARE(b.camera(), a.camera());
        b.zoomBy(2.0);
        QCOMPARE(a.camera(), b.camera());
        a.setResult(makeResult());
        b.setResult(makeResult());
        a.setSelection({2, 0});
        QCOMPARE(b.selection(), (ViewSelection{2, 1}));
        ViewDisplay display = a.display();
        display.contrast = 2.0f;
        a.setDisplay(display);
        QCOMPARE(b.display().contrast, 2.0f);
    }

    void gridShowsEachBand() {
        BandGrid grid;
        grid.resize(800, 600);
        grid.show();
        (void)QTest::qWaitForWindowExposed(&grid);
        grid.setScene(makeScene(4));
        QCOMPARE(grid.views().size(), size_t(5));
        QVERIFY(grid.views()[0]->display().rgb);
        QCOMPARE(grid.views()[3]->display().band, 2);
        for (SceneView* view : grid.views()) {
            QVERIFY(view->waitUntilSettled());
        }
        grid.views()[1]->setCamera({{30, 20}, 9.0});
        QCOMPARE(grid.views()[4]->camera(), grid.views()[1]->camera());
        grid.setScene(makeScene(1));
        QCOMPARE(grid.views().size(), size_t(1));
        grid.setScene(nullptr);
        QVERIFY(grid.views().empty());
    }

    void survivesAnotherWindow() {
        // A view that moves to another window (a dock that floats) gets a new OpenGL context.
        auto first = std::make_unique<QWidget>();
        auto second = std::make_unique<QWidget>();
        auto* view = new SceneView(first.get());
        view->resize(300, 200);
        first->show();
        second->show();
        (void)QTest::qWaitForWindowExposed(first.get());
        view->setScene(makeScene());
        QVERIFY(view->waitUntilSettled());
        const QImage before = view->grabImage();
        view->setParent(second.get());
        view->show();
        QTest::qWait(50);
        QVERIFY(view->waitUntilSettled());
        QVERIFY(imagesAgree(before, view->grabImage(), 4));
    }
};

int main(int argc, char** argv) {
    SceneView::prepareOpenGL();
    QApplication app(argc, argv);
    TestSceneView test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_SceneView.moc"
