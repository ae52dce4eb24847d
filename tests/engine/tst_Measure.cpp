#include "deblend/Apportion.h"
#include "measure/Measure.h"
#include "support/BlendSupport.h"

#include <QTest>
#include <algorithm>
#include <cmath>

using namespace blendscope;

namespace {

struct Measured {
    std::vector<Object> objects;
    Blend blend;
};

Measured measure(const BlendInput& input, const BlendOutput& output) {
    Measured m;
    std::vector<int> ids;
    m.objects.resize(output.children.size());
    for (size_t k = 0; k < output.children.size(); ++k) {
        ids.push_back(static_cast<int>(k) + 1);
        m.objects[k].id = ids.back();
    }
    measureBlend(input, output, apportion(input, output, ids), m.objects, m.blend);
    return m;
}

/// One child that owns the whole footprint, as a hard division gives it.
BlendOutput whole(const BlendInput& input, double x, double y) {
    BlendOutput output;
    BlendOutput::Child child;
    child.peak.x = x;
    child.peak.y = y;
    child.box = input.box;
    for (const cv::Mat& d : input.data) {
        cv::Mat model;
        cv::Mat(cv::max(d, 0.0)).copyTo(model, input.inside);
        child.model.push_back(model.empty() ? cv::Mat(cv::Mat::zeros(d.size(), CV_32F)) : model);
    }
    output.children.push_back(child);
    output.labels = cv::Mat::zeros(input.box.size(), CV_32S);
    output.labels.setTo(1, input.inside);
    return output;
}

BlendOutput::Child templateChild(const BlendInput& input, const cv::Mat& model, double x, double y) {
    BlendOutput::Child child;
    child.peak.x = input.box.x0 + x;
    child.peak.y = input.box.y0 + y;
    child.box = input.box;
    child.model.assign(input.data.size(), model);
    return child;
}

double median(std::vector<double> v) {
    std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
    return v[v.size() / 2];
}

double spread(const std::vector<double>& v) {
    const double mid = median(v);
    std::vector<double> d;
    for (const double x : v) {
        d.push_back(std::abs(x - mid));
    }
    return 1.4826 * median(d);
}

} // namespace

