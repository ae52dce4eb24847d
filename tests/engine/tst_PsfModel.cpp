#include "core/Error.h"
#include "method/Registry.h"
#include "simulate/NoiseModel.h"
#include "simulate/Renderer.h"
#include "simulate/Simulator.h"
#include "simulate/Survey.h"

#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTest>
#include <cmath>
#include <functional>
#include <numbers>

using namespace blendscope;

namespace {

constexpr double kPi = std::numbers::pi;

QJsonObject parse(const char* text) {
    QString json = QString::fromUtf8(text);
    json.replace(QLatin1Char('\''), QLatin1Char('"'));
    return QJsonDocument::fromJson(json.toUtf8()).object();
}

Renderer::Drawing star(const PsfModel& psf, double x, double y, int most = 512) {
    Galaxy g;
    g.star = true;
    g.x = x;
    g.y = y;
    g.pointFlux = {1e6};
    return Renderer(1.0, {psf}, std::vector<double>(), {1.0}).draw(g, most);
}

/// Mean of a radial profile over the unit pixel centred on (x, y).
double overPixel(const std::function<double(double)>& profile, double x, double y) {
    constexpr int kN = 24;
    double sum = 0.0;
    for (int j = 0; j < kN; ++j) {
        for (int i = 0; i < kN; ++i) {
            sum += profile(std::hypot(x + (i + 0.5) / kN - 0.5, y + (j + 0.5) / kN - 0.5));
        }
    }
    return sum / (kN * kN);
}

void compare(const Renderer::Drawing& drawn, double x, double y, const std::function<double(double)>& profile,
             double* worst) {
    double peak = 0.0;
    cv::minMaxLoc(drawn.bands[0], nullptr, &peak);
    for (const auto& [px, py] : {std::pair{0, 0}, {1, 0}, {-1, 2}, {3, -3}, {6, 1}}) {
        const double wanted = 1e6 * overPixel(profile, px + std::round(x) - x, py + std::round(y) - y);
        const double found =
            drawn.bands[0].at<float>(int(std::round(y)) + py - drawn.box.y0, int(std::round(x)) + px - drawn.box.x0);
        *worst = std::max(*worst, std::abs(found - wanted) / peak);
    }
}

struct Moments {
    double xx = 0.0, yy = 0.0, xy = 0.0, x = 0.0, y = 0.0;
};

Moments momentsOf(const cv::Mat& m) {
    Moments out;
    double sum = 0.0;
    for (int j = 0; j < m.rows; ++j) {
        for (int i = 0; i < m.cols; ++i) {
            sum += m.at<float>(j, i);
            out.x += i * double(m.at<float>(j, i));
            out.y += j * double(m.at<float>(j, i));
        }
    }
    out.x /= sum;
    out.y /= sum;
    for (int j = 0; j < m.rows; ++j) {
        for (int i = 0; i < m.cols; ++i) {
            const double v = m.at<float>(j, i) / sum;
            out.xx += v * (i - out.x) * (i - out.x);
            out.yy += v * (j - out.y) * (j - out.y);
            out.xy += v * (i - out.x) * (j - out.y);
        }
    }
    return out;
}

} // namespace

