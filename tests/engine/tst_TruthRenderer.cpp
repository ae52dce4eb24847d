#include "core/Error.h"
#include "io/SceneReader.h"
#include "simulate/Simulator.h"
#include "simulate/TruthRenderer.h"
#include "support/TestData.h"

#include <QDir>
#include <QJsonDocument>
#include <QTest>
#include <algorithm>
#include <cmath>

using namespace blendscope;

namespace {

QJsonObject parse(const char* text) {
    QString json = QString::fromUtf8(text);
    json.replace(QLatin1Char('\''), QLatin1Char('"'));
    return QJsonDocument::fromJson(json.toUtf8()).object();
}

double peakOf(const cv::Mat& m) {
    double peak = 0.0;
    cv::minMaxLoc(m, nullptr, &peak);
    return peak;
}

QString quantiles(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    const auto at = [&](double q) { return values[static_cast<size_t>(q * double(values.size() - 1))]; };
    return QStringLiteral("median %1, 90 % %2, 99 % %3, largest %4")
        .arg(at(0.5), 0, 'g', 2)
        .arg(at(0.9), 0, 'g', 2)
        .arg(at(0.99), 0, 'g', 2)
        .arg(at(1.0), 0, 'g', 2);
}

/// Correlation of the scene with a drawing of the object, where either of two drawings has light.
double likeness(const Scene& scene, const Renderer::Drawing& drawing, const Renderer::Drawing& rival) {
    double sd = 0, sm = 0, sdd = 0, smm = 0, sdm = 0, n = 0;
    const Box box = drawing.box.intersected(rival.box).intersected(scene.box());
    for (size_t b = 0; b < scene.bands.size(); ++b) {
        const cv::Mat data = scene.bands[b].image->read(box), variance = scene.bands[b].variance->read(box);
        for (int y = 0; y < box.height; ++y) {
            for (int x = 0; x < box.width; ++x) {
                const auto of = [&](const Renderer::Drawing& d) {
                    return double(d.bands[b].at<float>(y + box.y0 - d.box.y0, x + box.x0 - d.box.x0));
                };
                const double sigma = std::sqrt(double(variance.at<float>(y, x)));
                if (!(sigma > 0.0) || !(std::max(of(drawing), of(rival)) > sigma)) continue;
                const double d = double(data.at<float>(y, x)) / sigma, m = of(drawing) / sigma;
                n += 1.0;
                sd += d;
                sm += m;
                sdd += d * d;
                smm += m * m;
                sdm += d * m;
            }
        }
    }
    return (n * sdm - sd * sm) / std::sqrt((n * sdd - sd * sd) * (n * smm - sm * sm));
}

} // namespace

