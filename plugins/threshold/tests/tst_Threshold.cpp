#include "core/Random.h"
#include "detect/Detector.h"
#include "io/SceneReader.h"
#include "jobs/Progress.h"
#include "method/Registry.h"
#include "support/TestData.h"

#include <QDir>
#include <QTest>
#include <cmath>

using namespace blendscope;

namespace {

struct Source {
    double x, y, flux;
};

/// Point sources through a Gaussian PSF in white noise of sigma 1.
Scene makeScene(int width, int height, int bands, const std::vector<Source>& sources, std::uint64_t seed,
                double fwhm = 3.5) {
    Scene scene;
    scene.size = {width, height};
    scene.pixelScale = 0.2;
    const double s = fwhm / 2.3548;
    cv::Mat psf(25, 25, CV_32F);
    for (int y = 0; y < 25; ++y) {
        for (int x = 0; x < 25; ++x) {
            psf.at<float>(y, x) = float(std::exp(-0.5 * ((x - 12) * (x - 12) + (y - 12) * (y - 12)) / (s * s)));
        }
    }
    psf /= cv::sum(psf)[0];
    for (int b = 0; b < bands; ++b) {
        Random random(seed, b);
        cv::Mat image(height, width, CV_32F);
        for (int y = 0; y < height; ++y) {
            for (int x = 0; x < width; ++x) {
                image.at<float>(y, x) = float(random.normal());
            }
        }
        for (const Source& o : sources) {
            for (int y = std::max(0, int(o.y) - 20); y < std::min(height, int(o.y) + 21); ++y) {
                for (int x = std::max(0, int(o.x) - 20); x < std::min(width, int(o.x) + 21); ++x) {
                    const double r2 = (x - o.x) * (x - o.x) + (y - o.y) * (y - o.y);
                    image.at<float>(y, x) += float(o.flux / (2.0 * M_PI * s * s) * std::exp(-0.5 * r2 / (s * s)));
                }
            }
        }
        Band band;
        band.name = QString(QLatin1Char(char('a' + b)));
        band.image = std::make_shared<MemoryPlane>(image);
        band.variance = std::make_shared<ConstantPlane>(scene.size, 1.0f);
        band.psf.image = psf;
        band.psf.fwhmPixels = fwhm;
        band.psf.origin = Psf::Origin::Given;
        scene.bands.push_back(band);
    }
    return scene;
}

/// Flux at which a point source has S/N n in one band of makeScene.
double fluxOf(double n, double fwhm = 3.5) {
    return n * std::sqrt(4.0 * M_PI) * fwhm / 2.3548;
}

Result detect(const Scene& scene, const DetectorOptions& options = {}) {
    Result result;
    Progress progress;
    Detector(options).run(scene, result, progress, [](const QString&) {});
    return result;
}

std::vector<Peak> peaksOf(const Result& result) {
    std::vector<Peak> all;
    for (const Footprint& f : result.footprints) {
        all.insert(all.end(), f.peaks.begin(), f.peaks.end());
    }
    return all;
}

double nearest(const std::vector<Peak>& peaks, double x, double y) {
    double best = 1e9;
    for (const Peak& p : peaks) {
        best = std::min(best, std::hypot(p.x - x, p.y - y));
    }
    return best;
}

} // namespace

