#include "core/Random.h"
#include "method/BlendMethod.h"
#include "method/Pipeline.h"
#include "method/Registry.h"
#include "method/SearchSteps.h"
#include "support/BlendSupport.h"
#include "support/SyntheticScene.h"

#include <QTest>
#include <algorithm>
#include <cmath>

using namespace blendscope;
using namespace blendscope::test;

namespace {

constexpr double kPsfSigma = 1.6;
constexpr double kFwhm = 2.3548 * kPsfSigma;
constexpr int kSize = 60;

/// Galaxies of the given spectra, three bands.
struct Source {
    Galaxy galaxy;
    std::vector<double> flux;
};

std::vector<cv::Mat> draw(const std::vector<Source>& sources, int size = kSize) {
    std::vector<cv::Mat> images;
    for (std::size_t b = 0; b < 3; ++b) {
        cv::Mat image = cv::Mat::zeros(size, size, CV_32F);
        for (const Source& s : sources) {
            Galaxy g = s.galaxy;
            g.flux = s.flux[b];
            image += drawGalaxy(g, image.size(), kPsfSigma);
        }
        images.push_back(image);
    }
    return images;
}

Source source(double x, double y, std::vector<double> flux, double radius = 1.6, double index = 1.0, double ratio = 0.8,
              double angle = 30.0) {
    return {{x, y, 1.0, radius, ratio, angle, index}, std::move(flux)};
}

} // namespace

class TestResolve : public QObject {
    Q_OBJECT
    Registry m_registry;
    Parameters m_parameters{std::vector<ParameterInfo>{}};

    BlendOutput run(const BlendInput& input) {
        const std::unique_ptr<Method> method = m_registry.create(QStringLiteral("resolve"));
        Progress progress;
        MethodContext context;
        context.progress = &progress;
        context.warn = [](const QString&) {};
        return dynamic_cast<BlendMethod&>(*method).deblend(input, m_parameters, context);
    }

    BlendOutput run(const std::vector<Source>& sources, const std::vector<Peak>& peaks, std::uint64_t seed) {
        BlendCase blend;
        Random noise(seed);
        makeBlend(blend, draw(sources), 5.0, 1.0, kPsfSigma, peaks, &noise);
        return run(blend.input);
    }

    static Peak at(double x, double y, int position = -1) { return {x + 10.0, y + 20.0, 50.0f, position}; }

private Q_SLOTS:
    void initTestCase() {
        for (const MethodInfo& info : m_registry.methods()) {
            if (info.id == QLatin1String("resolve")) m_parameters = Parameters(info.parameters);
        }
    }

    void findsAPairCloserThanThePsf() {
        // 0.6 FWHM apart, of two colours: there is one peak, between them.
        const double d = 0.3 * kFwhm;
        const std::vector<Source> pair = {source(30.0 - d, 30.2, {6000.0, 8000.0, 9000.0}),
                                          source(30.0 + d, 30.2, {7000.0, 5000.0, 4000.0}, 1.3, 1.0, 1.0)};
        int found = 0;
        for (std::uint64_t seed = 1; seed <= 5; ++seed) {
            const BlendOutput output = run(pair, {at(30.0, 30.0)}, seed);
            if (output.children.size() != 2) continue;
            ++found;
            for (const Source& s : pair) {
                double nearest = 99.0;
                for (const BlendOutput::Child& c : output.children) {
                    nearest = std::min(nearest, std::hypot(c.peak.x - 10.0 - s.galaxy.x, c.peak.y - 20.0 - s.galaxy.y));
                }
                QVERIFY2(nearest < 0.7, qPrintable(QString::number(nearest)));
            }
            QVERIFY(output.children[1].extra.value(QStringLiteral("chi2_gain")) > 50.0);
            QCOMPARE(output.candidates.at(0).object, 2);
            QVERIFY(!output.candidates.at(0).reason.isEmpty());
        }
        QVERIFY2(found >= 4, qPrintable(QString::number(found)));
    }

