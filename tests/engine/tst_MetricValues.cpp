#include "core/Random.h"
#include "judge/Bootstrap.h"
#include "judge/ImageMetrics.h"
#include "judge/MetricCurves.h"
#include "judge/MetricsBuilder.h"
#include "judge/SceneScore.h"
#include "method/ResidualIteration.h"
#include "support/SyntheticScene.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

bool near(double a, double b, double tolerance = 1e-9) {
    return std::abs(a - b) <= tolerance;
}

/// Noiseless and empty, two bands g and r, variance 1, 0.2 arcsec pixels; truth by table.
Scene emptyScene(const std::vector<std::pair<double, double>>& places, double flux = 100.0, cv::Size size = {80, 60}) {
    Scene scene = test::syntheticScene(size, 2, {}, 1.0, 4.0, 1, false);
    scene.id = QStringLiteral("s");
    Truth truth;
    for (const auto& [x, y] : places) {
        TruthObject t;
        t.id = static_cast<int>(truth.objects.size()) + 1;
        t.kind = QStringLiteral("gal");
        t.x = x;
        t.y = y;
        t.flux = {flux, flux};
        t.hlrArcsec = 0.5;
        t.columns = {
            {QStringLiteral("snr_det"), 50.0}, {QStringLiteral("snr_g"), 40.0}, {QStringLiteral("snr_r"), 40.0}};
        truth.objects.push_back(t);
    }
    scene.truth = truth;
    return scene;
}

Object objectAt(int id, double x, double y, double flux, double err = 5.0, int parent = 1) {
    Object o;
    o.id = id;
    o.parent = parent;
    o.x = x;
    o.y = y;
    o.bands.resize(2);
    for (BandFlux& f : o.bands) {
        f.flux = static_cast<float>(flux);
        f.fluxErr = static_cast<float>(err);
    }
    return o;
}

Footprint rectangle(int id, const cv::Rect& r) {
    Footprint f = Footprint::fromMask(cv::Mat(r.size(), CV_8U, cv::Scalar(255)), r.x, r.y);
    f.id = id;
    return f;
}

Result resultWith(std::vector<Object> objects) {
    Result r;
    r.bands = {QStringLiteral("g"), QStringLiteral("r")};
    r.objects = std::move(objects);
    return r;
}

void addBlend(Result& result, const Footprint& footprint, std::vector<int> objects) {
    result.footprints.push_back(footprint);
    Blend b;
    b.id = footprint.id;
    b.box = footprint.box;
    b.objects = std::move(objects);
    result.blends.push_back(b);
}

ScoredPipeline pipelineOf(const QString& name, std::vector<SceneScore> scenes) {
    ScoredPipeline p;
    p.name = name;
    p.scenes = std::move(scenes);
    return p;
}

double valueOf(const MetricsReport& report, const char* id, size_t pipeline = 0) {
    const MetricValue* m = report.pipelines[pipeline].metric(QLatin1String(id));
    return m ? m->value : double(kNan);
}

double errorOf(const MetricsReport& report, const char* id) {
    const MetricValue* m = report.pipelines[0].metric(QLatin1String(id));
    return m ? m->error : -1.0;
}

cv::Mat ellipse(cv::Size size, double x, double y, double sigmaX, double sigmaY, double turn) {
    cv::Mat out(size, CV_32F);
    for (int j = 0; j < size.height; ++j) {
        for (int i = 0; i < size.width; ++i) {
            const double dx = i - x, dy = j - y, u = dx * std::cos(turn) + dy * std::sin(turn),
                         v = -dx * std::sin(turn) + dy * std::cos(turn);
            out.at<float>(j, i) =
                static_cast<float>(100.0 * std::exp(-0.5 * (u * u / (sigmaX * sigmaX) + v * v / (sigmaY * sigmaY))));
        }
    }
    return out;
}

/// Three objects far apart, all alike, found or not.
SceneScore handMade(double fwhm, double depth, bool found, double hlr, double snr, double neighbour, double difference,
                    double blendedness, double magnitude) {
    SceneScore s;
    s.sceneId = found ? QStringLiteral("a") : QStringLiteral("b");
    s.bands = QStringList{QStringLiteral("g")};
    s.size = {100, 100};
    s.fwhmArcsec = fwhm;
    s.depth = depth;
    for (int k = 0; k < 3; ++k) {
        TruthScore t;
        t.truthId = k + 1;
        t.x = t.y = 10.0 + 40.0 * k;
        t.eligible = true;
        t.snr = snr;
        t.magnitude = magnitude;
        t.hlrArcsec = hlr;
        t.blendedness = blendedness;
        t.neighbourArcsec = neighbour;
        t.neighbourMagnitudes = difference;
        t.objectId = found ? k + 1 : 0;
        t.bands.resize(1);
        s.truths.push_back(t);
        DetectionScore d;
        d.objectId = k + 1;
        d.x = d.y = t.x;
        d.matched = found;
        d.magnitude = magnitude;
        d.snr = snr;
        s.detections.push_back(d);
    }
    return s;
}

QString python(const QString& modules) {
    const QString interpreter = QStringLiteral("/usr/bin/python3");
    if (!QFile::exists(interpreter)) return {};
    return QProcess::execute(interpreter, {QStringLiteral("-c"), QStringLiteral("import ") + modules}) == 0
               ? interpreter
               : QString();
}

