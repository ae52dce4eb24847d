#include "core/Error.h"
#include "simulate/Profile.h"
#include "simulate/Renderer.h"

#include <QTest>
#include <array>
#include <cmath>
#include <numbers>

using namespace blendscope;

namespace {

constexpr double kPi = std::numbers::pi;
constexpr std::array<double, 5> kGaussX = {-0.9061798459386640, -0.5384693101056831, 0.0, 0.5384693101056831,
                                           0.9061798459386640};
constexpr std::array<double, 5> kGaussW = {0.2369268850561891, 0.4786286704993665, 0.5688888888888889,
                                           0.4786286704993665, 0.2369268850561891};

/// Moffat integrated over the unit pixel centred on (x, y), by Gauss-Legendre.
double pixelMoffat(const MoffatTransform& psf, double x, double y) {
    double sum = 0.0;
    for (size_t i = 0; i < 5; ++i) {
        for (size_t j = 0; j < 5; ++j) {
            sum += 0.25 * kGaussW[i] * kGaussW[j] * psf.value(std::hypot(x + 0.5 * kGaussX[i], y + 0.5 * kGaussX[j]));
        }
    }
    return sum;
}

/// Pixel value of a Sersic component of unit flux through the PSF by plain integration in polar coordinates.
double integrated(const SersicComponent& c, const MoffatTransform& psf, double dx, double dy) {
    constexpr int kAngles = 192;
    const int radii = c.n < 1.0 ? 2000 : 300; // a flat core is not resolved by even steps of its root
    const double angle = c.angle * kPi / 180.0, b = sersicB(c.n);
    double sum = 0.0;
    // p = b r^(1/n) makes the profile exp(-p), whatever its cusp; even steps in its root suit small n.
    const double most = std::sqrt(45.0);
    const double norm = 1.0 / std::tgamma(2.0 * c.n) / kAngles;
    for (int i = 0; i < radii; ++i) {
        const double s = most * (i + 0.5) / radii, p = s * s;
        const double r = std::pow(p / b, c.n);
        const double weight = norm * std::pow(p, 2.0 * c.n - 1.0) * std::exp(-p) * 2.0 * s * most / radii;
        if (weight < 1e-12) continue;
        for (int j = 0; j < kAngles; ++j) {
            const double t = 2.0 * kPi * (j + 0.5) / kAngles;
            const double u = c.aArcsec * r * std::cos(t), v = c.bArcsec * r * std::sin(t);
            const double x = dx - u * std::cos(angle) + v * std::sin(angle);
            const double y = dy - u * std::sin(angle) - v * std::cos(angle);
            const double far = std::hypot(x, y);
            // Far from its centre the PSF is flat within a pixel.
            sum += weight * (far > 2.0 * psf.fwhm() + 4.0 ? psf.value(far) : pixelMoffat(psf, x, y));
        }
    }
    return sum;
}

} // namespace

