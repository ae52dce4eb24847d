#include "core/Random.h"
#include "method/Method.h"
#include "method/Registry.h"

#include <QFile>
#include <QTest>
#include <chrono>
#include <cmath>

using namespace blendscope;

namespace {

/// Round sources on noise, in every band.
Scene makeScene(cv::Size size, int bands, const std::vector<cv::Point2d>& sources, std::uint64_t seed = 1) {
    Scene scene;
    scene.id = QStringLiteral("suite");
    scene.size = size;
    scene.pixelScale = 0.2;
    for (int b = 0; b < bands; ++b) {
        Random random(seed, static_cast<std::uint64_t>(b));
        cv::Mat image(size, CV_32F);
        for (int y = 0; y < size.height; ++y) {
            for (int x = 0; x < size.width; ++x) {
                double v = random.normal();
                for (size_t k = 0; k < sources.size(); ++k) {
                    const double r2 = std::pow(x - sources[k].x, 2) + std::pow(y - sources[k].y, 2);
                    v += (60.0 + 15.0 * double(k) + 5.0 * b) * std::exp(-r2 / (2.0 * 2.2 * 2.2));
                }
                image.at<float>(y, x) = static_cast<float>(v);
            }
        }
        Band band;
        band.name = QStringLiteral("b%1").arg(b);
        band.image = std::make_shared<MemoryPlane>(image);
        band.variance = std::make_shared<ConstantPlane>(size, 1.0f);
        band.psf = Psf::gaussian(3.5, Psf::Origin::Given);
        band.zeroPoint = 30.0;
        band.skySubtracted = true;
        scene.bands.push_back(band);
    }
    return scene;
}

/// What a detector would say: all pixels near a source, in one footprint where they touch.
Result detected(const Scene& scene, const std::vector<cv::Point2d>& sources) {
    Result result;
    result.sceneId = scene.id;
    result.bands = scene.bandNames();
    cv::Mat mask = cv::Mat::zeros(scene.size, CV_8U);
    for (const cv::Point2d& s : sources) {
        for (int y = 0; y < mask.rows; ++y) {
            for (int x = 0; x < mask.cols; ++x) {
                if (std::hypot(x - s.x, y - s.y) < 7.0) mask.at<uchar>(y, x) = 255;
            }
        }
    }
    Footprint footprint = Footprint::fromMask(mask, 0, 0);
    footprint.id = 1;
    for (const cv::Point2d& s : sources) {
        footprint.peaks.push_back({s.x, s.y, 50.0f, -1});
    }
    if (!footprint.spans.empty()) result.footprints.push_back(footprint);
    return result;
}

const std::vector<cv::Point2d> kPair = {{20.0, 24.0}, {28.0, 26.0}};

struct Run {
    Result result;
    QStringList warnings;
};

Run runMethod(const MethodInfo& info, const Registry& registry, const Scene& scene,
              const std::vector<cv::Point2d>& sources, int threads = 0, const CancelToken& token = {}) {
    const std::unique_ptr<Method> method = registry.create(info.id);
    Progress progress(token);
    Run run;
    MethodContext context;
    context.progress = &progress;
    context.threads = threads;
    context.folder = info.folder;
    context.warn = [&](const QString& sentence) { run.warnings << sentence; };
    Result input;
    input.sceneId = scene.id;
    input.bands = scene.bandNames();
    if (!info.does(QStringLiteral("detect"))) input = detected(scene, sources);
    run.result = method->run(scene, std::move(input), Parameters(info.parameters), context);
    return run;
}

/// A method may refuse input in words; anything else that it throws is a fault.
bool survives(const MethodInfo& info, const Registry& registry, const Scene& scene,
              const std::vector<cv::Point2d>& sources, Run* run = nullptr) {
    try {
        Run own = runMethod(info, registry, scene, sources);
        if (run) *run = std::move(own);
        return true;
    } catch (const Error& e) {
        qInfo("%s refuses: %s", qPrintable(info.id), e.what());
        return !e.message().isEmpty();
    }
}

/// `share`: of a value by which it may differ; 0 = bit for bit.
bool sameResults(const Result& a, const Result& b, double share = 0.0) {
    const auto same = [&](double u, double v) {
        return u == v || (std::isnan(u) && std::isnan(v)) || std::abs(u - v) <= share * (1.0 + std::abs(u));
    };
    if (a.objects.size() != b.objects.size() || a.footprints.size() != b.footprints.size() ||
        a.components.size() != b.components.size()) {
        return false;
    }
    for (size_t i = 0; i < a.objects.size(); ++i) {
        const Object &p = a.objects[i], &q = b.objects[i];
        if (p.id != q.id || !same(p.x, q.x) || !same(p.y, q.y) || p.flags != q.flags ||
            p.bands.size() != q.bands.size()) {
            return false;
        }
        for (size_t k = 0; k < p.bands.size(); ++k) {
            if (!same(double(p.bands[k].flux), double(q.bands[k].flux))) return false;
        }
    }
    for (size_t i = 0; i < a.footprints.size(); ++i) {
        const Footprint &p = a.footprints[i], &q = b.footprints[i];
        if (p.area() != q.area() || p.peaks.size() != q.peaks.size()) return false;
        for (size_t k = 0; k < p.peaks.size(); ++k) {
            if (!same(p.peaks[k].x, q.peaks[k].x) || !same(p.peaks[k].y, q.peaks[k].y)) return false;
        }
    }
    for (size_t i = 0; i < a.components.size(); ++i) {
        for (size_t k = 0; k < a.components[i].model.size(); ++k) {
            const cv::Mat &u = a.components[i].model[k], &v = b.components[i].model[k];
            if (u.size() != v.size()) return false;
            if (cv::norm(u, v, cv::NORM_INF) > share * (1.0 + cv::norm(u, cv::NORM_INF))) return false;
        }
    }
    return true;
}

} // namespace