    void leavesSingleGalaxiesWhole_data() {
        QTest::addColumn<double>("index");
        QTest::addColumn<double>("radius");
        QTest::addColumn<double>("ratio");
        QTest::addColumn<double>("flux");
        QTest::newRow("exponential") << 1.0 << 3.0 << 0.6 << 20000.0;
        QTest::newRow("small") << 1.0 << 0.8 << 0.9 << 20000.0;
        QTest::newRow("edge-on") << 1.0 << 6.0 << 0.15 << 30000.0;
        QTest::newRow("flat") << 0.5 << 3.0 << 0.5 << 20000.0;
        QTest::newRow("Sersic 2.5") << 2.5 << 3.0 << 0.7 << 20000.0;
        QTest::newRow("de Vaucouleurs") << 4.0 << 3.0 << 0.7 << 20000.0;
        QTest::newRow("bright") << 1.0 << 3.0 << 0.6 << 200000.0;
        QTest::newRow("star") << 0.0 << 1.0 << 1.0 << 20000.0;
    }
    void leavesSingleGalaxiesWhole() {
        QFETCH(double, index);
        QFETCH(double, radius);
        QFETCH(double, ratio);
        QFETCH(double, flux);
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            const std::vector<Source> one = {source(29.7, 30.3, {0.7 * flux, flux, 1.2 * flux}, radius, index, ratio)};
            const BlendOutput output = run(one, {at(30.0, 30.0)}, seed);
            QCOMPARE(output.children.size(), std::size_t(1));
        }
    }

    void knotsAndArmsAreNoNeighbours() {
        // A disk with two arms of knots of its own colour, each two per cent of its light.
        std::vector<Source> galaxy = {source(30.0, 30.0, {14000.0, 20000.0, 24000.0}, 4.0)};
        for (const double side : {-1.0, 1.0}) {
            for (const double r : {2.5, 4.5}) {
                galaxy.push_back(source(30.0 + side * r, 30.0 + side * 0.5 * r, {300.0, 400.0, 450.0}, 0.8));
            }
        }
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            const BlendOutput output = run(galaxy, {at(30.0, 30.0)}, seed);
            const QString why = output.candidates.empty() ? QString() : output.candidates[0].reason;
            QVERIFY2(output.children.size() == 1, qPrintable(why));
        }
    }

    void aKnotThatTheDetectorFoundGoes() {
        // A disk with one knot of its colour, and a peak on each; the same peaks on two galaxies stay.
        const std::vector<Source> knotted = {source(30.0, 30.0, {28000.0, 40000.0, 48000.0}, 4.0),
                                             source(34.0, 32.0, {500.0, 700.0, 800.0}, 0.8)};
        const std::vector<Source> pair = {source(30.0, 30.0, {28000.0, 40000.0, 48000.0}, 4.0),
                                          source(34.0, 32.0, {2000.0, 9000.0, 24000.0}, 1.2)};
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            const BlendOutput whole = run(knotted, {at(30.0, 30.0), at(34.0, 32.0)}, seed);
            QCOMPARE(whole.children.size(), std::size_t(1));
            QVERIFY(!whole.candidates.empty() && whole.candidates[0].object == 0);
            QCOMPARE(run(pair, {at(30.0, 30.0), at(34.0, 32.0)}, seed).children.size(), std::size_t(2));
        }
    }

    void addsNoneToGivenPositions() {
        const std::vector<Source> pair = {source(28.5, 30.0, {6000.0, 8000.0, 9000.0}),
                                          source(31.5, 30.0, {7000.0, 5000.0, 4000.0})};
        const BlendOutput output = run(pair, {at(28.5, 30.0, 0)}, 1);
        QCOMPARE(output.children.size(), std::size_t(1));
        QVERIFY(output.candidates.empty());
    }

    void fluxesOfAPairAreUnbiased() {
        const double d = 0.5 * kFwhm;
        const std::vector<Source> pair = {source(30.0 - d, 30.0, {6000.0, 8000.0, 9000.0}),
                                          source(30.0 + d, 30.0, {7000.0, 5000.0, 4000.0}, 1.3)};
        std::vector<double> error;
        for (std::uint64_t seed = 1; seed <= 6; ++seed) {
            const BlendOutput output = run(pair, {at(30.0, 30.0)}, seed);
            QCOMPARE(output.children.size(), std::size_t(2));
            for (const BlendOutput::Child& c : output.children) {
                const Source& s = pair[c.peak.x < 40.0 ? 0 : 1];
                for (std::size_t b = 0; b < 3; ++b)
                    error.push_back(c.flux[b] / s.flux[b] - 1.0);
            }
        }
        std::nth_element(error.begin(), error.begin() + std::ptrdiff_t(error.size() / 2), error.end());
        const double median = error[error.size() / 2];
        QVERIFY2(std::abs(median) < 0.03, qPrintable(QString::number(median)));
    }

    void fluxErrorsAreTheScatter() {
        // Exponential galaxies, as the model has them, at given positions: only noise is left.
        const std::vector<Source> pair = {source(28.0, 30.0, {6000.0, 8000.0, 9000.0}),
                                          source(32.0, 30.5, {7000.0, 5000.0, 4000.0}, 1.3)};
        std::vector<double> pulls;
        double together = 0.0;
        for (std::uint64_t seed = 1; seed <= 40; ++seed) {
            const BlendOutput output = run(pair, {at(28.0, 30.0, 0), at(32.0, 30.5, 1)}, seed);
            QCOMPARE(output.children.size(), std::size_t(2));
            double both[2] = {0.0, 0.0};
            for (std::size_t k = 0; k < 2; ++k) {
                const BlendOutput::Child& c = output.children[k];
                QCOMPARE(c.fluxErr.size(), std::size_t(3));
                for (std::size_t b = 0; b < 3; ++b)
                    pulls.push_back((c.flux[b] - pair[k].flux[b]) / c.fluxErr[b]);
                both[k] = pulls.back();
            }
            together += both[0] * both[1];
            // What one gains the other loses.
            QVERIFY(!output.covariances.empty());
            QVERIFY(output.covariances[0].covariance[1] < 0.0f);
        }
        QVERIFY2(together < 0.0, qPrintable(QString::number(together)));
        double sum = 0.0, squares = 0.0;
        for (const double p : pulls) {
            sum += p;
            squares += p * p;
        }
        const double mean = sum / double(pulls.size()), width = std::sqrt(squares / double(pulls.size()) - mean * mean);
        QVERIFY2(width > 0.8 && width < 1.2, qPrintable(QString::number(width)));
        QVERIFY2(std::abs(mean) < 0.4, qPrintable(QString::number(mean)));
    }

    void searchCanBeWalkedThrough() {
        // Two blobs of two colours with one peak between them.
        const Scene scene = syntheticScene(
            {80, 80}, 3, {{38.6, 40.0, 2.2, {9000.0, 6000.0, 4000.0}}, {41.6, 40.3, 2.2, {3000.0, 6000.0, 9000.0}}},
            3.0);
        Progress progress;
        const ResultPtr result =
            runPipeline(scene, Pipeline::parse(QStringLiteral("threshold+resolve")), m_registry, progress);
        QCOMPARE(result->blends.size(), std::size_t(1));
        const Blend& blend = result->blends[0];
        QCOMPARE(blend.objects.size(), std::size_t(2));
        const std::vector<SearchStep> steps = searchSteps(scene, *result, blend.id, progress);
        QCOMPARE(steps.size(), std::size_t(2));
        QCOMPARE(steps[0].objects, 1);
        QCOMPARE(steps[0].result->objects.size(), std::size_t(1));
        QCOMPARE(steps[0].added, 0);
        QCOMPARE(steps[1].objects, 2);
        QCOMPARE(steps[1].added, blend.objects[1]);
        QVERIFY(steps[0].chiSquare - steps[1].chiSquare > 50.0);
        for (const SearchStep& step : steps) {
            for (const Component& c : step.result->components)
                QCOMPARE(c.model.size(), std::size_t(3));
        }
    }

    /// One footprint with 42 peaks, searched in groups: no companion is missed, none is made up, fluxes are right.
    void manySourcesInOneFootprint() {
        std::vector<Source> sources;
        std::vector<Peak> peaks;
        int companions = 0;
        for (int k = 0; k < 42; ++k) {
            const double x = 14.0 + 17.0 * (k % 7) + 0.4 * (k % 3), y = 14.0 + 17.0 * double(k / 7) - 0.3 * (k % 2);
            const bool red = k % 2 != 0;
            sources.push_back(
                source(x, y, red ? std::vector<double>{2000, 4000, 7000} : std::vector<double>{5000, 4000, 3500}));
            peaks.push_back(at(x, y));
            if (k % 9 != 4) continue;
            sources.push_back(source(x + 0.75 * kFwhm, y, {6000, 2500, 1200}, 1.2));
            ++companions;
        }
        BlendCase blend;
        Random noise(17);
        makeBlend(blend, draw(sources, 130), 5.0, 1.0, kPsfSigma, peaks, &noise);
        const BlendOutput output = run(blend.input);
        QCOMPARE(companions, 5);
        QCOMPARE(output.children.size(), sources.size());
        int found = 0;
        std::vector<double> ratios;
        for (const Source& s : sources) {
            for (const BlendOutput::Child& c : output.children) {
                if (std::hypot(c.peak.x - 10.0 - s.galaxy.x, c.peak.y - 20.0 - s.galaxy.y) > 1.0) continue;
                ++found;
                ratios.push_back(double(c.flux[1]) / s.flux[1]);
                QVERIFY2(std::abs(double(c.flux[1]) / s.flux[1] - 1.0) < 0.25, // a pair below the PSF shares its noise
                         qPrintable(QStringLiteral("%1, %2: %3")
                                        .arg(s.galaxy.x)
                                        .arg(s.galaxy.y)
                                        .arg(double(c.flux[1]) / s.flux[1])));
                break;
            }
        }
        QCOMPARE(found, int(sources.size()));
        std::sort(ratios.begin(), ratios.end());
        QVERIFY(std::abs(ratios[ratios.size() / 2] - 1.0) < 0.01);
    }

    void survivesGarbage() {
        BlendCase blend;
        Random noise(3);
        makeBlend(blend, draw({source(30.0, 30.0, {6000.0, 8000.0, 9000.0})}), 5.0, 1.0, kPsfSigma,
                  {at(30.0, 30.0), at(2.0, 55.0)}, &noise);
        blend.input.data[0].at<float>(30, 30) = kNan;
        blend.input.weight[1] *= 0.0f;
        blend.input.data[2](cv::Rect(20, 0, 1, kSize)).setTo(1e7f);
        const BlendOutput output = run(blend.input);
        QVERIFY(output.children.size() >= 2 && output.children.size() < 12);
        for (const BlendOutput::Child& c : output.children) {
            for (const cv::Mat& m : c.model)
                QVERIFY(cv::checkRange(m));
        }
    }

    void sameTwice() {
        const std::vector<Source> pair = {source(28.8, 30.0, {6000.0, 8000.0, 9000.0}),
                                          source(31.2, 30.0, {7000.0, 5000.0, 4000.0})};
        const BlendOutput a = run(pair, {at(30.0, 30.0)}, 4), b = run(pair, {at(30.0, 30.0)}, 4);
        QCOMPARE(a.children.size(), b.children.size());
        for (std::size_t k = 0; k < a.children.size(); ++k)
            QVERIFY(a.children[k].flux == b.children[k].flux);
    }
};

QTEST_GUILESS_MAIN(TestResolve)
#include "tst_Resolve.moc"