class TestThreshold : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void runsAsMethod() {
        const Registry registry;
        const MethodInfo* info = registry.find(QStringLiteral("threshold"));
        QVERIFY(info);
        QVERIFY2(info->problem.isEmpty(), qPrintable(info->problem));
        QVERIFY(info->does(QStringLiteral("detect")));
        const Scene scene = makeScene(80, 60, 2, {{30, 30, fluxOf(50)}}, 1);
        Parameters parameters(info->parameters);
        Progress progress;
        MethodContext context;
        context.progress = &progress;
        context.warn = [](const QString&) {};
        const Result result = registry.create(QStringLiteral("threshold"))->run(scene, {}, parameters, context);
        QCOMPARE(result.footprints.size(), std::size_t(1));
        QCOMPARE(result.sky.size(), std::size_t(2));
        // The settings that method.json names are those that the engine has by default.
        const Result plain = detect(scene);
        QCOMPARE(plain.footprints.size(), std::size_t(1));
        QCOMPARE(plain.footprints[0].area(), result.footprints[0].area());
        QCOMPARE(plain.footprints[0].peaks[0].x, result.footprints[0].peaks[0].x);
        progress.token().cancel();
        QVERIFY_EXCEPTION_THROWN(registry.create(QStringLiteral("threshold"))->run(scene, {}, parameters, context),
                                 CancelledError);
    }

    void noiseGivesNothing_data() {
        QTest::addColumn<int>("combine");
        QTest::newRow("weighted") << int(DetectionImageOptions::Combine::Weighted);
        QTest::newRow("equal") << int(DetectionImageOptions::Combine::Equal);
        QTest::newRow("chi2") << int(DetectionImageOptions::Combine::ChiSquare);
    }
    void noiseGivesNothing() {
        QFETCH(int, combine);
        DetectorOptions options;
        options.image.combine = DetectionImageOptions::Combine(combine);
        QCOMPARE(peaksOf(detect(makeScene(600, 600, 3, {}, 6), options)).size(), std::size_t(0));
        // At a lower threshold false alarms appear about as often as Gaussian statistics say: there are some 15 000
        // independent pixels, and maxima of noise are a few times as frequent.
        options.threshold = 3.5;
        const std::size_t n = peaksOf(detect(makeScene(600, 600, 3, {}, 5), options)).size();
        QVERIFY2(n >= 1 && n < 80, qPrintable(QString::number(n)));
    }

    void completenessFollowsSignal() {
        for (const auto& [snr, least, most] : {std::tuple{3.0, 0.0, 0.15}, {5.0, 0.3, 0.8}, {8.0, 0.97, 1.0}}) {
            std::vector<Source> sources;
            Random random(9);
            for (int j = 0; j < 12; ++j) {
                for (int i = 0; i < 12; ++i) {
                    // Two bands: each holds 1 / sqrt 2 of the signal to noise.
                    sources.push_back({20 + 40.0 * i + random.uniform(), 20 + 40.0 * j + random.uniform(),
                                       fluxOf(snr / std::sqrt(2.0))});
                }
            }
            const std::vector<Peak> peaks = peaksOf(detect(makeScene(500, 500, 2, sources, 10)));
            int found = 0;
            for (const Source& s : sources) {
                found += nearest(peaks, s.x, s.y) < 2.5;
            }
            const double share = found / 144.0;
            QVERIFY2(share >= least && share <= most, qPrintable(QStringLiteral("%1: %2").arg(snr).arg(share)));
        }
    }

    void positionsAreGood() {
        std::vector<Source> sources;
        Random random(11);
        for (int i = 0; i < 49; ++i) {
            sources.push_back(
                {25 + 40.0 * (i % 7) + random.uniform(), 25 + 40.0 * (i / 7) + random.uniform(), fluxOf(50)});
        }
        const std::vector<Peak> peaks = peaksOf(detect(makeScene(300, 300, 1, sources, 12)));
        QCOMPARE(peaks.size(), sources.size());
        double sum = 0.0;
        for (const Source& s : sources) {
            sum += std::pow(nearest(peaks, s.x, s.y), 2);
        }
        // The bound for S/N 50 is 0.03 px in each coordinate; parabolas on pixels lose some.
        QVERIFY2(std::sqrt(sum / 49.0) < 0.2, qPrintable(QString::number(std::sqrt(sum / 49.0))));
    }

    void closePairs() {
        // 1.2 FWHM apart: one maximum in the filtered image, two sources in the sky.
        const double d = 1.2 * 3.5;
        int pairs = 0, singles = 0;
        for (int trial = 0; trial < 10; ++trial) {
            const Scene pair = makeScene(80, 80, 2, {{38, 40, fluxOf(60)}, {38 + d, 40, fluxOf(45)}}, 100 + trial);
            const std::vector<Peak> peaks = peaksOf(detect(pair));
            pairs += peaks.size() == 2 && nearest(peaks, 38, 40) < 1.5 && nearest(peaks, 38 + d, 40) < 1.5;
            singles += peaksOf(detect(makeScene(80, 80, 2, {{40.3, 39.8, fluxOf(300)}}, 200 + trial))).size() == 1;
        }
        QVERIFY2(pairs >= 8, qPrintable(QString::number(pairs)));
        QCOMPARE(singles, 10);
        DetectorOptions plain;
        plain.sharpen = false;
        QCOMPARE(
            peaksOf(detect(makeScene(80, 80, 2, {{38, 40, fluxOf(60)}, {38 + d, 40, fluxOf(45)}}, 100), plain)).size(),
            std::size_t(1));
    }

    void sameForAnyNumberOfThreads() {
        std::vector<Source> sources;
        Random random(13);
        for (int i = 0; i < 60; ++i) {
            sources.push_back({random.uniform(0, 200), random.uniform(0, 200), fluxOf(random.uniform(5, 200))});
        }
        const Scene scene = makeScene(200, 200, 2, sources, 14);
        DetectorOptions one;
        one.threads = 1;
        const Result a = detect(scene, one), b = detect(scene);
        QCOMPARE(a.footprints.size(), b.footprints.size());
        for (std::size_t i = 0; i < a.footprints.size(); ++i) {
            QCOMPARE(a.footprints[i].area(), b.footprints[i].area());
            QCOMPARE(a.footprints[i].peaks.size(), b.footprints[i].peaks.size());
            for (std::size_t k = 0; k < a.footprints[i].peaks.size(); ++k) {
                QCOMPARE(a.footprints[i].peaks[k].x, b.footprints[i].peaks[k].x);
                QCOMPARE(a.footprints[i].peaks[k].significance, b.footprints[i].peaks[k].significance);
                if (k) QVERIFY(a.footprints[i].peaks[k].significance <= a.footprints[i].peaks[k - 1].significance);
            }
        }
    }

    void oddScenes() {
        const float nan = std::numeric_limits<float>::quiet_NaN();
        for (const cv::Size size :
             {cv::Size(1, 1), cv::Size(1, 40), cv::Size(40, 1), cv::Size(5, 3), cv::Size(64, 64)}) {
            for (const float value : {0.0f, 7.0f, nan, 1e38f}) {
                Scene scene = makeScene(size.width, size.height, 2, {}, 3);
                scene.bands[0].image = std::make_shared<MemoryPlane>(cv::Mat(size, CV_32F, cv::Scalar(value)));
                scene.bands[1].psf = Psf();
                detect(scene);
                scene.bands[1].variance = std::make_shared<ConstantPlane>(size, value);
                detect(scene);
                scene.bands[0].variance = std::make_shared<ConstantPlane>(size, 0.0f);
                detect(scene);
            }
        }
        QVERIFY(detect(Scene()).footprints.empty());
    }

    void holesAndSaturation() {
        // A saturated star with a bleed trail, masked: one peak on the star, none along the trail.
        Scene scene = makeScene(120, 120, 2, {{60, 60, fluxOf(3000)}, {20, 20, fluxOf(40)}}, 21);
        for (Band& band : scene.bands) {
            cv::Mat image = band.image->readAll().clone(), mask = cv::Mat::zeros(image.size(), CV_32S);
            for (const cv::Rect& r : {cv::Rect(57, 57, 7, 7), cv::Rect(59, 20, 3, 80)}) {
                image(r).setTo(5000.0f);
                mask(r).setTo(2);
            }
            image(cv::Rect(90, 90, 12, 12)).setTo(std::numeric_limits<float>::quiet_NaN());
            band.image = std::make_shared<MemoryPlane>(image);
            band.mask = std::make_shared<MemoryPlane>(mask);
            band.maskNames.insert(QStringLiteral("SAT"), 1);
        }
        const std::vector<Peak> peaks = peaksOf(detect(scene));
        QVERIFY(nearest(peaks, 60, 60) < 2.0);
        QVERIFY(nearest(peaks, 20, 20) < 1.0);
        QVERIFY2(peaks.size() <= 4, qPrintable(QString::number(peaks.size())));
    }

    void correlatedNoiseIsNoticed() {
        Scene scene = makeScene(400, 400, 1, {}, 31);
        cv::Mat image = scene.bands[0].image->readAll().clone(), smooth(image.size(), CV_32F, cv::Scalar(0.0f));
        for (int y = 1; y < 400; ++y) {
            for (int x = 1; x < 400; ++x) {
                smooth.at<float>(y, x) = 0.5f * (image.at<float>(y, x) + image.at<float>(y - 1, x) +
                                                 image.at<float>(y, x - 1) + image.at<float>(y - 1, x - 1));
            }
        }
        scene.bands[0].image = std::make_shared<MemoryPlane>(smooth); // variance 1 still, but neighbours agree
        QVERIFY(peaksOf(detect(scene)).size() <= 1);
    }

    void skyIsTakenOffWhereThereIsOne() {
        Scene scene = makeScene(300, 300, 1, {{100, 100, fluxOf(40)}}, 42);
        QVERIFY(detect(scene).sky[0]->isZero());
        scene.bands[0].image = std::make_shared<MemoryPlane>(scene.bands[0].image->readAll() + 500.0f);
        const Result result = detect(scene);
        QVERIFY(!result.sky[0]->isZero());
        QCOMPARE(peaksOf(result).size(), std::size_t(1));
    }

    void blendsOfTheSharedSet() {
        const QString folder = blendscope::test::sharedData(QStringLiteral("btk/stamps"));
        if (folder.isEmpty()) QSKIP(blendscope::test::sharedDataMissing());
        // Whole blends found, as position matches within half a FWHM (at least 2 px), nearest pairs first.
        int blends = 0, whole = 0, spurious = 0;
        for (const QString& name : QDir(folder).entryList({QStringLiteral("*.fits.gz")}, QDir::Files, QDir::Name)) {
            const ScenePtr scene = openScenes({folder + QLatin1Char('/') + name}).front();
            QVERIFY(scene->truth);
            const std::vector<Peak> peaks = peaksOf(detect(*scene));
            std::vector<const TruthObject*> wanted;
            for (const TruthObject& t : scene->truth->objects) {
                if (t.columns.value(QStringLiteral("snr_det")) >= 10.0) wanted.push_back(&t);
            }
            const double radius =
                std::max(2.0, 0.5 * scene->bands[scene->bandIndex(QStringLiteral("i"))].psf.fwhmPixels);
            std::vector<std::tuple<double, std::size_t, std::size_t>> pairs;
            for (std::size_t i = 0; i < wanted.size(); ++i) {
                for (std::size_t k = 0; k < peaks.size(); ++k) {
                    pairs.emplace_back(std::hypot(peaks[k].x - wanted[i]->x, peaks[k].y - wanted[i]->y), i, k);
                }
            }
            std::sort(pairs.begin(), pairs.end());
            std::vector<char> has(wanted.size(), 0), used(peaks.size(), 0);
            for (const auto& [distance, i, k] : pairs) {
                if (distance > radius || has[i] || used[k]) continue;
                has[i] = used[k] = 1;
            }
            for (const Peak& p : peaks) {
                double near = 1e9;
                for (const TruthObject& t : scene->truth->objects) {
                    near = std::min(near, std::hypot(t.x - p.x, t.y - p.y));
                }
                spurious += near > 7.0;
            }
            if (wanted.size() < 2) continue;
            ++blends;
            whole += std::count(has.begin(), has.end(), 1) == std::ptrdiff_t(wanted.size());
        }
        QVERIFY(blends > 100);
        QVERIFY2(whole >= 0.38 * blends, qPrintable(QStringLiteral("%1 of %2").arg(whole).arg(blends)));
        QVERIFY2(spurious <= 2, qPrintable(QString::number(spurious)));
    }
};

QTEST_APPLESS_MAIN(TestThreshold)
#include "tst_Threshold.moc"