Q_DECLARE_METATYPE(blendscope::MethodInfo)

/// What every method must be able to do, whatever it is for; run for each installed one.
class TestMethodSuite : public QObject {
    Q_OBJECT
    Registry m_registry;

    /// `run`: only those that can; a method that is still to be trained cannot.
    void everyMethod(bool run = true) {
        QTest::addColumn<MethodInfo>("info");
        for (const MethodInfo& info : m_registry.methods()) {
            if (run && info.trainable && !QFile::exists(info.folder + QStringLiteral("/model/card.json"))) {
                qInfo("%s comes without a model and is not run", qPrintable(info.id));
                continue;
            }
            QTest::newRow(qPrintable(info.id)) << info;
        }
        QVERIFY2(!m_registry.methods().empty(), "no methods are built");
    }

private Q_SLOTS:
    void metadata_data() { everyMethod(false); }
    void metadata() {
        QFETCH(MethodInfo, info);
        QCOMPARE(info.problem, QString());
        QVERIFY(!info.title.isEmpty());
        QVERIFY(info.description.size() > 20);
        QVERIFY(!info.version.isEmpty());
        QVERIFY(!info.stages.isEmpty());
        QVERIFY(info.minBands >= 1);
        QVERIFY(m_registry.create(info.id) != nullptr);
        for (const ParameterInfo& p : info.parameters) {
            QVERIFY2(!p.key.isEmpty() && !p.title.isEmpty() && !p.help.isEmpty(), qPrintable(p.key));
            QVERIFY2(p.type != ParameterInfo::Type::Choice || p.choices.size() >= 2, qPrintable(p.key));
        }
    }