class TestTruthRenderer : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void agreesWithIndependentImages() {
        const QString folder = test::sharedData(QStringLiteral("btk/stamps"));
        if (folder.isEmpty()) QSKIP(test::sharedDataMissing());
        const QStringList names = QDir(folder).entryList({QStringLiteral("b*.fits.gz")}, QDir::Files, QDir::Name);
        std::vector<double> worst, flux, scaled, scale;
        for (qsizetype f = 0; f < names.size(); f += 5) {
            const ScenePtr scene = openScenes({folder + QLatin1Char('/') + names[f]}).front();
            const TruthRenderer renderer(*scene);
            for (size_t i = 0; i < scene->truth->objects.size(); ++i) {
                const TruthObject& o = scene->truth->objects[i];
                QCOMPARE(renderer.problem(o), QString());
                const Renderer::Drawing drawing = renderer.draw(o);
                for (size_t b = 0; b < scene->bands.size(); ++b) {
                    const cv::Mat theirs = scene->truth->isolated[b][i]->readAll();
                    cv::Mat ours = cv::Mat::zeros(scene->size, CV_32F);
                    const Box in = drawing.box.intersected(scene->box());
                    drawing.bands[b](in.shifted(-drawing.box.x0, -drawing.box.y0).rect()).copyTo(ours(in.rect()));
                    // Their pixels are rounded to a power of two below 1/32 of the sky's sigma.
                    const double sigma = std::sqrt(double(scene->bands[b].variance->read({0, 0, 1, 1}).at<float>(0)));
                    const double peak = peakOf(theirs);
                    if (peak < 10.0 * sigma / 32.0) continue;
                    const double difference = cv::norm(ours, theirs, cv::NORM_INF);
                    worst.push_back(std::max(0.0, difference - sigma / 64.0) / peak);
                    // Their PSF image ends after 41 pixels and was scaled to unit sum: the core holds the lost wings.
                    scale.push_back(theirs.dot(ours) / ours.dot(ours));
                    const double rest = cv::norm(cv::Mat(ours * scale.back()), theirs, cv::NORM_INF);
                    scaled.push_back(std::max(0.0, rest - sigma / 64.0) / peak);
                    const double inside = o.columns[QStringLiteral("fluxim_") + scene->bands[b].name.toLower()];
                    flux.push_back(std::abs(cv::sum(ours)[0] / inside - 1.0));
                }
            }
        }
        QVERIFY(worst.size() > 100);
        qInfo("largest difference over the peak, %zu images: %s", worst.size(), qPrintable(quantiles(worst)));
        qInfo("the same after one factor for an image: %s", qPrintable(quantiles(scaled)));
        qInfo("that factor: %s", qPrintable(quantiles(scale)));
        qInfo("difference of the flux inside the stamp, %zu images: %s", flux.size(), qPrintable(quantiles(flux)));
        QVERIFY(*std::max_element(worst.begin(), worst.end()) < 0.01);
        std::sort(scaled.begin(), scaled.end());
        QVERIFY2(scaled[scaled.size() * 98 / 100] < 0.002, "that explains it");
    }

    void agreesWithOurOwn() {
        const ScenePtr s =
            simulateScene(parse("{'survey': 'lsst', 'size': [160, 160], 'noise': 'none', 'galaxies': {'count': [8, 8],"
                                "'magnitudes': [20, 24], 'margin': 50}, 'stars': {'count': [2, 2], 'margin': 50}}"),
                          3, 0);
        const TruthRenderer renderer(*s);
        const auto isolated = renderer.isolated();
        QCOMPARE(isolated.size(), s->bands.size());
        for (size_t b = 0; b < s->bands.size(); ++b) {
            for (size_t i = 0; i < s->truth->objects.size(); ++i) {
                QVERIFY(isolated[b][i] != nullptr);
                const cv::Mat wanted = s->truth->isolated[b][i]->readAll(), found = isolated[b][i]->readAll();
                // What is left: the wings beyond the PSF image.
                QVERIFY2(cv::norm(wanted, found, cv::NORM_INF) < 0.005 * peakOf(wanted),
                         qPrintable(QString::number(cv::norm(wanted, found, cv::NORM_INF) / peakOf(wanted))));
            }
        }
    }

    void drawsInjectedTables() {
        const QString folder = test::sharedData(QStringLiteral("hsc_injected"));
        if (folder.isEmpty()) QSKIP(test::sharedDataMissing());
        int drawn = 0;
        for (const char* name : {"set1_43160182192079060.fits.gz", "set2_43160315336065281.fits.gz"}) {
            const ScenePtr s = openScenes({folder + QLatin1Char('/') + QLatin1String(name)}).front();
            const TruthRenderer renderer(*s);
            for (const TruthObject& o : s->truth->objects) {
                QCOMPARE(renderer.problem(o), QString());
                const Renderer::Drawing d = renderer.draw(o);
                QCOMPARE(d.bands.size(), s->bands.size());
                for (size_t b = 0; b < d.bands.size(); ++b) {
                    if (d.bands[b].empty()) continue;
                    QVERIFY(std::abs(cv::sum(d.bands[b])[0] / o.flux[b] - 1.0) < 0.02);
                    ++drawn;
                }
            }
        }
        QVERIFY(drawn >= 10);
    }

    /// Which way the angles of injected tables run is decided by the pixels.
    void anglesOfInjectedTables() {
        const QString folder = test::sharedData(QStringLiteral("hsc_injected"));
        if (folder.isEmpty()) QSKIP(test::sharedDataMissing());
        int galaxies = 0, better = 0;
        double gain = 0.0;
        for (const QString& name : QDir(folder).entryList({QStringLiteral("*.fits.gz")}, QDir::Files, QDir::Name)) {
            const ScenePtr s = openScenes({folder + QLatin1Char('/') + name}).front();
            const TruthRenderer renderer(*s);
            for (const TruthObject& o : s->truth->objects) {
                const double a = o.columns[QStringLiteral("a_d")], b = o.columns[QStringLiteral("b_d")];
                const double angle = o.columns[QStringLiteral("pa_disk")];
                // Long ones, that the other way would put elsewhere.
                if (!(b < 0.6 * a) || !(o.columns[QStringLiteral("mag_i")] < 24.5)) continue;
                if (std::abs(std::sin(2.0 * angle * CV_PI / 180.0)) < 0.4) continue;
                TruthObject mirrored = o;
                for (const char* key : {"pa_disk", "pa_bulge"}) {
                    mirrored.columns[QLatin1String(key)] *= -1.0;
                }
                const Renderer::Drawing as = renderer.draw(o), other = renderer.draw(mirrored);
                const double right = likeness(*s, as, other), wrong = likeness(*s, other, as);
                ++galaxies;
                better += right > wrong;
                gain += right - wrong;
            }
        }
        qInfo("%d of %d galaxies look like their drawing rather than its mirror image; correlation higher by %.3f",
              better, galaxies, gain / galaxies);
        QVERIFY(galaxies >= 8);
        QCOMPARE(better, galaxies);
    }

    /// The WCS says where east and north are.
    void anglesOnTheSky() {
        const ScenePtr s = simulateScene(parse("{'survey': 'lsst', 'size': [64, 64], 'noise': 'none',"
                                               "'objects': [{'x': 32, 'y': 32, 'magnitude': 22}]}"),
                                         1, 0);
        Scene copy = *s;
        TruthObject o = s->truth->objects[0];
        for (auto& [key, value] : std::initializer_list<std::pair<const char*, double>>{
                 {"a_d", 1.0}, {"b_d", 0.3}, {"pa_disk", 30.0}, {"DiskHalfLightRadius", 1.0}}) {
            o.columns[QLatin1String(key)] = value;
        }
        const auto angle = [&](const Wcs& wcs) {
            copy.wcs = wcs;
            return TruthRenderer(copy).galaxy(o)->components.front().angle;
        };
        QVERIFY(std::abs(angle(Wcs()) - 150.0) < 1e-9);
        const Wcs usual = Wcs::tangent({150.0, 2.0}, {32, 32}, 0.2);
        QVERIFY(std::abs(angle(usual) - 150.0) < 0.01);
        o.columns.remove(QStringLiteral("DiskHalfLightRadius"));
        QVERIFY(std::abs(angle(usual) - 30.0) < 1e-9);
    }

    void saysWhatItCannot() {
        const ScenePtr s = simulateScene(parse("{'survey': 'lsst', 'size': [64, 64], 'objects': [{'x': 32, 'y': 32,"
                                               "'magnitude': 22}]}"),
                                         1, 0);
        Scene copy = *s;
        TruthObject irregular = s->truth->objects[0];
        irregular.columns[QStringLiteral("irregular")] = 1.0;
        TruthObject sizeless;
        sizeless.kind = QStringLiteral("gal");
        sizeless.flux.assign(6, 1e4);
        TruthObject lost = s->truth->objects[0];
        lost.x = std::nan("");
        const TruthRenderer renderer(copy);
        QVERIFY(renderer.problem(irregular).contains(QStringLiteral("irregular")));
        QVERIFY(renderer.problem(sizeless).contains(QStringLiteral("size")));
        QVERIFY(!renderer.problem(lost).isEmpty());
        QVERIFY_EXCEPTION_THROWN((void)renderer.draw(sizeless), UsageError);
        for (Band& b : copy.bands) {
            b.psf = Psf();
        }
        QVERIFY(TruthRenderer(copy).problem(s->truth->objects[0]).contains(QStringLiteral("PSF")));
        copy.truth.reset();
        QVERIFY_EXCEPTION_THROWN(TruthRenderer{copy}, UsageError);
    }
};

QTEST_GUILESS_MAIN(TestTruthRenderer)
#include "tst_TruthRenderer.moc"