class TestPsfModel : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void gaussian() {
        const double fwhm = 3.7, s2 = fwhm * fwhm / (8.0 * std::numbers::ln2);
        double worst = 0.0;
        compare(
            star(PsfModel::gaussian(fwhm), 10.3, 20.8), 10.3, 20.8,
            [&](double r) { return std::exp(-0.5 * r * r / s2) / (2.0 * kPi * s2); }, &worst);
        QVERIFY2(worst < 1e-4, qPrintable(QString::number(worst)));
    }

    void kolmogorov() {
        const double fwhm = 4.0;
        // The profile by direct integration of Fried's transform; r0 from FWHM = 0.9759 lambda / r0.
        const double scale = 2.0 * kPi * fwhm / 0.97586 / std::pow(2.0 * kPi, 1.0);
        const auto transform = [&](double k) {
            return std::exp(-3.4419 * std::pow(scale * k / (2.0 * kPi), 5.0 / 3.0));
        };
        const auto profile = [&](double r) {
            double sum = 0.0;
            for (int i = 0; i < 400; ++i) {
                const double k = (i + 0.5) * 0.01;
                sum += k * transform(k) * j0(k * r) * 0.01;
            }
            return sum / (2.0 * kPi);
        };
        QVERIFY2(std::abs(profile(0.5 * fwhm) / profile(0.0) - 0.5) < 2e-3, "the width is that");
        const Renderer::Drawing drawn = star(PsfModel::kolmogorov(fwhm), 10.3, 20.8);
        double worst = 0.0;
        compare(drawn, 10.3, 20.8, profile, &worst);
        QVERIFY2(worst < 1e-3, qPrintable(QString::number(worst)));
        QVERIFY(std::abs(cv::sum(drawn.bands[0])[0] / 1e6 - 1.0) < 1e-5);
        const PsfModel psf = PsfModel::kolmogorov(fwhm);
        QVERIFY2(psf.fluxBeyond(20.0) > 0.003 && psf.fluxBeyond(20.0) < 0.02,
                 qPrintable(QString::number(psf.fluxBeyond(20.0))));
    }

    void airy() {
        const double width = 3.0, o = 0.36;
        const auto profile = [&](double r) {
            const auto jinc = [](double t) { return t < 1e-6 ? 1.0 : 2.0 * j1(t) / t; };
            const double x = kPi * r / width, a = jinc(x) - o * o * jinc(o * x);
            return 0.25 * kPi * a * a / (1.0 - o * o) / (width * width);
        };
        const Renderer::Drawing drawn = star(PsfModel::airy(width, o), 50.2, 60.4, 1024);
        double worst = 0.0;
        compare(drawn, 50.2, 60.4, profile, &worst);
        QVERIFY2(worst < 1e-3, qPrintable(QString::number(worst)));
        QVERIFY(std::abs(cv::sum(drawn.bands[0])[0] / 1e6 - 1.0) < 1e-5);
    }

    void sheared() {
        const double e = 0.2, angle = 30.0 * kPi / 180.0;
        const Renderer::Drawing drawn =
            star(PsfModel::gaussian(6.0).sheared(e * std::cos(2.0 * angle), e * std::sin(2.0 * angle)), 0, 0);
        Moments m = momentsOf(drawn.bands[0]);
        m.xx -= 1.0 / 12.0; // the pixel's own
        m.yy -= 1.0 / 12.0;
        const double found = 0.5 * std::atan2(2.0 * m.xy, m.xx - m.yy);
        const double size = m.xx + m.yy, half = std::hypot(m.xx - m.yy, 2.0 * m.xy);
        const double q = std::sqrt((size - half) / (size + half));
        QVERIFY(std::abs(found - angle) < 1e-3);
        QVERIFY(std::abs((1.0 - q) / (1.0 + q) - e) < 1e-3);
        QVERIFY_EXCEPTION_THROWN((void)PsfModel::gaussian(2.0).sheared(0.9, 0.3), UsageError);
    }

    void images() {
        const Renderer analytic(1.0, {PsfModel::kolmogorov(4.0)}, std::vector<double>{1.0}, {0.01});
        const Psf psf = analytic.psf(0, 127);
        const PsfModel image = PsfModel::image(psf);
        QVERIFY(image.includesPixel());
        Galaxy g;
        g.x = 3.4;
        g.y = 7.7;
        SersicComponent c;
        c.aArcsec = 3.0;
        c.bArcsec = 2.0;
        c.angle = 70.0;
        c.flux = {1e4};
        g.components = {c};
        const Renderer::Drawing a = analytic.draw(g);
        const Renderer::Drawing b = Renderer(1.0, {image}, std::vector<double>{1.0}, {0.01}).draw(g);
        const Box common = a.box.intersected(b.box);
        const cv::Mat difference = a.bands[0](common.shifted(-a.box.x0, -a.box.y0).rect()) -
                                   b.bands[0](common.shifted(-b.box.x0, -b.box.y0).rect());
        double peak = 0.0;
        cv::minMaxLoc(a.bands[0], nullptr, &peak);
        // The image ends somewhere, and what it lost is in its core.
        QVERIFY2(cv::norm(difference, cv::NORM_INF) < 3e-3 * peak,
                 qPrintable(QString::number(cv::norm(difference, cv::NORM_INF) / peak)));
        QVERIFY_EXCEPTION_THROWN((void)PsfModel::image(Psf()), UsageError);
        QVERIFY_EXCEPTION_THROWN((void)image.convolved(image), UsageError);
    }

    void noiseKeepsItsVariance_data() {
        QTest::addColumn<double>("correlation");
        QTest::addColumn<double>("sky");
        QTest::addColumn<double>("read");
        QTest::newRow("white, bright") << 0.0 << 5000.0 << 0.0;
        QTest::newRow("white, dark") << 0.0 << 20.0 << 0.0;
        QTest::newRow("read") << 0.0 << 20.0 << 9.0;
        QTest::newRow("correlated") << 1.8 << 5000.0 << 3.0;
    }
    void noiseKeepsItsVariance() {
        QFETCH(double, correlation);
        QFETCH(double, sky);
        QFETCH(double, read);
        NoiseModel model{sky, read, 2.0, correlation};
        cv::Mat image = cv::Mat::zeros(400, 400, CV_32F);
        Random random(4);
        model.apply(image, random);
        cv::Scalar mean, deviation;
        cv::meanStdDev(image, mean, deviation);
        QVERIFY(std::abs(mean[0]) < 0.05 * model.sigma());
        QVERIFY2(std::abs(deviation[0] / model.sigma() - 1.0) < 0.02,
                 qPrintable(QString::number(deviation[0] / model.sigma())));
        const cv::Mat left = image(cv::Rect(0, 0, 399, 400)), right = image(cv::Rect(1, 0, 399, 400));
        const double neighbours = left.dot(right) / left.dot(left);
        QVERIFY(correlation > 0.0 ? neighbours > 0.3 && neighbours < 0.8 : std::abs(neighbours) < 0.02);
    }

    void recipesOfConditions() {
        // Offsets move a band, realizations change noise and nothing else, fields of PSFs vary.
        const char* const text = "{'survey': 'hsc', 'bands': ['g', 'i'], 'size': [96, 96], 'noise': {'kind': 'none'},"
                                 "'band_settings': {'i': {'seeing': 1.3, 'offset': [0.4, -0.3]}},"
                                 "'psf': {'ellipticity': [0.05, 0.1]},"
                                 "'objects': [{'kind': 'star', 'x': 48, 'y': 48, 'magnitude': 20}]}";
        const ScenePtr s = simulateScene(parse(text), 1, 0);
        const Moments g = momentsOf(s->truth->noiseless[0]->read({28, 28, 41, 41})),
                      i = momentsOf(s->truth->noiseless[1]->read({28, 28, 41, 41}));
        QVERIFY(std::abs(i.x - g.x - 0.4) < 0.01 && std::abs(i.y - g.y + 0.3) < 0.01);
        QVERIFY(std::hypot(g.xx - g.yy, 2.0 * g.xy) / (g.xx + g.yy) > 0.05);

        QJsonObject noisy = parse(text);
        noisy[QStringLiteral("noise")] = QJsonObject{{"realization", 0}};
        const ScenePtr a = simulateScene(noisy, 1, 0);
        noisy[QStringLiteral("noise")] = QJsonObject{{"realization", 1}};
        const ScenePtr b = simulateScene(noisy, 1, 0);
        QVERIFY(cv::norm(a->bands[0].image->readAll(), b->bands[0].image->readAll(), cv::NORM_INF) > 0.0);
        QCOMPARE(cv::norm(a->truth->noiseless[0]->readAll(), b->truth->noiseless[0]->readAll(), cv::NORM_INF), 0.0);

        const ScenePtr field = simulateScene(
            parse(
                "{'survey': 'des', 'bands': ['r'], 'size': [300, 300], 'noise': 'none', 'psf': {'size_variation': 0.2,"
                "'shape_variation': 0.05}, 'objects': [{'kind': 'star', 'x': 40, 'y': 40, 'magnitude': 18},"
                "{'kind': 'star', 'x': 260, 'y': 250, 'magnitude': 18}]}"),
            2, 0);
        const Moments p = momentsOf(field->truth->noiseless[0]->read({20, 20, 41, 41})),
                      q = momentsOf(field->truth->noiseless[0]->read({240, 230, 41, 41}));
        QVERIFY(std::abs(p.xx / q.xx - 1.0) > 0.02);
        QVERIFY(field->assumptions.join(QString()).contains(QStringLiteral("middle")));
    }

    void airyHasTheAskedWidth() {
        PsfShape shape;
        shape.kind = QStringLiteral("airy");
        shape.mirrorMetres = 1.2;
        for (const double obscuration : {0.0, 0.33, 0.6}) {
            shape.obscuration = obscuration;
            const PsfMaker maker(shape, {QStringLiteral("VIS")});
            const double diffraction = 715e-9 / 1.2 * 206264.806 / 0.1; // lambda / D in pixels
            for (const double wanted : {1.1, 1.3, 2.0, 5.0}) {
                const PsfModel psf = maker.make(0, wanted * diffraction, 1.0, 715.0, 0.1);
                // Brightness at radius r by the Hankel transform.
                const auto brightness = [&](double r) {
                    constexpr int kSteps = 4000;
                    const double step = psf.cutoff() / kSteps;
                    double sum = 0.0;
                    for (int i = 0; i < kSteps; ++i) {
                        const float k = static_cast<float>((i + 0.5) * step);
                        float t = 0.0f;
                        psf.row(&k, 1, 0.0f, &t);
                        sum += static_cast<double>(k) * t * std::cyl_bessel_j(0.0, static_cast<double>(k) * r);
                    }
                    return sum;
                };
                const double ratio = brightness(0.5 * wanted * diffraction) / brightness(0.0);
                QVERIFY2(std::abs(ratio - 0.5) < 0.005,
                         qPrintable(QStringLiteral("%1 at %2: %3").arg(wanted).arg(obscuration).arg(ratio)));
            }
        }
    }

    void everySurveyDraws() {
        const QDir folder(resourceFolder() + QStringLiteral("/surveys"));
        int count = 0;
        for (const QString& file : folder.entryList({QStringLiteral("*.json")}, QDir::Files)) {
            const QString id = file.chopped(5);
            const Survey survey = Survey::load(id);
            QCOMPARE(survey.id, id);
            QJsonObject recipe{{"survey", id}, {"size", QJsonArray{64, 64}}};
            recipe[QStringLiteral("objects")] =
                QJsonArray{QJsonObject{{"x", 32}, {"y", 32}, {"magnitude", 22}, {"hlr", 0.4}}};
            const ScenePtr s = simulateScene(recipe, 1, 0);
            for (size_t b = 0; b < s->bands.size(); ++b) {
                const double wanted = survey.bands[b].fwhmArcsec / survey.pixelScale;
                const double found = s->bands[b].psf.fwhmPixels;
                // With the pixel in it, an image's FWHM is the wider one.
                QVERIFY2(
                    found > 0.97 * wanted && found < std::sqrt(wanted * wanted + 1.5) * 1.1,
                    qPrintable(QStringLiteral("%1 %2: %3 for %4").arg(id, s->bands[b].name).arg(found).arg(wanted)));
            }
            QVERIFY(s->truth->objects[0].columns[QStringLiteral("snr_det")] > 1.0);
            ++count;
        }
        QVERIFY(count >= 10);
    }

    void unfit() {
        const auto refused = [](const char* text, const char* key) {
            try {
                (void)simulateScene(parse(text), 1, 0);
                return false;
            } catch (const UsageError& e) {
                return e.message().contains(QLatin1String(key));
            }
        };
        QVERIFY(refused("{'survey': 'lsst', 'size': [9, 9], 'psf': {'kind': 'round'}}", "psf.kind"));
        QVERIFY(refused("{'survey': 'lsst', 'size': [9, 9], 'psf': {'kind': 'airy'}}", "psf.mirror"));
        QVERIFY(refused("{'survey': 'lsst', 'size': [9, 9], 'psf': {'kind': 'image'}}", "psf.file"));
        QVERIFY(refused("{'survey': 'lsst', 'size': [9, 9], 'band_settings': {'q': {}}}", "band_settings.q"));
        QVERIFY(refused("{'survey': 'lsst', 'size': [9, 9], 'noise': {'correlation': -1}}", "noise.correlation"));
        QVERIFY_EXCEPTION_THROWN((void)PsfModel::kolmogorov(0.0), UsageError);
        QVERIFY_EXCEPTION_THROWN((void)PsfModel::airy(1.0, 0.99), UsageError);
    }
};

QTEST_GUILESS_MAIN(TestPsfModel)
#include "tst_PsfModel.moc"