    void parametersOutOfRangeAreRefused_data() { everyMethod(false); }
    void parametersOutOfRangeAreRefused() {
        QFETCH(MethodInfo, info);
        Parameters parameters(info.parameters);
        QVERIFY_EXCEPTION_THROWN(parameters.set(QStringLiteral("NO_SUCH_PARAMETER"), 1), UsageError);
        for (const ParameterInfo& p : info.parameters) {
            if (p.minimum.isValid()) {
                QVERIFY_EXCEPTION_THROWN(parameters.set(p.key, p.minimum.toDouble() - 1.0), UsageError);
                parameters.set(p.key, p.minimum);
            }
            if (p.maximum.isValid()) {
                QVERIFY_EXCEPTION_THROWN(parameters.set(p.key, p.maximum.toDouble() + 1.0), UsageError);
                parameters.set(p.key, p.maximum);
            }
            if (p.type != ParameterInfo::Type::Text) {
                QVERIFY_EXCEPTION_THROWN(parameters.set(p.key, QStringLiteral("nonsense?")), UsageError);
            }
            parameters.set(p.key, p.defaultValue);
        }
    }

    void oddScenes_data() { everyMethod(); }
    void oddScenes() {
        QFETCH(MethodInfo, info);
        for (const cv::Size size : {cv::Size(1, 1), cv::Size(2, 2), cv::Size(5, 4), cv::Size(60, 1), cv::Size(1, 60)}) {
            const std::vector<cv::Point2d> middle = {{(size.width - 1) / 2.0, (size.height - 1) / 2.0}};
            QVERIFY2(survives(info, m_registry, makeScene(size, std::max(2, info.minBands), middle), middle),
                     qPrintable(QStringLiteral("%1 x %2").arg(size.width).arg(size.height)));
        }
        for (const int bands : {1, 30}) {
            Run run;
            const Scene scene = makeScene({48, 48}, bands, kPair);
            QVERIFY2(survives(info, m_registry, scene, kPair, &run), qPrintable(QString::number(bands)));
            for (const Component& c : run.result.components) {
                QCOMPARE(c.model.size(), size_t(bands));
            }
        }
    }

    void emptyScene_data() { everyMethod(); }
    void emptyScene() {
        QFETCH(MethodInfo, info);
        Run run;
        QVERIFY(survives(info, m_registry, makeScene({64, 64}, std::max(2, info.minBands), {}), {}, &run));
        // A chance peak in pure noise may happen; a catalogue of noise may not.
        QVERIFY(run.result.objects.size() <= 2 && run.result.footprints.size() <= 2);
    }

    void unusablePixels_data() { everyMethod(); }
    void unusablePixels() {
        QFETCH(MethodInfo, info);
        for (const double share : {0.3, 1.0}) {
            Scene scene = makeScene({48, 48}, std::max(2, info.minBands), kPair);
            for (size_t b = 0; b < scene.bands.size(); ++b) {
                cv::Mat image = scene.bands[b].image->read(scene.box()).clone();
                cv::Mat variance(image.size(), CV_32F, cv::Scalar(1.0));
                Random random(9, b);
                for (int y = 0; y < image.rows; ++y) {
                    for (int x = 0; x < image.cols; ++x) {
                        if (random.uniform() < share) image.at<float>(y, x) = kNan;
                        if (random.uniform() < 0.1) variance.at<float>(y, x) = b % 2 ? 0.0f : -1.0f;
                    }
                }
                scene.bands[b].image = std::make_shared<MemoryPlane>(image);
                scene.bands[b].variance = std::make_shared<MemoryPlane>(variance);
            }
            Run run;
            QVERIFY2(survives(info, m_registry, scene, kPair, &run), qPrintable(QString::number(share)));
            for (const Component& c : run.result.components) {
                for (const cv::Mat& model : c.model) {
                    QVERIFY2(cv::checkRange(model), "a model holds NaN");
                }
            }
        }
    }

    void cancelAtOnce_data() { everyMethod(); }
    void cancelAtOnce() {
        QFETCH(MethodInfo, info);
        CancelToken token;
        token.cancel();
        const Scene scene = makeScene({200, 200}, std::max(2, info.minBands), kPair);
        const auto start = std::chrono::steady_clock::now();
        try {
            // A deblender may return what it has, which is nothing.
            const Run run = runMethod(info, m_registry, scene, kPair, 0, token);
            QVERIFY(!run.result.complete || run.result.objects.empty());
        } catch (const CancelledError&) {
        }
        const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        // Cancelling answers in 0.2 s; the rest is for a loaded machine.
        QVERIFY2(seconds < 1.0, qPrintable(QString::number(seconds)));
    }