QJsonObject answerOf(const QString& interpreter, const QString& script, const QJsonObject& input) {
    const QTemporaryDir dir;
    const QString in = dir.filePath(QStringLiteral("in.json"));
    QFile file(in);
    if (!file.open(QIODevice::WriteOnly) || file.write(QJsonDocument(input).toJson()) < 0) return {};
    file.close();
    QProcess process;
    process.start(interpreter, {QStringLiteral("-c"), script, in});
    process.waitForFinished(60000);
    return QJsonDocument::fromJson(process.readAllStandardOutput()).object();
}

QJsonArray rowsOf(const cv::Mat& image) {
    QJsonArray rows;
    for (int y = 0; y < image.rows; ++y) {
        QJsonArray row;
        for (int x = 0; x < image.cols; ++x) {
            row.append(image.at<double>(y, x));
        }
        rows.append(row);
    }
    return rows;
}

} // namespace

/// Every number of a report against one worked out by hand, or by an independent tool.
class TestMetricValues : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void chiSquare() {
        Scene scene = emptyScene({{11, 10}});
        for (Band& band : scene.bands) {
            cv::Mat image = cv::Mat::zeros(scene.size, CV_32F), mask = cv::Mat::zeros(scene.size, CV_32S);
            image(cv::Rect(10, 10, 4, 1)).setTo(5.0f);
            image.at<float>(10, 13) = 1e6f; // saturated
            mask.at<int>(10, 13) = 2;
            band.image = std::make_shared<MemoryPlane>(image);
            band.mask = std::make_shared<MemoryPlane>(mask);
            band.maskNames = {{QStringLiteral("SAT"), 1}};
            band.variance = std::make_shared<MemoryPlane>(cv::Mat(scene.size, CV_32F, cv::Scalar(4.0)));
        }
        Result result = resultWith({objectAt(1, 11, 10, 9.0), objectAt(2, 30, 10, 9.0, 5.0, 2)});
        addBlend(result, rectangle(1, {10, 10, 4, 1}), {1});
        addBlend(result, rectangle(2, {70, 50, 2, 2}), {2});
        Component own, wing;
        own.id = 1;
        own.box = {10, 10, 4, 1};
        own.model = {cv::Mat(1, 4, CV_32F, cv::Scalar(3.0)), cv::Mat(1, 4, CV_32F, cv::Scalar(3.0))};
        wing.id = 2; // of another blend, reaching into one pixel
        wing.box = {12, 10, 1, 1};
        wing.model = {cv::Mat(1, 1, CV_32F, cv::Scalar(1.0)), cv::Mat(1, 1, CV_32F, cv::Scalar(1.0))};
        result.components = {own, wing};
        const SceneScore s = scoreScene(scene, result);
        // (5 - 3)^2 / 4 twice and (5 - 4)^2 / 4 in each of two bands; the other footprint is empty sky: 8 pixels of 0.
        QCOMPARE(s.residuals.size(), size_t(2));
        QVERIFY(near(s.residuals[0].chi2, 4.5) && near(s.residuals[0].pixels, 6.0));
        QVERIFY(near(s.residuals[0].x, 11.5) && near(s.residuals[0].y, 10.0));
        QVERIFY(near(s.truths[0].chi2, 0.75));
        const MetricsReport report = buildReport({pipelineOf(QStringLiteral("a"), {s})});
        QVERIFY(near(valueOf(report, "chi2"), 4.5 / 14.0));
        QVERIFY(std::isnan(errorOf(report, "chi2"))); // two footprints tell no error
    }

    void pullsAndSizes() {
        const Scene scene = emptyScene({{10, 10}, {40, 10}, {10, 40}, {60, 50}});
        Result result = resultWith(
            {objectAt(1, 10, 10, 110), objectAt(2, 40, 10, 100), objectAt(3, 10, 40, 85), objectAt(4, 60, 50, 105)});
        result.objects[0].hlr = 2.5f; // 0.5 arcsec, the truth
        result.objects[1].hlr = 5.0f;
        result.objects[2].hlr = 1.25f;
        const MetricsReport report = buildReport({pipelineOf(QStringLiteral("a"), {scoreScene(scene, result)})});
        // Pulls 2, 0, -3, 1: median 0.5; distances 1.5, 0.5, 3.5, 0.5: median 1.
        QVERIFY(near(valueOf(report, "pull_bias:all:r"), 0.5, 1e-6));
        QVERIFY(near(valueOf(report, "pull_scatter:all:r"), 1.4826 * 1.0, 1e-6));
        // ln 1, ln 2, ln 1/2.
        QVERIFY(near(valueOf(report, "size_bias:all"), 0.0, 1e-6));
        QVERIFY(near(valueOf(report, "size_scatter:all"), 1.4826 * std::log(2.0), 1e-6));
    }

    void integralTransformOfFluxes() {
        const Scene scene = emptyScene({{10, 10}, {40, 10}, {10, 40}});
        // Truth 1 sigma below, at and 1 sigma above what was measured: 0.1587, 0.5, 0.8413.
        const Result result = resultWith({objectAt(1, 10, 10, 105), objectAt(2, 40, 10, 100), objectAt(3, 10, 40, 95)});
        const MetricsReport report = buildReport({pipelineOf(QStringLiteral("a"), {scoreScene(scene, result)})});
        // Steps at 1/3 and 2/3: the largest distance is 1/3 - 0.1587.
        QVERIFY(near(valueOf(report, "pit:all"), 1.0 / 3.0 - 0.158655254, 1e-6));
        QVERIFY(errorOf(report, "pit:all") > 0.0);
    }

    void ellipticities() {
        Scene scene = emptyScene({{30, 30}}, 2500.0, {61, 61});
        for (const double turn : {0.0, M_PI / 4.0}) {
            const auto plane = std::make_shared<MemoryPlane>(ellipse(scene.size, 30, 30, 4.0, 2.0, turn));
            scene.truth->isolated = {{plane}, {plane}};
            Result result = resultWith({objectAt(1, 30, 30, 2500)});
            result.objects[0].a = result.objects[0].b = 3.0f; // round
            result.objects[0].theta = 0.0f;
            const SceneScore s = scoreScene(scene, result);
            // (16 - 4) / (16 + 4)
            const double e1 = turn > 0.0 ? 0.0 : -0.6, e2 = turn > 0.0 ? -0.6 : 0.0;
            QVERIFY2(near(s.truths[0].e1Error, e1, 5e-3), qPrintable(QString::number(s.truths[0].e1Error)));
            QVERIFY2(near(s.truths[0].e2Error, e2, 5e-3), qPrintable(QString::number(s.truths[0].e2Error)));
        }
    }

    void blendednessOfImages() {
        Scene scene = emptyScene({{10, 10}, {11, 10}});
        cv::Mat a = cv::Mat::zeros(scene.size, CV_32F), b = a.clone();
        a.at<float>(10, 10) = 3.0f;
        b.at<float>(10, 10) = 1.0f;
        b.at<float>(10, 11) = 2.0f;
        const auto plane = [](const cv::Mat& m) { return std::make_shared<MemoryPlane>(m); };
        scene.truth->isolated = {{plane(a), plane(b)}, {plane(a), nullptr}};
        scene.truth->noiseless = {plane(a + b), plane(a + b)};
        ScoreOptions options;
        options.band = QStringLiteral("g");
        Result result = resultWith({objectAt(1, 10, 10, 100), objectAt(2, 11, 10, 100)});
        result.components.resize(2);
        result.components[0].id = 1;
        result.components[0].box = {10, 10, 1, 1};
        result.components[0].model = {cv::Mat(1, 1, CV_32F, cv::Scalar(3.0)), cv::Mat(1, 1, CV_32F, cv::Scalar(3.0))};
        result.components[1] = result.components[0];
        result.components[1].id = 2;
        const SceneScore s = scoreScene(scene, result, options);
        // 1 - 9 / (3 x 4); 1 - 5 / (1 x 4 + 2 x 2)
        QVERIFY(near(s.truths[0].blendedness, 0.25, 1e-6));
        QVERIFY(near(s.truths[1].blendedness, 1.0 - 5.0 / 8.0, 1e-6));
        // An image that is missing is no bad image.
        QVERIFY(near(s.truths[0].images[1].correlation, 1.0, 1e-6));
        QVERIFY(std::isnan(s.truths[1].images[1].correlation));
        QVERIFY(std::isnan(ImageMetrics().correlation));
    }

    void againstNotDeblending() {
        Scene scene = emptyScene({{12, 10}, {20, 10}, {16, 12}});
        scene.truth->objects[1].flux = {150, 150};
        for (Band& band : scene.bands) {
            cv::Mat image = cv::Mat::zeros(scene.size, CV_32F);
            image.at<float>(10, 12) = 100.0f;
            image.at<float>(10, 20) = 150.0f;
            band.image = std::make_shared<MemoryPlane>(image);
        }
        // 250 counts in the footprint: off by 1.5 and 0.667 without deblending.
        Result result = resultWith({objectAt(1, 12, 10, 350), objectAt(2, 20, 10, 160), objectAt(3, 16, 12, 100)});
        addBlend(result, rectangle(1, {8, 6, 20, 10}), {1, 2, 3});
        const SceneScore s = scoreScene(scene, result);
        QVERIFY(near(s.truths[0].bands[0].undeblended, 250.0));
        const MetricsReport report = buildReport({pipelineOf(QStringLiteral("a"), {s})});
        QVERIFY(near(valueOf(report, "worse_than_undeblended:all:r"), 1.0 / 3.0));
    }

    void boxesAndMasks() {
        Scene scene = emptyScene({{12, 12}, {32, 12}});
        cv::Mat truth = cv::Mat::zeros(scene.size, CV_32S), found = truth.clone();
        truth(cv::Rect(10, 10, 4, 4)).setTo(1);
        truth(cv::Rect(30, 10, 4, 4)).setTo(2);
        found.at<int>(10, 10) = found.at<int>(13, 13) = 1; // two corners: the same box, an eighth of the pixels
        found(cv::Rect(30, 10, 4, 3)).setTo(2);            // three quarters of both
        scene.truth->segmentation = std::make_shared<MemoryPlane>(truth);
        Result result = resultWith({objectAt(1, 12, 12, 100), objectAt(2, 32, 12, 100)});
        result.segmentation = found;
        result.objects[0].significance = 9.0f;
        result.objects[1].significance = 5.0f;
        const MetricsReport report = buildReport({pipelineOf(QStringLiteral("a"), {scoreScene(scene, result)})});
        QVERIFY(near(valueOf(report, "ap_box50"), 1.0));
        QVERIFY(near(valueOf(report, "ap_box75"), 1.0));
        // Boxes: right, right up to 0.75, then right, wrong: (6 x 1 + 4 x 51 / 101) / 10.
        QVERIFY(near(valueOf(report, "ap_box"), (6.0 + 4.0 * 51.0 / 101.0) / 10.0));
        // Masks: wrong, right: precision 1/2 up to recall 1/2.
        QVERIFY(near(valueOf(report, "ap_mask50"), 0.5 * 51.0 / 101.0));
        const PlotData* plot = report.plot(QStringLiteral("average_precision_boxes"));
        QVERIFY(plot && plot->series[0].points.size() == 10);
        QVERIFY(near(plot->series[0].points[9].y, 51.0 / 101.0));
    }

    void outcomesOfAJudgement() {
        const Scene scene = emptyScene({{10, 10}, {14, 10}, {40, 10}, {44, 10}, {10, 40}, {14, 40}, {60, 50}});
        Scene own = scene;
        own.truth->objects[1].columns[QStringLiteral("snr_det")] = 20.0;
        SceneScore s = scoreScene(own, resultWith({objectAt(1, 10, 10, 100), objectAt(2, 14, 10, 100),
                                                   objectAt(3, 42, 10, 100), objectAt(4, 70, 20, 100)}));
        Judgement j;
        const auto object = [&](int id, Outcome outcome, bool alone) {
            TruthVerdict v;
            v.id = id;
            v.outcome = outcome;
            v.detectedAlone = alone;
            j.objects.push_back(v);
        };
        object(1, Outcome::Recognized, true);
        object(2, Outcome::Recognized, true);
        object(3, Outcome::Merged, false);
        object(4, Outcome::Merged, false);
        object(5, Outcome::Invisible, false);
        object(6, Outcome::Invisible, false);
        object(7, Outcome::Lost, true);
        const auto blend = [&](int id, std::vector<int> members, Outcome outcome, int sep, int unsep, int detections) {
            BlendVerdict b;
            b.id = id;
            b.box = {10, 10, 5, 5};
            b.members = std::move(members);
            b.outcome = outcome;
            b.nSep = sep;
            b.nUnsep = unsep;
            b.nBlend = detections;
            j.blends.push_back(b);
        };
        blend(1, {1, 2}, Outcome::Recognized, 2, 0, 2);
        blend(2, {3, 4}, Outcome::Merged, 0, 2, 1);
        blend(3, {5, 6}, Outcome::Invisible, 0, 2, 0);
        blend(4, {7}, Outcome::Lost, 1, 0, 0);
        for (int id = 1; id <= 4; ++id) {
            DetectionVerdict d;
            d.id = id;
            d.outcome = id == 4 ? Outcome::Spurious : Outcome::Recognized;
            j.detections.push_back(d);
        }
        QVERIFY(!j.blends[2].isBlend()); // nothing is asked of a detector here
        addJudgement(s, j);
        QVERIFY(s.judged && s.complete);
        QCOMPARE(s.blends.size(), size_t(2));
        QVERIFY(s.truths[1].blendOutcome == Outcome::Recognized && s.truths[0].blendOutcome == Outcome::Unknown);
        QVERIFY(s.detections[3].verdict == Outcome::Spurious);
        const MetricsReport report = buildReport({pipelineOf(QStringLiteral("a"), {s})});
        QVERIFY(near(valueOf(report, "outcome:recognized"), 0.5));
        QVERIFY(near(valueOf(report, "outcome:merged"), 0.5));
        QVERIFY(near(valueOf(report, "verdict:recognized"), 2.0 / 3.0));
        QVERIFY(near(valueOf(report, "verdict:lost"), 1.0 / 3.0));
        QVERIFY(near(valueOf(report, "detections:spurious"), 0.25));
        for (const char* impossible : {"outcome:spurious", "outcome:invisible", "verdict:merged", "verdict:boosted"}) {
            QVERIFY(!report.pipelines[0].metric(QLatin1String(impossible)));
        }
        // The curve is the rate: all three in one bin of S/N.
        const PlotData* curve = report.plot(QStringLiteral("recognized_by_size"));
        QVERIFY(curve && curve->series[0].points.size() == 1);
        QVERIFY(near(curve->series[0].points[0].y, 2.0 / 3.0) && curve->series[0].points[0].count == 3);
        // A detection of which nothing is known: truth is not complete.
        j.detections[0].outcome = Outcome::Unknown;
        addJudgement(s, j);
        QVERIFY(!s.complete);
        const MetricsReport without = buildReport({pipelineOf(QStringLiteral("a"), {s})});
        QVERIFY(!without.pipelines[0].metric(QStringLiteral("purity")) && without.notes.size() == 1);
    }

    void everyAxis() {
        const std::vector<SceneScore> scenes = {handMade(0.6, 26.0, true, 0.2, 15.0, 0.5, -1.5, 0.02, 22.5),
                                                handMade(1.2, 27.0, false, 0.6, 100.0, 3.1, 2.5, 0.5, 24.0)};
        const MetricsReport report = buildReport({pipelineOf(QStringLiteral("a"), scenes)});
        struct Row {
            const char* axis;
            double low[2];
        };
        for (const Row& row : std::initializer_list<Row>{{"magnitude", {22.0, 24.0}}, // 24 is in 24 to 25, not lost
                                                         {"size", {0.15, 0.5}},
                                                         {"snr", {10.0, 80.0}},
                                                         {"neighbour", {0.5, 2.5}},
                                                         {"difference", {-2.0, 2.0}},
                                                         {"blendedness", {0.01, 0.45}},
                                                         {"seeing", {0.6, 1.08}},
                                                         {"depth", {26.0, 26.8}}}) {
            const PlotData* plot = report.plot(QStringLiteral("completeness_by_") + QLatin1String(row.axis));
            QVERIFY2(plot && plot->series[0].points.size() == 2, row.axis);
            for (size_t k = 0; k < 2; ++k) {
                const PlotPoint& p = plot->series[0].points[k];
                QVERIFY2(near(p.low, row.low[k], 1e-6), row.axis);
                QVERIFY(near(p.y, k == 0 ? 1.0 : 0.0) && p.count == 3 && p.members.size() == 3);
                // All of three: no error of 0, but that of half a success more.
                QVERIFY(near(p.error, std::sqrt(0.875 * 0.125 / 4.0)));
            }
        }
        for (const char* axis : {"magnitude", "snr", "seeing", "depth"}) {
            const PlotData* plot = report.plot(QStringLiteral("purity_by_") + QLatin1String(axis));
            QVERIFY2(plot && plot->series[0].points.size() == 2, axis);
            QVERIFY(near(plot->series[0].points[0].y, 1.0) && near(plot->series[0].points[1].y, 0.0));
            const PlotData* f1 = report.plot(QStringLiteral("f1_by_") + QLatin1String(axis));
            QVERIFY(f1 && near(f1->series[0].points[0].y, 1.0) && near(f1->series[0].points[1].y, 0.0));
        }
        QCOMPARE(binEdges(22.3, 24.0, 1.0), (std::vector<double>{22, 23, 24, 25}));
        QCOMPARE(binEdges(22.0, 22.0, 0.5), (std::vector<double>{22, 22.5}));
    }

    void averagePrecisionInBins() {
        // Faint truths found with masks that fit, bright ones missed; detections without an object: two bright, one
        // faint.
        SceneScore s = handMade(0.6, 26.0, true, 0.3, 20.0, 2.0, 0.0, 0.0, 24.5);
        for (int k = 0; k < 3; ++k) {
            TruthScore t = s.truths[static_cast<size_t>(k)];
            t.truth = k;
            s.truths[static_cast<size_t>(k)] = t;
            t.truth = 3 + k;
            t.magnitude = 20.5;
            t.objectId = 0;
            s.truths.push_back(t);
            DetectionScore d = s.detections[static_cast<size_t>(k)];
            d.objectId = 4 + k;
            d.matched = false;
            d.magnitude = k == 2 ? 24.5 : 20.5;
            s.detections.push_back(d);
        }
        s.masks.asked.assign(6, true);
        s.masks.confidence = {8, 7, 6, 30, 29, 9}; // the faint detection without an object comes before the others
        s.masks.detectionId = {1, 2, 3, 4, 5, 6};
        s.masks.overlaps = {{0, 0, 0.9}, {1, 1, 0.9}, {2, 2, 0.6}};
        s.boxes = s.masks;
        const MetricsReport report = buildReport({pipelineOf(QStringLiteral("a"), {s})});
        const PlotData* plot = report.plot(QStringLiteral("ap_mask50_by_magnitude"));
        QVERIFY(plot && plot->series[0].points.size() == 2);
        QVERIFY(near(plot->series[0].points[0].y, 0.0)); // bright: all three missed
        // Faint: wrong, right, right, right: precision at best 3/4 up to recall 1.
        QVERIFY(near(plot->series[0].points[1].y, 0.75));
        QCOMPARE(plot->series[0].points[1].count, 3);
        // All: two bright wrong ones first, 3 of 6 found at a precision of 3/6.
        QVERIFY(near(valueOf(report, "ap_mask50"), 0.5 * 51.0 / 101.0));
        QVERIFY(report.plot(QStringLiteral("ap_box50_by_snr")));
    }

    void calibrationInBins() {
        // Fifty faint objects said to be stars with 0.9 that are none, fifty bright ones with 0.9 of which 45 are.
        SceneScore s;
        s.sceneId = QStringLiteral("a");
        s.bands = QStringList{QStringLiteral("g")};
        s.size = {100, 100};
        s.objects = 50;
        s.seconds = 5.0;
        for (int k = 0; k < 100; ++k) {
            TruthScore t;
            t.eligible = true;
            t.objectId = k + 1;
            t.magnitude = k < 50 ? 24.5 : 20.5;
            t.x = t.y = k;
            t.kind = k >= 55 ? QStringLiteral("star") : QStringLiteral("gal");
            t.maskIou = k >= 55 ? 0.8 : 0.5;
            t.bands.resize(1);
            s.truths.push_back(t);
            s.starForecasts.push_back({0.9, k >= 55, 0, k});
        }
        const MetricsReport report = buildReport({pipelineOf(QStringLiteral("a"), {s})});
        const PlotData* plot = report.plot(QStringLiteral("ece_star_by_magnitude"));
        QVERIFY(plot && plot->series[0].points.size() == 2);
        QVERIFY(near(plot->series[0].points[0].y, 0.0, 1e-12) && near(plot->series[0].points[1].y, 0.9, 1e-12));
        QCOMPARE(plot->series[0].points[0].members.size(), size_t(50));
        const PlotData* stars = report.plot(QStringLiteral("mask_iou_star_by_magnitude"));
        QVERIFY(stars && stars->series[0].points.size() == 1 && near(stars->series[0].points[0].y, 0.8));
        const PlotData* cost = report.plot(QStringLiteral("seconds_per_object_by_magnitude"));
        QVERIFY(cost && near(cost->series[0].points[0].y, 0.1));
        // A resample counts a forecast as often as its unit was drawn.
        const std::vector<Forecast> two = {{0.9, true, 0, 0}, {0.9, false, 1, 1}};
        QVERIFY(near(reliabilityIn(two, {1, 0}).calibrationError, 0.1, 1e-12));
        QVERIFY(near(reliabilityIn(two, {1, 3}).calibrationError, 0.65, 1e-12));
        QVERIFY(near(reliabilityIn(two, {1, 3}).brier, (0.01 + 3 * 0.81) / 4, 1e-12));
    }

    void noFalseZeros() {
        // One scene: its cost and its share of wrong detections have no error that resampling could tell.
        SceneScore s = handMade(0.6, 26.0, true, 0.2, 15.0, 0.5, -1.5, 0.02, 22.5);
        s.seconds = 3.0;
        s.objects = 3;
        s.spurious = {{90.0, 10.0}};
        const MetricsReport one = buildReport({pipelineOf(QStringLiteral("a"), {s})});
        QVERIFY(near(valueOf(one, "seconds_per_object"), 1.0) && std::isnan(errorOf(one, "seconds_per_object")));
        QVERIFY(near(valueOf(one, "match:spurious_per_scene"), 1.0) && errorOf(one, "match:spurious_per_scene") > 0.1);
        QVERIFY(near(errorOf(one, "completeness"), std::sqrt(0.875 * 0.125 / 4.0)));
        // Five scenes of 1 to 5 seconds: sigma sqrt 2, divided by sqrt 5.
        std::vector<SceneScore> five;
        for (int k = 1; k <= 5; ++k) {
            five.push_back(s);
            five.back().seconds = 3.0 * k;
        }
        BuildOptions options;
        options.replicates = 1000;
        const MetricsReport more = buildReport({pipelineOf(QStringLiteral("a"), five)}, options);
        QVERIFY(near(valueOf(more, "seconds_per_object"), 3.0));
        QVERIFY2(near(errorOf(more, "seconds_per_object"), std::sqrt(2.0 / 5.0), 0.07),
                 qPrintable(QString::number(errorOf(more, "seconds_per_object"))));
        // Two objects of a scene are in two squares: no error rather than a wrong one.
        s.truths.resize(2);
        QVERIFY(std::isnan(errorOf(buildReport({pipelineOf(QStringLiteral("a"), {s})}), "completeness")));
    }

    void incompleteScenesAreLeftOut() {
        SceneScore good = handMade(0.6, 26.0, true, 0.2, 15.0, 0.5, -1.5, 0.02, 22.5), bad = good;
        bad.sceneId = QStringLiteral("injected");
        bad.complete = false;
        for (DetectionScore& d : bad.detections) {
            d.matched = false;
        }
        const MetricsReport report = buildReport({pipelineOf(QStringLiteral("a"), {good, bad, good})});
        QVERIFY(near(valueOf(report, "purity"), 1.0));
        QCOMPARE(report.pipelines[0].metric(QStringLiteral("purity"))->count, 6);
        QCOMPARE(report.pipelines[0].metric(QStringLiteral("completeness"))->count, 9);
        QVERIFY(report.notes.size() == 1 && report.notes.first().contains(QLatin1String("injected")));
    }

    void truthSaysIfItIsComplete() {
        Scene scene = emptyScene({{10, 10}});
        QVERIFY(!truthNamesAll(scene));
        scene.truth->noiseless = {scene.bands[0].image};
        QCOMPARE(truthNamesAll(scene), std::optional<bool>(true));
        scene.truth->objects[0].columns[QStringLiteral("injected")] = 1.0;
        QCOMPARE(truthNamesAll(scene), std::optional<bool>(false));
        QVERIFY(!scoreScene(scene, resultWith({})).complete);
    }

    void differencesOnWhatBothFound() {
        const Scene scene = emptyScene({{10, 10}, {40, 10}});
        const Result a = resultWith({objectAt(1, 10, 10, 100), objectAt(2, 40, 10, 140)}),
                     b = resultWith({objectAt(1, 10, 10, 110)});
        const MetricsReport report = buildReport({pipelineOf(QStringLiteral("a"), {scoreScene(scene, a)}),
                                                  pipelineOf(QStringLiteral("b"), {scoreScene(scene, b)})});
        const auto of = [&](const char* id) {
            for (const PairedDifference& d : report.differences) {
                if (d.metric == QLatin1String(id)) return d;
            }
            return PairedDifference{};
        };
        // Medians of the found: 0.2 and 0.1; of the first object alone 0 and 0.1.
        QVERIFY(near(valueOf(report, "flux_bias:all:r"), 0.2, 1e-6) &&
                near(valueOf(report, "flux_bias:all:r", 1), 0.1, 1e-6));
        QVERIFY(near(of("flux_bias:all:r").difference, 0.1, 1e-6) && of("flux_bias:all:r").common);
        QVERIFY(near(of("flux_bias:all:r").first, 0.0, 1e-6) && of("flux_bias:all:r").count == 1);
        QVERIFY(near(of("completeness").difference, -0.5) && !of("completeness").common);
        QVERIFY(near(of("within20:all:r").difference, 0.0)); // one of two each, on all
    }

    void chanceMovesShares() {
        Random random(3);
        std::vector<std::vector<double>> found, asked, shifted;
        for (int c = 0; c < 8; ++c) {
            found.emplace_back();
            asked.emplace_back();
            shifted.emplace_back();
            for (int u = 0; u < 60; ++u) {
                double same = 0.0, other = 0.0;
                for (int k = 0; k < 3; ++k) {
                    same += random.uniform() < 0.8;
                    other += random.uniform() < (c == 7 ? 0.4 : 0.8);
                }
                found.back().push_back(same);
                shifted.back().push_back(other);
                asked.back().push_back(3.0);
            }
        }
        // Eight shares of 180 with sigma 0.03: their range is about 2.85 sigma, and nothing is left of it.
        const RangeOfShares same = rangeOfShares(found, asked), other = rangeOfShares(shifted, asked);
        QVERIFY2(near(same.chance, 0.085, 0.015), qPrintable(QString::number(same.chance)));
        QVERIFY(same.range > 0.05 && same.beyondChance() < 0.06);
        QVERIFY(other.beyondChance() > 0.3 && other.beyondChance() < other.range);
    }

    void statedCounts() {
        Scene scene = emptyScene({{20, 20}, {24, 20}, {28, 20}, {60, 50}});
        scene.truth->objects[1].columns[QStringLiteral("snr_det")] = 6.0; // counts, though it is not asked for
        scene.truth->objects[2].columns[QStringLiteral("snr_det")] = 3.0; // does not
        Result result = resultWith({objectAt(1, 20, 20, 100)});
        addBlend(result, rectangle(1, {15, 15, 20, 10}), {1});
        result.blends[0].countProbabilities = {0.1f, 0.2f, 0.6f, 0.1f};
        const SceneScore s = scoreScene(scene, result);
        QCOMPARE(s.countForecasts.size(), size_t(4));
        for (size_t k = 0; k < 4; ++k) {
            QCOMPARE(s.countForecasts[k].happened, k == 2);
        }
        QVERIFY(near(valueOf(buildReport({pipelineOf(QStringLiteral("a"), {s})}), "brier:count"),
                     (0.01 + 0.04 + 0.16 + 0.01) / 4.0, 1e-6));
        // In a large scene a footprint that reaches into the margin holds objects that are not asked for.
        ScoreOptions large;
        large.stampSide = 10;
        large.marginPixels = 16.0;
        QVERIFY(scoreScene(scene, result, large).countForecasts.empty());
    }

    void statedStars() {
        Scene scene = emptyScene({{20, 20}, {40, 40}});
        scene.truth->objects[1].kind = QStringLiteral("star");
        Result result = resultWith({objectAt(1, 20, 20, 100), objectAt(2, 40, 40, 100)});
        result.objects[0].pStar = 0.2f;
        result.objects[1].pStar = 0.9f;
        const MetricsReport report = buildReport({pipelineOf(QStringLiteral("a"), {scoreScene(scene, result)})});
        QVERIFY(near(valueOf(report, "brier:star"), (0.04 + 0.01) / 2.0, 1e-6));
        QVERIFY(near(valueOf(report, "ece:star"), (0.2 + 0.1) / 2.0, 1e-6));
    }

    void coloursOfSurveysAreApart() {
        std::vector<SceneScore> scenes;
        for (const char* second : {"i", "z"}) {
            Scene scene = emptyScene({{10, 10}, {40, 10}});
            scene.bands[1].name = QLatin1String(second);
            scene.bands[1].wavelength = 750.0;
            for (TruthObject& t : scene.truth->objects) {
                t.columns[QStringLiteral("snr_") + QLatin1String(second)] = 40.0;
            }
            Result result = resultWith({objectAt(1, 10, 10, 100), objectAt(2, 40, 10, 100)});
            result.bands[1] = QLatin1String(second);
            for (Object& o : result.objects) {
                o.bands[0].flux = second[0] == 'i' ? 110.0f : 90.0f;
            }
            scenes.push_back(scoreScene(scene, result));
        }
        const MetricsReport report = buildReport({pipelineOf(QStringLiteral("a"), scenes)});
        QVERIFY(near(valueOf(report, "colour_bias:all:g-i"), -2.5 * std::log10(1.1), 1e-6));
        QVERIFY(near(valueOf(report, "colour_bias:all:g-z"), -2.5 * std::log10(0.9), 1e-6));
    }

    void residualsByTheNameOfTheBand() {
        const Scene scene = emptyScene({{10, 10}});
        Result result = resultWith({});
        result.bands = {QStringLiteral("r"), QStringLiteral("g")}; // the other way round
        Component c;
        c.box = {10, 10, 1, 1};
        c.model = {cv::Mat(1, 1, CV_32F, cv::Scalar(2.0)), cv::Mat(1, 1, CV_32F, cv::Scalar(7.0))};
        result.components = {c};
        const Scene residual = residualScene(scene, result);
        QCOMPARE(residual.bands[0].image->readAll().at<float>(10, 10), -7.0f);
        QCOMPARE(residual.bands[1].image->readAll().at<float>(10, 10), -2.0f);
        result.bands = QStringList{QStringLiteral("r")}; // one band only
        result.components[0].model.pop_back();
        QCOMPARE(residualScene(scene, result).bands[0].image->readAll().at<float>(10, 10), 0.0f);
    }

    void sameAsScikitImage() {
        const QString interpreter = python(QStringLiteral("skimage.metrics"));
        if (interpreter.isEmpty())
            QSKIP("python3-skimage is not installed: SSIM and PSNR are compared with hand values alone");
        Random random(7);
        cv::Mat a(24, 31, CV_64F), b(24, 31, CV_64F);
        for (int y = 0; y < a.rows; ++y) {
            for (int x = 0; x < a.cols; ++x) {
                a.at<double>(y, x) = std::exp(-0.02 * ((x - 15) * (x - 15) + (y - 12) * (y - 12)));
                b.at<double>(y, x) = std::clamp(a.at<double>(y, x) + 0.05 * random.normal(), 0.0, 1.0);
            }
        }
        const QJsonObject theirs = answerOf(
            interpreter,
            QStringLiteral("import sys, json, numpy as np\n"
                           "from skimage.metrics import structural_similarity as s, peak_signal_noise_ratio as p\n"
                           "d = json.load(open(sys.argv[1]))\n"
                           "a, b = np.array(d['a']), np.array(d['b'])\n"
                           "print(json.dumps({'ssim': s(a, b, data_range=1.0, win_size=7),"
                           " 'psnr': p(a, b, data_range=1.0)}))"),
            {{QStringLiteral("a"), rowsOf(a)}, {QStringLiteral("b"), rowsOf(b)}});
        QVERIFY(theirs.contains(QStringLiteral("ssim")));
        QVERIFY2(near(structuralSimilarity(a, b), theirs[QStringLiteral("ssim")].toDouble(), 1e-9),
                 qPrintable(QString::number(theirs[QStringLiteral("ssim")].toDouble())));
        cv::Mat truth, model;
        a.convertTo(truth, CV_32F);
        b.convertTo(model, CV_32F);
        // Its maximum, 1, is the range.
        QVERIFY(near(compareImages(model, truth, 15, 12).psnr, theirs[QStringLiteral("psnr")].toDouble(), 1e-5));
    }

    /// Average precision itself differs by definition: 101 recalls of COCO there, every step of recall in scikit-learn.
    void sameAsScikitLearn() {
        const QString interpreter = python(QStringLiteral("sklearn.metrics, sklearn.calibration"));
        if (interpreter.isEmpty())
            QSKIP("python3-sklearn is not installed: precision, recall, Brier score and reliability are compared with "
                  "hand values alone");
        Random random(11);
        OverlapScene scene;
        std::vector<Forecast> forecasts;
        QJsonArray confidence, right, probability, happened;
        for (int i = 0; i < 300; ++i) {
            const bool hit = random.uniform() < 0.6;
            scene.confidence.push_back(random.normal() + (hit ? 1.0 : 0.0));
            if (hit) {
                scene.overlaps.push_back({i, static_cast<int>(scene.asked.size()), 0.9});
                scene.asked.push_back(true);
            }
            confidence.append(scene.confidence.back());
            right.append(hit ? 1 : 0);
            const double p = random.uniform();
            forecasts.push_back({p, random.uniform() < p * p});
            probability.append(p);
            happened.append(forecasts.back().happened ? 1 : 0);
        }
        const QJsonObject theirs = answerOf(
            interpreter,
            QStringLiteral("import sys, json, numpy as np\n"
                           "from sklearn.metrics import precision_recall_curve, brier_score_loss\n"
                           "from sklearn.calibration import calibration_curve\n"
                           "d = json.load(open(sys.argv[1]))\n"
                           "p, r, t = precision_recall_curve(d['right'], d['confidence'])\n"
                           "f, m = calibration_curve(d['happened'], d['probability'], n_bins=10)\n"
                           "print(json.dumps({'precision': list(np.maximum.accumulate(p[:-1])[::-1]),"
                           " 'recall': list(r[:-1][::-1]), 'brier': brier_score_loss(d['happened'], d['probability']),"
                           " 'frequency': list(f), 'mean': list(m)}))"),
            {{QStringLiteral("confidence"), confidence},
             {QStringLiteral("right"), right},
             {QStringLiteral("probability"), probability},
             {QStringLiteral("happened"), happened}});
        const QJsonArray recall = theirs[QStringLiteral("recall")].toArray(),
                         precision = theirs[QStringLiteral("precision")].toArray();
        const PrecisionRecallCurve ours = PrecisionRecall({scene}, 0.5).curve();
        QCOMPARE(static_cast<qsizetype>(ours.recall.size()), recall.size());
        for (qsizetype i = 0; i < recall.size(); ++i) {
            QVERIFY(near(ours.recall[static_cast<size_t>(i)], recall[i].toDouble()));
            QVERIFY(near(ours.precision[static_cast<size_t>(i)], precision[i].toDouble()));
        }
        const Reliability r = reliabilityOf(forecasts);
        QVERIFY(near(r.brier, theirs[QStringLiteral("brier")].toDouble()));
        for (int k = 0; k < 10; ++k) {
            QVERIFY(near(r.bins[static_cast<size_t>(k)].frequency,
                         theirs[QStringLiteral("frequency")].toArray()[k].toDouble()));
            QVERIFY(near(r.bins[static_cast<size_t>(k)].meanProbability,
                         theirs[QStringLiteral("mean")].toArray()[k].toDouble()));
        }
    }
};

QTEST_APPLESS_MAIN(TestMetricValues)
#include "tst_MetricValues.moc"