class TestProfile : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void halfLight() {
        QVERIFY(std::abs(sersicB(1.0) - 1.6783469900166605) < 1e-9);
        QVERIFY(std::abs(sersicB(4.0) - 7.6692494425) < 1e-8);
        QVERIFY(std::abs(sersicB(0.5) - std::numbers::ln2) < 1e-9);
        for (const double n : {0.5, 1.0, 2.5, 4.0, 6.0}) {
            double inner = 0.0;
            const int steps = 20000;
            for (int i = 0; i < steps; ++i) {
                // r = t^4 resolves the cusp.
                const double t = (i + 0.5) / steps, r = t * t * t * t;
                inner += 2.0 * kPi * r * sersicValue(n, r) * 4.0 * t * t * t / steps;
            }
            QVERIFY2(std::abs(inner - 0.5) < 1e-5, qPrintable(QString::number(inner, 'g', 10)));
        }
        QVERIFY_EXCEPTION_THROWN((void)sersicB(0.0), UsageError);
        QVERIFY_EXCEPTION_THROWN(SersicTransform(12.0), UsageError);
        QVERIFY_EXCEPTION_THROWN(SersicTransform(std::nan("")), UsageError);
    }

    void hankelTransform_data() {
        QTest::addColumn<double>("n");
        for (const double n : {0.5, 0.6, 0.8, 1.0, 1.3, 2.0, 3.0, 4.0, 5.0, 6.0}) {
            QTest::addRow("n = %g", n) << n;
        }
    }
    void hankelTransform() {
        QFETCH(double, n);
        const SersicTransform transform(n);
        QVERIFY(std::abs(transform(0.0) - 1.0) < 1e-12);
        const double b = sersicB(n), norm = 1.0 / std::tgamma(2.0 * n);
        double last = 1.0;
        for (const double k : {1e-3, 0.03, 0.25, 0.299, 0.301, 0.7, 1.1, 2.0, 5.0, 11.0, 30.0}) {
            // The flux lies in p = b r^(1/n) as a gamma density; J0 needs fine steps at the largest k.
            double sum = 0.0;
            const double most = std::sqrt(60.0);
            const int steps = 60000;
            for (int i = 0; i < steps; ++i) {
                const double s = most * (i + 0.5) / steps, p = s * s;
                const double weight = norm * std::pow(p, 2.0 * n - 1.0) * std::exp(-p) * 2.0 * s * most / steps;
                if (weight < 1e-17) continue;
                sum += weight * j0(k * std::pow(p / b, n));
            }
            QVERIFY2(std::abs(transform(k) - sum) < 2e-5 * std::abs(sum) + 5e-7,
                     qPrintable(QStringLiteral("k %1: %2, wanted %3").arg(k).arg(transform(k)).arg(sum)));
            QVERIFY(n < 1.0 || transform(k) < last);
            last = transform(k);
        }
    }

    void moffatTransform_data() {
        QTest::addColumn<double>("beta");
        for (const double beta : {1.8, 2.5, 3.5, 4.765}) {
            QTest::addRow("beta = %g", beta) << beta;
        }
    }
    void moffatTransform() {
        QFETCH(double, beta);
        const MoffatTransform psf(4.0, beta);
        QVERIFY(std::abs(psf.value(2.0) / psf.value(0.0) - 0.5) < 1e-12);
        QVERIFY(std::abs(psf(0.0) - 1.0) < 1e-9);
        for (const double k : {0.05, 0.3, 1.0, 2.0, 3.0}) {
            double sum = 0.0;
            const double dr = 0.01;
            for (int i = 0; i < 100000; ++i) {
                const double r = (i + 0.5) * dr;
                sum += 2.0 * kPi * r * psf.value(r) * j0(k * r) * dr;
            }
            QVERIFY2(std::abs(psf(k) - sum) < 2e-4,
                     qPrintable(QStringLiteral("k %1: %2, wanted %3").arg(k).arg(psf(k)).arg(sum)));
        }
        QVERIFY(psf(psf.cutoff() * 1.001) < 1.2e-7);
        QVERIFY_EXCEPTION_THROWN(MoffatTransform(-1.0, beta), UsageError);
        QVERIFY_EXCEPTION_THROWN(MoffatTransform(1.0, 1.0), UsageError);
    }

    void renderedGalaxies_data() {
        QTest::addColumn<double>("n");
        QTest::addColumn<double>("fwhm");
        QTest::addColumn<double>("hlr");
        for (const double n : {0.5, 1.0, 2.0, 4.0, 6.0}) {
            for (const double hlr : {0.1, 0.5, 1.0, 5.0}) {
                QTest::addRow("n = %g, %g arcsec through 4 px", n, hlr) << n << 4.0 << hlr;
            }
        }
        QTest::addRow("n = 4 through 1.7 px") << 4.0 << 1.7 << 1.0;
        QTest::addRow("n = 1 through 1.2 px") << 1.0 << 1.2 << 1.0;
    }
    void renderedGalaxies() {
        QFETCH(double, n);
        QFETCH(double, fwhm);
        QFETCH(double, hlr);
        const MoffatTransform psf(fwhm, 3.5);
        const Renderer renderer(1.0, {psf}, std::vector<double>{n}, {1.0});
        Galaxy g;
        g.x = 100.3;
        g.y = 59.75;
        SersicComponent c;
        c.n = n;
        // Pixels of 0.2 arcsec, an axis ratio of a half.
        c.aArcsec = 5.0 * hlr * std::sqrt(2.0);
        c.bArcsec = 5.0 * hlr / std::sqrt(2.0);
        c.angle = 35.0;
        c.flux = {1e5};
        g.components = {c};
        const Renderer::Drawing drawing = renderer.draw(g);
        QVERIFY(std::abs(cv::sum(drawing.bands[0])[0] / 1e5 - 1.0) < 1e-5);
        double peak = 0.0;
        cv::minMaxLoc(drawing.bands[0], nullptr, &peak);
        double worst = 0.0;
        for (const auto& [x, y] : {std::pair{100, 60}, {101, 60}, {103, 62}, {106, 64}, {120, 60}}) {
            const double wanted = 1e5 * integrated(c, psf, x - g.x, y - g.y);
            const double found = drawing.bands[0].at<float>(y - drawing.box.y0, x - drawing.box.x0);
            worst = std::max(worst, std::abs(found - wanted) / peak);
        }
        qInfo("n %g, %g arcsec, FWHM %g px: side %d, worst deviation %.2g of the peak", n, hlr, fwhm, drawing.box.width,
              worst);
        QVERIFY(worst < 1e-3);
    }

    void renderedStarsAndPsf() {
        const MoffatTransform psf(3.9, 3.5), sharp(1.5, 2.5);
        const Renderer renderer(0.2, {psf, sharp}, std::vector<double>(), {1.0, 1.0});
        Galaxy star;
        star.star = true;
        star.x = 12.5;
        star.y = -3.2;
        star.pointFlux = {1e6, 2e5};
        const Renderer::Drawing drawing = renderer.draw(star);
        for (size_t b = 0; b < 2; ++b) {
            const MoffatTransform& p = b ? sharp : psf;
            QVERIFY(std::abs(cv::sum(drawing.bands[b])[0] / star.pointFlux[b] - 1.0) < 1e-5);
            for (const auto& [x, y] : {std::pair{12, -3}, {15, -4}, {20, 3}}) {
                const double wanted = star.pointFlux[b] * pixelMoffat(p, x - star.x, y - star.y);
                const double found = drawing.bands[b].at<float>(y - drawing.box.y0, x - drawing.box.x0);
                QVERIFY(std::abs(found - wanted) < 1e-3 * star.pointFlux[b] * pixelMoffat(p, 0.0, 0.0));
            }
            const Psf image = renderer.psf(static_cast<int>(b));
            QVERIFY(image.image.rows % 2 == 1 && image.image.rows == image.image.cols);
            QVERIFY(std::abs(cv::sum(image.image)[0] - 1.0) < 1e-5);
            const int c = image.image.rows / 2;
            QVERIFY(std::abs(image.image.at<float>(c, c) / pixelMoffat(p, 0.0, 0.0) - 1.0) < 3e-3);
            QVERIFY(std::abs(image.image.at<float>(c, c + 2) - image.image.at<float>(c - 2, c)) < 1e-6);
        }
    }
};

QTEST_APPLESS_MAIN(TestProfile)
#include "tst_Profile.moc"