    void sameForAnyNumberOfThreads_data() { everyMethod(); }
    void sameForAnyNumberOfThreads() {
        QFETCH(MethodInfo, info);
        const Scene scene = makeScene({64, 64}, std::max(3, info.minBands), kPair);
        const Result first = runMethod(info, m_registry, scene, kPair, 1).result;
        QVERIFY(sameResults(first, runMethod(info, m_registry, scene, kPair, 1).result));
        // LibTorch adds up in another order with another number of threads.
        const double share = info.device ? 1e-3 : 0.0;
        QVERIFY(sameResults(first, runMethod(info, m_registry, scene, kPair, 2).result, share));
        QVERIFY(sameResults(first, runMethod(info, m_registry, scene, kPair, 4).result, share));
    }

    void fluxIsConserved_data() { everyMethod(); }
    void fluxIsConserved() {
        QFETCH(MethodInfo, info);
        const Scene scene = makeScene({48, 48}, std::max(3, info.minBands), kPair);
        const Result result = runMethod(info, m_registry, scene, kPair).result;
        // Only a method that deblends divides flux.
        QCOMPARE(result.components.empty(), !info.does(QStringLiteral("deblend")));
        for (const Blend& blend : result.blends) {
            const Footprint* footprint = result.footprint(blend.id);
            QVERIFY(footprint);
            for (size_t b = 0; b < scene.bands.size(); ++b) {
                cv::Mat sum = cv::Mat::zeros(scene.size, CV_32F);
                for (const int id : blend.objects) {
                    const Component* c = result.component(id);
                    QVERIFY(c);
                    cv::Mat view = sum(c->box.rect());
                    view += c->share[b];
                }
                cv::Mat data = scene.bands[b].image->read(scene.box()).clone();
                if (b < result.sky.size() && result.sky[b]) data -= result.sky[b]->level(scene.box());
                for (const Span& span : footprint->spans) {
                    for (int x = span.x0; x < span.x1; ++x) {
                        const float want = data.at<float>(span.y, x);
                        QVERIFY2(std::abs(sum.at<float>(span.y, x) - want) <= 1e-4f * (10.0f + std::abs(want)),
                                 qPrintable(QStringLiteral("%1,%2").arg(x).arg(span.y)));
                    }
                }
            }
        }
    }

    void findsWhatIsThere_data() { everyMethod(); }
    void findsWhatIsThere() {
        QFETCH(MethodInfo, info);
        const Scene scene = makeScene({48, 48}, std::max(3, info.minBands), kPair);
        const Result result = runMethod(info, m_registry, scene, kPair).result;
        if (info.does(QStringLiteral("detect"))) {
            size_t peaks = 0;
            for (const Footprint& f : result.footprints) {
                peaks += f.peaks.size();
            }
            QVERIFY(peaks >= 1);
        }
        if (info.does(QStringLiteral("deblend"))) {
            QCOMPARE(result.objects.size(), kPair.size());
            // What detects by itself says in which order.
            const bool turned = std::hypot(result.objects[0].x - kPair[1].x, result.objects[0].y - kPair[1].y) < 3.0;
            QVERIFY(!turned || info.does(QStringLiteral("detect")));
            for (size_t k = 0; k < kPair.size(); ++k) {
                const Object& object = result.objects[turned ? 1 - k : k];
                QVERIFY(std::hypot(object.x - kPair[k].x, object.y - kPair[k].y) < 3.0);
                QVERIFY(object.bands.at(0).flux > 0.0f);
            }
        }
    }
};

QTEST_GUILESS_MAIN(TestMethodSuite)
#include "tst_MethodSuite.moc"