class TestMeasure : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void totalFluxOfIsolatedGalaxies_data() {
        QTest::addColumn<double>("index");
        QTest::addColumn<double>("halfLight");
        QTest::addColumn<double>("axisRatio");
        QTest::addColumn<double>("flux");
        QTest::newRow("disk, S/N 25") << 1.0 << 2.5 << 0.7 << 600.0;
        QTest::newRow("disk, S/N 100") << 1.0 << 2.5 << 0.7 << 6000.0;
        QTest::newRow("edge-on disk") << 1.0 << 4.0 << 0.3 << 3000.0;
        QTest::newRow("star, S/N 50") << 0.0 << 0.0 << 1.0 << 2000.0;
    }
    void totalFluxOfIsolatedGalaxies() {
        QFETCH(double, index);
        QFETCH(double, halfLight);
        QFETCH(double, axisRatio);
        QFETCH(double, flux);
        const double psfSigma = 1.6;
        const cv::Mat image =
            test::drawGalaxy({40.2, 39.7, flux, halfLight, axisRatio, 25.0, index}, {81, 81}, psfSigma);
        Random random(17);
        std::vector<double> offset, pull;
        for (int i = 0; i < 60; ++i) {
            test::BlendCase blend;
            test::makeBlend(blend, {image, image * 0.6}, 1.0, 1.0, psfSigma, {}, &random);
            const BlendInput& in = blend.input;
            const Measured m = measure(in, whole(in, in.box.x0 + 40.0, in.box.y0 + 40.0));
            const BandFlux& f = m.objects[0].bands[0];
            QVERIFY(std::isfinite(f.flux) && f.fluxErr > 0.0f);
            offset.push_back(f.flux / flux - 1.0);
            pull.push_back((f.flux - flux) / f.fluxErr);
        }
        const double noise = spread(offset) / std::sqrt(60.0);
        qInfo("median %+.4f scatter %.4f, pull median %+.2f width %.2f", median(offset), spread(offset), median(pull),
              spread(pull));
        QVERIFY(std::abs(median(offset)) < 0.012 + 3.0 * noise);
        QVERIFY(spread(pull) > 0.6 && spread(pull) < 1.4);
    }

    void shapesOfOneGalaxy() {
        const double psfSigma = 1.5;
        test::BlendCase blend;
        const cv::Mat image = test::drawGalaxy({50.0, 50.0, 40000.0, 4.0, 0.6, 30.0, 1.0}, {101, 101}, psfSigma);
        test::makeBlend(blend, {image}, 1.0, 0.0, psfSigma, {});
        const Measured m =
            measure(blend.input, whole(blend.input, blend.input.box.x0 + 50.0, blend.input.box.y0 + 50.0));
        const Object& o = m.objects[0];
        QVERIFY(std::abs(o.x - blend.input.box.x0 - 50.0) < 0.01);
        QVERIFY(std::abs(o.theta - 30.0) < 1.0);
        QVERIFY(o.a > o.b && o.b > psfSigma * 0.9);
        QVERIFY2(std::abs(o.hlr / (4.0 * std::sqrt(0.6)) - 1.0) < 0.05, qPrintable(QString::number(o.hlr)));
        QVERIFY(o.fluxRadius > o.hlr);
        QVERIFY(o.kronRadius > 2.0f * o.a);
        QVERIFY(std::abs(o.bands[0].flux / 40000.0 - 1.0) < 0.01);
        QVERIFY(o.pStar < 0.01f);
        QCOMPARE(o.blendedness, 0.0f);
        QCOMPARE(o.flags, 0u);
    }

    void starsAreStars() {
        Random random(5);
        double stars = 0.0, galaxies = 0.0;
        for (int i = 0; i < 10; ++i) {
            for (const bool star : {true, false}) {
                const cv::Mat image =
                    test::drawGalaxy({30.0 + 0.05 * i, 30.0, 2500.0, 1.8, 0.8, 0.0, star ? 0.0 : 1.0}, {61, 61}, 1.6);
                test::BlendCase blend;
                test::makeBlend(blend, {image}, 1.0, 1.0, 1.6, {}, &random);
                const Measured m =
                    measure(blend.input, whole(blend.input, blend.input.box.x0 + 30.0, blend.input.box.y0 + 30.0));
                (star ? stars : galaxies) += m.objects[0].pStar / 10.0;
            }
        }
        QVERIFY2(stars > 0.7, qPrintable(QString::number(stars)));
        QVERIFY2(galaxies < 0.05, qPrintable(QString::number(galaxies)));
    }

    void covarianceAgainstMonteCarlo() {
        const double psfSigma = 1.6;
        const cv::Size size(61, 61);
        const cv::Mat a = test::drawGalaxy({28.0, 30.0, 3000.0, 2.5}, size, psfSigma);
        const cv::Mat b = test::drawGalaxy({32.0, 30.0, 1500.0, 2.0}, size, psfSigma);
        Random random(23);
        const int n = 400;
        double sa = 0.0, sb = 0.0, saa = 0.0, sbb = 0.0, sab = 0.0;
        Measured last;
        for (int i = 0; i < n; ++i) {
            test::BlendCase blend;
            test::makeBlend(blend, {a + b}, 1.0, 2.0, psfSigma, {}, &random);
            BlendOutput output;
            output.children = {templateChild(blend.input, a, 28, 30), templateChild(blend.input, b, 32, 30)};
            last = measure(blend.input, output);
            const double fa = last.objects[0].bands[0].modelFlux - 3000.0,
                         fb = last.objects[1].bands[0].modelFlux - 1500.0;
            sa += fa / n;
            sb += fb / n;
            saa += fa * fa / n;
            sbb += fb * fb / n;
            sab += fa * fb / n;
        }
        const double ea = last.objects[0].bands[0].modelFluxErr, eb = last.objects[1].bands[0].modelFluxErr;
        QVERIFY(std::abs(sa) < 4.0 * ea / std::sqrt(n) && std::abs(sb) < 4.0 * eb / std::sqrt(n));
        QVERIFY2(std::abs(std::sqrt(saa) / ea - 1.0) < 0.12, qPrintable(QString::number(std::sqrt(saa) / ea)));
        QVERIFY2(std::abs(std::sqrt(sbb) / eb - 1.0) < 0.12, qPrintable(QString::number(std::sqrt(sbb) / eb)));
        QCOMPARE(last.blend.covariances.size(), size_t(1));
        const double covariance = last.blend.covariances[0].covariance[0];
        QVERIFY(covariance < 0.0);
        QVERIFY2(std::abs(sab - covariance) < 5.0 * ea * eb / std::sqrt(n),
                 qPrintable(QString::number(sab / covariance)));
        QVERIFY(std::abs(last.blend.reducedChi2[0] - 1.0) < 0.3);
        QVERIFY(last.objects[1].blendedness > last.objects[0].blendedness);
        QVERIFY(last.objects[0].flags & FlagBlended);
    }

    void twinsAreDegenerate() {
        const cv::Mat a = test::drawGalaxy({30.0, 30.0, 3000.0, 2.5}, {61, 61}, 1.6);
        const cv::Mat b = test::drawGalaxy({30.05, 30.0, 3000.0, 2.5}, {61, 61}, 1.6);
        test::BlendCase blend;
        test::makeBlend(blend, {a + b}, 1.0, 0.0, 1.6, {});
        BlendOutput output;
        output.children = {templateChild(blend.input, a, 30, 30), templateChild(blend.input, b, 30, 30)};
        const Measured m = measure(blend.input, output);
        for (const Object& o : m.objects) {
            QVERIFY(o.flags & FlagDegenerate);
            QVERIFY(std::isfinite(o.bands[0].modelFluxErr) && o.bands[0].modelFluxErr > 500.0f);
        }
    }

    void deblendersOwnFluxesAreKept() {
        const cv::Mat a = test::drawGalaxy({30.0, 30.0, 3000.0, 2.5}, {61, 61}, 1.6);
        test::BlendCase blend;
        test::makeBlend(blend, {a}, 1.0, 0.0, 1.6, {});
        BlendOutput output;
        output.children = {templateChild(blend.input, a, 30, 30)};
        output.children[0].flux = {3210.0f};
        output.children[0].hlr = 2.25;
        const Measured m = measure(blend.input, output);
        QCOMPARE(m.objects[0].bands[0].flux, 3210.0f);
        QCOMPARE(m.objects[0].hlr, 2.25f);
        QVERIFY(m.objects[0].bands[0].fluxErr > 0.0f);
    }

    void unusablePixelsAreReplaced() {
        const cv::Mat image = test::drawGalaxy({30.0, 30.0, 5000.0, 2.5}, {61, 61}, 1.6);
        test::BlendCase blend;
        test::makeBlend(blend, {image}, 1.0, 0.0, 1.6, {});
        for (int y = 28; y < 34; ++y) {
            for (int x = 33; x < 36; ++x) {
                blend.input.data[0].at<float>(y, x) = 0.0f;
                blend.input.weight[0].at<float>(y, x) = 0.0f;
            }
        }
        const Measured m =
            measure(blend.input, whole(blend.input, blend.input.box.x0 + 30.0, blend.input.box.y0 + 30.0));
        QVERIFY(m.objects[0].flags & FlagMasked);
        QVERIFY2(std::abs(m.objects[0].bands[0].flux / 5000.0 - 1.0) < 0.02,
                 qPrintable(QString::number(m.objects[0].bands[0].flux)));
    }

    void garbageGivesFlagsNotCrashes() {
        const float bad[] = {std::nanf(""), INFINITY, -INFINITY, 1e30f, 0.0f};
        for (const float value : bad) {
            test::BlendCase blend;
            const cv::Mat image = test::drawGalaxy({10.0, 10.0, 500.0, 2.0}, {21, 21}, 1.5);
            test::makeBlend(blend, {image, image}, 1.0, 1.0, 1.5, {});
            for (int x = 5; x < 16; ++x) {
                blend.input.data[0].at<float>(10, x) = value;
                blend.input.weight[1].at<float>(9, x) = value;
            }
            (void)measure(blend.input, whole(blend.input, blend.input.box.x0 + 10.0, blend.input.box.y0 + 10.0));
        }
        // No weight anywhere, no light anywhere, no PSF, one pixel, a peak that is not a number.
        test::BlendCase blend;
        test::makeBlend(blend, {cv::Mat(1, 1, CV_32F, cv::Scalar(5.0))}, 1.0, 0.0, 1.5, {});
        Measured m = measure(blend.input, whole(blend.input, std::nan(""), 0.0));
        QVERIFY(m.objects[0].flags & FlagBadMeasurement);
        blend.input.weight[0].setTo(0.0);
        m = measure(blend.input, whole(blend.input, 0.0, 0.0));
        QVERIFY(m.objects[0].flags & FlagBadMeasurement);
        test::BlendCase empty;
        test::makeBlend(empty, {cv::Mat(15, 15, CV_32F, cv::Scalar(0.0))}, 1.0, 0.0, 1.5, {});
        empty.psf[0] = Psf();
        m = measure(empty.input, whole(empty.input, 17.0, 27.0));
        QVERIFY(m.objects[0].flags & FlagNoFlux);
        QVERIFY(std::isnan(m.objects[0].pStar));
    }

    void sameTwice() {
        Random random(9);
        const cv::Mat image = test::drawGalaxy({30.0, 30.0, 900.0, 2.5}, {61, 61}, 1.6);
        test::BlendCase blend;
        test::makeBlend(blend, {image, image}, 1.0, 1.0, 1.6, {}, &random);
        const BlendOutput output = whole(blend.input, blend.input.box.x0 + 30.0, blend.input.box.y0 + 30.0);
        const Measured a = measure(blend.input, output), b = measure(blend.input, output);
        QCOMPARE(a.objects[0].bands[1].flux, b.objects[0].bands[1].flux);
        QCOMPARE(a.objects[0].hlr, b.objects[0].hlr);
        QCOMPARE(a.objects[0].x, b.objects[0].x);
    }
};

QTEST_APPLESS_MAIN(TestMeasure)
#include "tst_Measure.moc"
