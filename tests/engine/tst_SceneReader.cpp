#include "core/Scene.h"
#include "io/SceneReader.h"
#include "support/TestData.h"
#include "support/TinyFits.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <limits>

using namespace blendscope;
using test::TinyFits;

namespace {

std::vector<double> noise(int n, double level = 0.0, double sigma = 1.0) {
    // A fixed, roughly normal sequence.
    std::vector<double> v;
    unsigned state = 7;
    for (int i = 0; i < n; ++i) {
        double sum = -6.0;
        for (int k = 0; k < 12; ++k) {
            state = state * 1664525u + 1013904223u;
            sum += (state >> 8) / 16777216.0;
        }
        v.push_back(level + sigma * sum);
    }
    return v;
}

const QStringList kWcs = {QStringLiteral("CTYPE1 = 'RA---TAN'"),
                          QStringLiteral("CTYPE2 = 'DEC--TAN'"),
                          QStringLiteral("CRVAL1 = 150.0"),
                          QStringLiteral("CRVAL2 = 2.0"),
                          QStringLiteral("CRPIX1 = 20.5"),
                          QStringLiteral("CRPIX2 = 15.5"),
                          QStringLiteral("CD1_1 = -5.5555555555E-5"),
                          QStringLiteral("CD2_2 = 5.5555555555E-5")};

TinyFits single(const QStringList& cards = {}, long long w = 40, long long h = 30) {
    return TinyFits().image(-32, {w, h}, noise(static_cast<int>(w * h)), cards);
}

QString named(const char* key, const QString& value) {
    return QStringLiteral("%1 = '%2'").arg(QLatin1String(key), value);
}

/// The words of the failure of `work`; empty if there is none.
template <typename Work>
QString refusal(const Work& work) {
    try {
        work();
    } catch (const Error& e) {
        return e.message();
    }
    return {};
}

QStringList ids(const std::vector<SceneFiles>& groups) {
    QStringList out;
    for (const SceneFiles& g : groups) {
        out << g.id;
    }
    return out;
}

bool says(const QStringList& sentences, const char* words) {
    return !sentences.filter(QLatin1String(words)).isEmpty();
}

/// A folder for one test.
class Folder {
public:
    QString operator()(const QString& name) const { return m_dir.filePath(name); }
    QString path() const { return m_dir.path(); }

private:
    QTemporaryDir m_dir;
};

} // namespace

class TestSceneReader : public QObject {
    Q_OBJECT
private Q_SLOTS:
    // ---- grouping -------------------------------------------------------------------------------------------------
    void bandsOfOneNameAreOneScene() {
        const Folder f;
        for (const char* band : {"g", "r", "z"}) {
            single(kWcs).write(f(QStringLiteral("img_%1.fits").arg(QLatin1String(band))));
        }
        single().write(f(QStringLiteral("other.fits")));
        for (const QStringList& paths :
             {QStringList{f.path()}, QStringList{f(QStringLiteral("img_z.fits")), f(QStringLiteral("img_g.fits")),
                                                 f(QStringLiteral("other.fits")), f(QStringLiteral("img_r.fits"))}}) {
            const auto groups = groupSceneFiles(paths);
            QCOMPARE(ids(groups), QStringList({QStringLiteral("img"), QStringLiteral("other")}));
            QCOMPARE(groups[0].files.size(), 3);
        }
        const auto scenes = openScenes({f.path()});
        QCOMPARE(scenes[0]->bandNames(), QStringList({QStringLiteral("g"), QStringLiteral("r"), QStringLiteral("z")}));
    }

    void filesOfSeveralBandsStandAlone() {
        const Folder f;
        for (const char* name : {"field_g.fits", "field_r.fits"}) {
            TinyFits()
                .empty()
                .image(-32, {40, 30}, noise(1200), {named("FILTER", QStringLiteral("g"))})
                .image(-32, {40, 30}, noise(1200), {named("FILTER", QStringLiteral("i"))})
                .write(f(QLatin1String(name)));
        }
        QCOMPARE(ids(groupSceneFiles({f.path()})), QStringList({QStringLiteral("field_g"), QStringLiteral("field_r")}));
    }

    void anotherGridIsAnotherScene() {
        const Folder f;
        single().write(f(QStringLiteral("f115w.fits")));
        single().write(f(QStringLiteral("f150w.fits")));
        single({}, 20, 15).write(f(QStringLiteral("f444w.fits")));
        single({}, 20, 15).write(f(QStringLiteral("f444w_err.fits")));
        const auto scenes = openScenes({f.path()});
        QCOMPARE(scenes.size(), std::size_t(2));
        const QString folder = QDir(f.path()).dirName();
        QCOMPARE(scenes[0]->id, folder + QStringLiteral("_40x30"));
        QCOMPARE(scenes[0]->bandNames(), QStringList({QStringLiteral("f115w"), QStringLiteral("f150w")}));
        QCOMPARE(scenes[1]->id, folder + QStringLiteral("_20x15"));
        QVERIFY(!says(scenes[1]->assumptions, "no variance"));
        QVERIFY(says(scenes[0]->assumptions, "no variance"));
    }

    void commaListForcesOneScene() {
        const Folder f;
        single({named("FILTER", QStringLiteral("r"))}).write(f(QStringLiteral("a.fits")));
        single({named("FILTER", QStringLiteral("g"))}).write(f(QStringLiteral("b.fits")));
        const auto scenes = openScenes({f(QStringLiteral("a.fits")) + QLatin1Char(',') + f(QStringLiteral("b.fits"))});
        QCOMPARE(scenes.size(), std::size_t(1));
        QCOMPARE(scenes[0]->bandNames(), QStringList({QStringLiteral("g"), QStringLiteral("r")}));
        QCOMPARE(scenes[0]->files.size(), std::size_t(2));
    }

    void listFiles() {
        const Folder f;
        single().write(f(QStringLiteral("one.fits")));
        single().write(f(QStringLiteral("two.fits")));
        test::writeBytes(f(QStringLiteral("all.txt")), "# a list\n\none.fits\n two.fits\n");
        QCOMPARE(ids(groupSceneFiles({f(QStringLiteral("all.txt"))})),
                 QStringList({QStringLiteral("one"), QStringLiteral("two")}));
        test::writeBytes(f(QStringLiteral("loop.lst")), "loop.lst\n");
        QVERIFY(!refusal([&] { (void)groupSceneFiles({f(QStringLiteral("loop.lst"))}); }).isEmpty());
    }

    void equalNamesAreAnError() {
        const Folder f;
        QVERIFY(QDir(f.path()).mkdir(QStringLiteral("x")) && QDir(f.path()).mkdir(QStringLiteral("y")));
        single().write(f(QStringLiteral("x/s.fits")));
        single().write(f(QStringLiteral("y/s.fits")));
        const QStringList both = {f(QStringLiteral("x/s.fits")), f(QStringLiteral("y/s.fits"))};
        QVERIFY_EXCEPTION_THROWN((void)groupSceneFiles(both), UsageError);
        OpenOptions options;
        options.name = QStringLiteral("mine");
        QVERIFY_EXCEPTION_THROWN((void)groupSceneFiles(both, options), UsageError);
        QCOMPARE(ids(groupSceneFiles({both[0]}, options)), QStringList(QStringLiteral("mine")));
        QVERIFY_EXCEPTION_THROWN((void)groupSceneFiles({f(QStringLiteral("absent.fits"))}), ReadError);
        QVERIFY_EXCEPTION_THROWN((void)groupSceneFiles({}), UsageError);
    }

    // ---- roles and bands ------------------------------------------------------------------------------------------
    void rolesByExtension() {
        const Folder f;
        const int n = 40 * 30;
        std::vector<double> mask(n, 0.0);
        mask[5] = 2; // SAT in the LSST order
        mask[6] = 32;
        TinyFits()
            .empty({named("BANDS", QStringLiteral("g,r")), QStringLiteral("MAGZERO = 27.0"),
                    QStringLiteral("PIXSCALE = 0.168")})
            .image(-32, {40, 30}, noise(n),
                   {named("EXTNAME", QStringLiteral("SCI_R")), named("FILTER", QStringLiteral("r"))})
            .image(-32, {40, 30}, noise(n),
                   {named("EXTNAME", QStringLiteral("SCI_G")), named("FILTER", QStringLiteral("g"))})
            .image(-32, {40, 30}, std::vector<double>(n, 4.0), {named("EXTNAME", QStringLiteral("WHT_G"))})
            .image(-32, {40, 30}, noise(n, 9.0, 0.1), {named("EXTNAME", QStringLiteral("VAR_R"))})
            .image(32, {40, 30}, mask, {named("EXTNAME", QStringLiteral("MASK_G"))})
            .image(-32, {5, 5}, std::vector<double>(25, 1.0), {named("EXTNAME", QStringLiteral("PSF_R"))})
            .image(8, {40, 30}, std::vector<double>(n, 1.0), {named("EXTNAME", QStringLiteral("FOOTPRNT"))})
            .table(QStringLiteral("PEAKS"), {QStringLiteral("x"), QStringLiteral("y")}, {{3.0, 9.0}, {4.0, 8.0}})
            .write(f(QStringLiteral("scene.fits")));
        const ScenePtr s = openScenes({f(QStringLiteral("scene.fits"))}).front();
        QCOMPARE(s->bandNames(), QStringList({QStringLiteral("g"), QStringLiteral("r")}));
        QCOMPARE(s->pixelScale, 0.168);
        const Band &g = s->bands[0], &r = s->bands[1];
        QCOMPARE(g.zeroPoint, 27.0);
        QCOMPARE(g.variance->readAll().at<float>(3, 3), 0.25f);
        QVERIFY(std::abs(r.variance->readAll().at<float>(3, 3) - 9.0f) < 1.0f);
        QVERIFY(!g.varianceIsSkyOnly); // constant, but there is no gain to mend it with
        QVERIFY(says(s->assumptions, "band g: the variance is constant"));
        QVERIFY(g.mask && !r.mask);
        QVERIFY(says(s->assumptions, "order of the LSST pipelines"));
        QVERIFY(g.mask->readAll().at<int>(0, 5) & g.unusableBits());
        QVERIFY(g.mask->readAll().at<int>(0, 5) & g.saturatedBits());
        QVERIFY(!(g.mask->readAll().at<int>(0, 6) & g.unusableBits()));
        QVERIFY(r.psf.known() && r.psf.origin == Psf::Origin::Given);
        QVERIFY(s->footprintMask && s->filePeaks.size() == 2 && s->filePeaks[1].y == 8.0);
        QCOMPARE(s->files.front().hdus.size(), 9);
    }

    void extTypeAndMaskPlaneNames() {
        const Folder f;
        std::vector<double> mask(1200, 0.0);
        mask[7] = 16;
        TinyFits()
            .empty({named("FILTER", QStringLiteral("_unknown_"))})
            .image(-32, {40, 30}, noise(1200), {named("EXTTYPE", QStringLiteral("IMAGE"))})
            .image(16, {40, 30}, mask,
                   {named("EXTTYPE", QStringLiteral("MASK")), QStringLiteral("MP_BAD = 0"),
                    QStringLiteral("MP_SAT = 4"), QStringLiteral("HIERARCH MP_NO_DATA = 8")})
            .image(-32, {40, 30}, noise(1200, 5.0, 0.2), {named("EXTTYPE", QStringLiteral("VARIANCE"))})
            .write(f(QStringLiteral("calexp.fits")));
        const ScenePtr s = openScenes({f(QStringLiteral("calexp.fits"))}).front();
        QCOMPARE(s->bands.size(), std::size_t(1));
        const Band& b = s->bands[0];
        QCOMPARE(b.maskNames.value(QStringLiteral("SAT")), 4);
        QCOMPARE(b.maskNames.value(QStringLiteral("NO_DATA")), 8);
        QVERIFY(b.mask->readAll().at<int>(0, 7) & b.saturatedBits());
        QVERIFY(!says(s->assumptions, "LSST"));
        QVERIFY(!says(s->assumptions, "no variance"));
        QVERIFY(says(s->assumptions, "no name in the file"));
    }

    void rolesByFileName() {
        const Folder f;
        single({}, 33, 25).write(f(QStringLiteral("G12fitim.fits")));
        TinyFits().image(-32, {33, 25}, std::vector<double>(825, 2.0)).write(f(QStringLiteral("G12sigma.fits")));
        TinyFits().image(-32, {33, 25}, std::vector<double>(825, 0.0)).write(f(QStringLiteral("G12mskim.fits")));
        TinyFits().image(16, {33, 25}, std::vector<double>(825, 3.0)).write(f(QStringLiteral("G12segim.fits")));
        TinyFits().image(-32, {7, 7}, std::vector<double>(49, 1.0)).write(f(QStringLiteral("G12psfim.fits")));
        const auto scenes = openScenes({f.path()});
        QCOMPARE(scenes.size(), std::size_t(1));
        QCOMPARE(scenes[0]->id, QStringLiteral("G12"));
        QCOMPARE(scenes[0]->bands.size(), std::size_t(1));
        const Band& b = scenes[0]->bands[0];
        QCOMPARE(b.variance->readAll().at<float>(0, 0), 4.0f);
        QVERIFY(b.mask && b.psf.known());
        // A mask opened by itself is an image to look at.
        QCOMPARE(openScenes({f(QStringLiteral("G12mskim.fits"))}).front()->bands.size(), std::size_t(1));
    }

    void psfFilesFindTheirImage() {
        const Folder f;
        single().write(f(QStringLiteral("Cut_HSC1.fits")));
        single({}, 50, 50).write(f(QStringLiteral("Cut_HST1.fits")));
        TinyFits().image(-64, {7, 7}, std::vector<double>(49, 1.0)).write(f(QStringLiteral("PSF_HSC.fits")));
        TinyFits().image(-64, {9, 9}, std::vector<double>(81, 1.0)).write(f(QStringLiteral("PSF_HST.fits")));
        const auto scenes = openScenes({f.path()});
        QCOMPARE(scenes.size(), std::size_t(2));
        QCOMPARE(scenes[0]->bands[0].psf.image.cols, 7);
        QCOMPARE(scenes[1]->bands[0].psf.image.cols, 9);
    }

    void cubesAreBands() {
        const Folder f;
        TinyFits().image(-64, {20, 20, 3}, noise(1200)).write(f(QStringLiteral("cube.fits")));
        const ScenePtr plain = openScenes({f(QStringLiteral("cube.fits"))}).front();
        QCOMPARE(plain->bandNames(), QStringList({QStringLiteral("1"), QStringLiteral("2"), QStringLiteral("3")}));
        OpenOptions options;
        options.bands = QStringList{QStringLiteral("i"), QStringLiteral("r"), QStringLiteral("g")};
        options.zeroPoint[QString()] = 25.0;
        options.zeroPoint[QStringLiteral("r")] = 26.0;
        options.psf[QString()] = QStringLiteral("3pix");
        const ScenePtr s = openScenes({f(QStringLiteral("cube.fits"))}, options).front();
        QCOMPARE(s->bandNames(), QStringList({QStringLiteral("g"), QStringLiteral("r"), QStringLiteral("i")}));
        QCOMPARE(s->bands[2].image->readAll().at<float>(4, 4), plain->bands[0].image->readAll().at<float>(4, 4));
        QCOMPARE(s->bands[0].zeroPoint, 25.0);
        QCOMPARE(s->bands[1].zeroPoint, 26.0);
        QVERIFY(std::abs(s->bands[0].psf.fwhmPixels - 3.0) < 0.2);
        options.bands.removeLast();
        QVERIFY_EXCEPTION_THROWN((void)openScenes({f(QStringLiteral("cube.fits"))}, options), UsageError);
        TinyFits().image(8, {2, 2, 500}, std::vector<double>(2000, 0.0)).write(f(QStringLiteral("spectra.fits")));
        QVERIFY(refusal([&] {
                    (void)openScenes({f(QStringLiteral("spectra.fits"))});
                }).contains(QStringLiteral("500 planes")));
    }

    // ---- calibration ----------------------------------------------------------------------------------------------
    void zeroPointsAndGains_data() {
        QTest::addColumn<QStringList>("cards");
        QTest::addColumn<double>("zeroPoint");
        QTest::addColumn<double>("gain");
        const double nan = std::numeric_limits<double>::quiet_NaN();
        QTest::newRow("none") << QStringList() << nan << 0.0;
        QTest::newRow("MAGZERO") << QStringList{QStringLiteral("MAGZERO = 27.0"), QStringLiteral("GAIN = 3.5")} << 27.0
                                 << 3.5;
        QTest::newRow("FLUXMAG0") << QStringList{QStringLiteral("FLUXMAG0 = 63095734448.0194")} << 27.0 << 0.0;
        QTest::newRow("FLUXMAG0 0") << QStringList{QStringLiteral("FLUXMAG0 = 0.0")} << nan << 0.0;
        // ACS F814W: PHOTFLAM 7.0332E-20, PHOTPLAM 8045.0 -> AB 25.947 (STScI's tables say 25.94 to 25.96).
        QTest::newRow("PHOTFLAM") << QStringList{QStringLiteral("PHOTFLAM = 7.0332E-20"),
                                                 QStringLiteral("PHOTPLAM = 8045.0"),
                                                 named("BUNIT", QStringLiteral("ELECTRONS/S")),
                                                 QStringLiteral("EXPTIME = 1000")}
                                  << 25.946 << 1000.0;
        QTest::newRow("PHOTFLAM counts") << QStringList{QStringLiteral("PHOTFLAM = 7.0332E-20"),
                                                        QStringLiteral("PHOTPLAM = 8045.0"),
                                                        named("BUNIT", QStringLiteral("ELECTRONS")),
                                                        QStringLiteral("EXPTIME = 1000")}
                                         << 33.446 << 1.0;
        QTest::newRow("nanomaggy") << QStringList{named("BUNIT", QStringLiteral("nanomaggy")),
                                                  QStringLiteral("GAIN = 4.7")}
                                   << 22.5 << 0.0;
        QTest::newRow("nJy") << QStringList{named("BUNIT", QStringLiteral("nJy"))} << 31.4 << 0.0;
        QTest::newRow("MJy/sr") << QStringList{named("BUNIT", QStringLiteral("MJy/sr")),
                                               QStringLiteral("PIXAR_SR = 2.1E-14")}
                                << 28.0945 << 0.0;
        QTest::newRow("DECam") << QStringList{named("INSTRUME", QStringLiteral("DECam")),
                                              QStringLiteral("MAGZPT = 24.713"), QStringLiteral("EXPTIME = 167")}
                               << 30.27 << 0.0;
        QTest::newRow("rate of a stack") << QStringList{named("BUNIT", QStringLiteral("electron/s")),
                                                        QStringLiteral("EXPTIME = 1.0")}
                                         << nan << 0.0;
    }
    void zeroPointsAndGains() {
        QFETCH(QStringList, cards);
        QFETCH(double, zeroPoint);
        QFETCH(double, gain);
        const Folder f;
        single(cards).write(f(QStringLiteral("c.fits")));
        const ScenePtr s = openScenes({f(QStringLiteral("c.fits"))}).front();
        if (std::isnan(zeroPoint)) {
            QVERIFY(std::isnan(s->bands[0].zeroPoint));
            QVERIFY(says(s->assumptions, "zero point is not known"));
        } else {
            QVERIFY2(std::abs(s->bands[0].zeroPoint - zeroPoint) < 2e-3,
                     qPrintable(QString::number(s->bands[0].zeroPoint, 'f', 4)));
        }
        QCOMPARE(s->bands[0].gain, gain);
    }

    void constantVarianceIsTheSkysAlone() {
        const Folder f;
        TinyFits()
            .image(-32, {40, 30}, noise(1200), {named("FILTER", QStringLiteral("g")), QStringLiteral("GAIN = 2.0")})
            .image(-32, {40, 30}, std::vector<double>(1200, 1.5), {named("EXTNAME", QStringLiteral("VAR_G"))})
            .write(f(QStringLiteral("v.fits")));
        const ScenePtr s = openScenes({f(QStringLiteral("v.fits"))}).front();
        QVERIFY(s->bands[0].varianceIsSkyOnly);
        QCOMPARE(s->bands[0].gain, 2.0);
    }

    void missingVarianceIsEstimated() {
        const Folder f;
        TinyFits().image(-32, {128, 128}, noise(16384, 100.0, 3.0)).write(f(QStringLiteral("n.fits")));
        const ScenePtr s = openScenes({f(QStringLiteral("n.fits"))}).front();
        QVERIFY(says(s->assumptions, "no variance"));
        const double mean = cv::mean(s->bands[0].variance->read({32, 32, 64, 64}))[0];
        QVERIFY2(std::abs(mean / 9.0 - 1.0) < 0.15, qPrintable(QString::number(mean)));
    }

    void headerFwhmGivesAPsf() {
        const Folder f;
        single(kWcs + QStringList{QStringLiteral("PSFFWHM = 0.8")}).write(f(QStringLiteral("p.fits")));
        const Band b = openScenes({f(QStringLiteral("p.fits"))}).front()->bands[0];
        QCOMPARE(b.psf.origin, Psf::Origin::FromFwhm);
        QVERIFY(std::abs(b.psf.fwhmPixels - 4.0) < 0.1);
    }

    // ---- grids ----------------------------------------------------------------------------------------------------
    void unregisteredBandsAreSaidAndResampled() {
        const Folder f;
        // One blob on the sky, in two grids that differ by (3, -2) pixels.
        const auto blob = [](double cx, double cy) {
            std::vector<double> v;
            for (int y = 0; y < 60; ++y) {
                for (int x = 0; x < 60; ++x) {
                    v.push_back(1000.0 * std::exp(-0.5 * ((x - cx) * (x - cx) + (y - cy) * (y - cy)) / 4.0));
                }
            }
            return v;
        };
        QStringList moved = kWcs;
        moved.replaceInStrings(QStringLiteral("CRPIX1 = 20.5"), QStringLiteral("CRPIX1 = 23.5"));
        moved.replaceInStrings(QStringLiteral("CRPIX2 = 15.5"), QStringLiteral("CRPIX2 = 13.25"));
        TinyFits().image(-32, {60, 60}, blob(30, 30), kWcs).write(f(QStringLiteral("u_g.fits")));
        TinyFits().image(-32, {60, 60}, blob(33, 27.75), moved).write(f(QStringLiteral("u_r.fits")));
        const ScenePtr s = openScenes({f.path()}).front();
        QVERIFY(says(s->warnings, "not registered"));
        QVERIFY(says(s->warnings, "3.8 pixels"));
        OpenOptions options;
        options.resample = true;
        const ScenePtr r = openScenes({f.path()}, options).front();
        QVERIFY(!says(r->warnings, "not registered"));
        QVERIFY(says(r->assumptions, "resampled"));
        const cv::Mat g = r->bands[0].image->readAll()(cv::Rect(15, 15, 30, 30));
        const cv::Mat red = r->bands[1].image->readAll()(cv::Rect(15, 15, 30, 30));
        QVERIFY2(cv::norm(g, red, cv::NORM_INF) < 12.0, qPrintable(QString::number(cv::norm(g, red, cv::NORM_INF))));
        QVERIFY(std::abs(cv::sum(red)[0] / cv::sum(g)[0] - 1.0) < 1e-3);
    }

    void scalingPcMatrixIsAWarning() {
        const Folder f;
        QStringList cards = kWcs.mid(0, 6);
        cards << QStringLiteral("CDELT1 = 5.55E-6") << QStringLiteral("CDELT2 = 5.55E-6")
              << QStringLiteral("PC1_1 = -0.644") << QStringLiteral("PC2_2 = 0.644");
        single(cards).write(f(QStringLiteral("w.fits")));
        const ScenePtr s = openScenes({f(QStringLiteral("w.fits"))}).front();
        QVERIFY(says(s->warnings, "PC matrix"));
        QVERIFY(std::abs(s->pixelScale - 0.02 * 0.644) < 1e-4);
    }

    // ---- truth ----------------------------------------------------------------------------------------------------
    void truthByMagnitudesAndFluxes() {
        const Folder f;
        TinyFits()
            .image(-32, {40, 30}, noise(1200), {named("FILTER", QStringLiteral("g")), QStringLiteral("MAGZERO = 27.0")})
            .image(-32, {40, 30}, noise(1200), {named("FILTER", QStringLiteral("r")), QStringLiteral("MAGZERO = 27.0")})
            .table(QStringLiteral("TRUTH"),
                   {QStringLiteral("x"), QStringLiteral("y"), QStringLiteral("mag_G"), QStringLiteral("flux_r"),
                    QStringLiteral("hlr"), QStringLiteral("z")},
                   {{5, 6}, {7, 8}, {27.0, 22.0}, {3.0, 4.0}, {0.5, 0.6}, {1.5, 2.5}})
            .image(-32, {40, 30, 2}, std::vector<double>(2400, 1.0), {named("EXTNAME", QStringLiteral("ISO_G"))})
            .image(-32, {40, 30, 2}, std::vector<double>(2400, 2.0), {named("EXTNAME", QStringLiteral("ISO_R"))})
            .write(f(QStringLiteral("t.fits")));
        const ScenePtr s = openScenes({f(QStringLiteral("t.fits"))}).front();
        QVERIFY(s->truth);
        QCOMPARE(s->truth->objects.size(), std::size_t(2));
        const TruthObject& o = s->truth->objects[1];
        QCOMPARE(o.id, 2);
        QCOMPARE(o.x, 6.0);
        QVERIFY(std::abs(o.flux[0] - 100.0) < 1e-9);
        QCOMPARE(o.flux[1], 4.0);
        QCOMPARE(o.hlrArcsec, 0.6);
        QCOMPARE(o.columns.value(QStringLiteral("z")), 2.5);
        QCOMPARE(s->truth->isolated.size(), std::size_t(2));
        QCOMPARE(s->truth->isolated[1][1]->readAll().at<float>(2, 2), 2.0f);
    }

    // ---- writing --------------------------------------------------------------------------------------------------
    void writtenScenesReadBack_data() {
        QTest::addColumn<QString>("name");
        QTest::newRow("plain") << QStringLiteral("w.fits");
        QTest::newRow("gzip") << QStringLiteral("w.fits.gz");
    }
    void writtenScenesReadBack() {
        QFETCH(QString, name);
        const Folder f;
        Scene s;
        s.id = QStringLiteral("w");
        s.size = {31, 23};
        s.wcs = Wcs::tangent({150, 2}, {15, 11}, 0.2);
        s.pixelScale = 0.2;
        Truth truth;
        for (const char* bandName : {"g", "Y"}) {
            Band b;
            b.name = QLatin1String(bandName);
            cv::Mat image(s.size.height, s.size.width, CV_32F, cv::Scalar(1.25));
            image.at<float>(3, 4) = std::numeric_limits<float>::quiet_NaN();
            image.at<float>(20, 30) = 77.5f;
            b.image = std::make_shared<MemoryPlane>(image);
            b.variance = std::make_shared<ConstantPlane>(s.size, 2.5f);
            cv::Mat mask = cv::Mat::zeros(s.size, CV_32S);
            mask.at<int>(1, 2) = 1 << 20;
            b.mask = std::make_shared<MemoryPlane>(mask);
            b.maskNames = {{QStringLiteral("UNMASKEDNAN"), 20}, {QStringLiteral("SAT"), 1}};
            b.psf = Psf::moffat(3.5);
            b.zeroPoint = 31.25;
            b.gain = 1.5;
            b.varianceIsSkyOnly = true;
            b.skySubtracted = true;
            b.wavelength = filterWavelength(b.name);
            s.bands.push_back(b);
            truth.isolated.push_back(
                {std::make_shared<ConstantPlane>(s.size, 3.0f), std::make_shared<ConstantPlane>(s.size, 4.0f)});
            truth.noiseless.push_back(std::make_shared<ConstantPlane>(s.size, 7.0f));
        }
        for (int i = 1; i <= 2; ++i) {
            TruthObject o;
            o.id = i;
            o.kind = i == 1 ? QStringLiteral("gal") : QStringLiteral("star");
            o.x = 3.5 * i;
            o.y = 2.25;
            o.flux = {10.0 * i, std::nan("")};
            o.hlrArcsec = 0.4;
            o.columns[QStringLiteral("z")] = 0.7;
            truth.objects.push_back(o);
        }
        truth.segmentation = std::make_shared<MemoryPlane>(cv::Mat(s.size, CV_32S, cv::Scalar(2)));
        s.truth = truth;
        s.filePeaks = {{1.5, 2.5}};
        writeScene(s, f(name));

        const ScenePtr r = openScenes({f(name)}).front();
        QCOMPARE(r->id, s.id);
        QCOMPARE(r->bandNames(), s.bandNames());
        QCOMPARE(r->size, s.size);
        QVERIFY(std::abs(r->pixelScale - 0.2) < 1e-6);
        const auto sky = r->wcs.toSky(15, 11);
        QVERIFY(sky && std::abs(sky->ra - 150) < 1e-9);
        for (std::size_t b = 0; b < 2; ++b) {
            const Band &in = s.bands[b], &out = r->bands[b];
            const cv::Mat image = out.image->readAll();
            QVERIFY(std::isnan(image.at<float>(3, 4)));
            QCOMPARE(image.at<float>(20, 30), 77.5f);
            QCOMPARE(out.variance->readAll().at<float>(5, 5), 2.5f);
            QCOMPARE(out.mask->readAll().at<int>(1, 2), 1 << 20);
            QCOMPARE(out.maskNames, in.maskNames);
            QCOMPARE(out.zeroPoint, in.zeroPoint);
            QCOMPARE(out.gain, in.gain);
            QVERIFY(out.varianceIsSkyOnly && out.skySubtracted);
            QVERIFY(cv::norm(in.psf.image, out.psf.image, cv::NORM_INF) < 1e-6);
            QCOMPARE(r->truth->isolated[b][1]->readAll().at<float>(0, 0), 4.0f);
            QCOMPARE(r->truth->noiseless[b]->readAll().at<float>(0, 0), 7.0f);
        }
        QCOMPARE(r->truth->objects.size(), std::size_t(2));
        QCOMPARE(r->truth->objects[1].kind, QStringLiteral("star"));
        QCOMPARE(r->truth->objects[1].flux[0], 20.0);
        QVERIFY(std::isnan(r->truth->objects[1].flux[1]));
        QCOMPARE(r->truth->objects[0].columns.value(QStringLiteral("z")), 0.7);
        QCOMPARE(r->truth->segmentation->readAll().at<int>(0, 0), 2);
        QCOMPARE(r->filePeaks.size(), std::size_t(1));
        QVERIFY2(r->warnings.isEmpty(), qPrintable(r->warnings.join(QLatin1Char('\n'))));
        QVERIFY2(r->assumptions.isEmpty(), qPrintable(r->assumptions.join(QLatin1Char('\n'))));
        QVERIFY_EXCEPTION_THROWN(writeScene(s, f(QStringLiteral("no/such/folder.fits"))), WriteError);
    }

    // ---- the shared data set --------------------------------------------------------------------------------------
    void opensBlends_data() {
        QTest::addColumn<QString>("folder");
        for (const char* folder : {"btk/scenes", "btk/stamps", "hsc_real", "hsc_injected"}) {
            QTest::newRow(folder) << QString::fromLatin1(folder);
        }
    }
    void opensBlends() {
        QFETCH(QString, folder);
        const QString path = test::sharedData(folder);
        if (path.isEmpty()) QSKIP(test::sharedDataMissing());
        const bool btk = folder.startsWith(QLatin1String("btk"));
        const auto scenes = openScenes({path});
        QVERIFY(scenes.size() > 2);
        for (const ScenePtr& s : scenes) {
            QCOMPARE(s->bandNames().join(QString()), btk ? QStringLiteral("ugrizy") : QStringLiteral("grizy"));
            QVERIFY2(s->warnings.isEmpty(), qPrintable(s->id + s->warnings.join(QLatin1Char(' '))));
            for (const Band& b : s->bands) {
                QCOMPARE(b.image->size(), s->size);
                QCOMPARE(b.variance->size(), s->size);
                QVERIFY(b.psf.known() && b.psf.origin == Psf::Origin::Given);
                QVERIFY(cv::sum(b.image->readAll())[0] != 0.0);
                QVERIFY(!b.variance->readAll().empty());
                if (btk) QVERIFY(b.varianceIsSkyOnly && b.gain == 1.0 && b.zeroPoint > 30.0);
                if (!btk) QCOMPARE(b.zeroPoint, 27.0);
            }
            if (btk) {
                QVERIFY(s->truth && !s->truth->objects.empty());
                QVERIFY(s->wcs.isValid() && std::abs(s->pixelScale - 0.2) < 1e-4);
                QCOMPARE(s->truth->objects[0].kind, QStringLiteral("gal"));
                QCOMPARE(s->truth->isolated.size(),
                         folder.endsWith(QLatin1String("stamps")) ? std::size_t(6) : std::size_t(0));
                // The table's sky positions and ours agree on where the pixels are.
                const TruthObject& o = s->truth->objects[0];
                const auto sky = s->wcs.toSky(o.x, o.y);
                double dra = sky->ra - o.columns[QStringLiteral("ra")];
                dra -= 360.0 * std::round(dra / 360.0);
                QVERIFY(std::abs(dra) < 1e-6 && std::abs(sky->dec - o.columns[QStringLiteral("dec")]) < 1e-6);
            } else {
                QCOMPARE(s->pixelScale, 0.168);
                QVERIFY(!s->filePeaks.empty());
            }
            if (folder == QLatin1String("hsc_injected")) {
                QVERIFY(s->truth && s->truth->objects[0].flux[2] > 0.0);
                QVERIFY(s->footprintMask && s->bands[0].mask);
            }
        }
    }

    void opensFieldsAsTheirReadmeSays() {
        if (test::sharedData(QStringLiteral("jwst_10766")).isEmpty()) QSKIP(test::sharedDataMissing());
        const auto open = [](const char* folder) { return openScenes({test::sharedData(QLatin1String(folder))}); };
        const auto jwst = open("jwst_10766");
        QCOMPARE(jwst.size(), std::size_t(2));
        QCOMPARE(jwst[0]->bandNames().join(QLatin1Char(' ')), QStringLiteral("f115w f150w f200w"));
        QCOMPARE(jwst[1]->bandNames().join(QLatin1Char(' ')), QStringLiteral("f277w f356w f410m f444w"));
        for (const ScenePtr& s : jwst) {
            QVERIFY(says(s->warnings, "PC matrix"));
            QVERIFY(!says(s->assumptions, "no variance"));
        }
        QVERIFY(std::abs(jwst[0]->pixelScale - 0.0129) < 1e-4);
        QVERIFY(jwst[1]->bands[0].psf.known() && jwst[1]->bands[3].psf.known());

        const auto xdf = open("hst_xdf");
        QCOMPARE(xdf.size(), std::size_t(1));
        QCOMPARE(xdf[0]->bandNames().join(QLatin1Char(' ')), QStringLiteral("f105w f160w"));
        QVERIFY(!says(xdf[0]->assumptions, "no variance"));
        QVERIFY(std::abs(xdf[0]->pixelScale - 0.06) < 1e-4);

        const auto pair = open("hsc_hst_pair");
        QCOMPARE(pair.size(), std::size_t(2));
        QCOMPARE(pair[0]->bands.size(), std::size_t(5));
        QVERIFY(pair[0]->bands[4].psf.known() && pair[1]->bands[0].psf.known());
        QVERIFY(std::abs(pair[0]->pixelScale - 0.168) < 1e-4 && std::abs(pair[1]->pixelScale - 0.03) < 1e-4);

        const auto decals = open("decals_a1689");
        QCOMPARE(decals.size(), std::size_t(1));
        QCOMPARE(decals[0]->bandNames().join(QLatin1Char(' ')), QStringLiteral("g r z"));
        QVERIFY(std::abs(decals[0]->pixelScale - 0.262) < 1e-4);
        QVERIFY(decals[0]->bands[1].psf.origin == Psf::Origin::Stars);
        QVERIFY(decals[0]->warnings.isEmpty());

        const auto stamps = open("kids_stamps");
        QCOMPARE(stamps.size(), std::size_t(2));
        QVERIFY(stamps[0]->bands[0].mask && stamps[0]->bands[0].psf.known());

        const auto field = open("kids_field");
        QCOMPARE(field.size(), std::size_t(1));
        QCOMPARE(field[0]->id, QStringLiteral("kids_field"));
        QCOMPARE(field[0]->bandNames().join(QLatin1Char(' ')), QStringLiteral("g r i Ks"));
        QCOMPARE(field[0]->size, cv::Size(2600, 2600));

        const auto m2 = open("sdss_m2");
        QCOMPARE(m2.size(), std::size_t(2));
        const ScenePtr sdss = m2[0]->truth ? m2[1] : m2[0];
        QVERIFY(says(sdss->warnings, "not registered"));
        QCOMPARE(sdss->bands[0].zeroPoint, 22.5);
        OpenOptions options;
        options.resample = true;
        const ScenePtr together =
            openScenes({test::sharedData(QStringLiteral("sdss_m2/sdss_2583_2_136_m2_outskirts.fits.gz"))}, options)
                .front();
        QVERIFY(says(together->assumptions, "resampled"));
        // By their WCS the bands then show the same stars: their images correlate, which they do not before.
        const auto correlation = [](const Scene& s) {
            cv::Mat a = s.bands[1].image->readAll()(cv::Rect(40, 40, 200, 200)).clone();
            cv::Mat b = s.bands[0].image->readAll()(cv::Rect(40, 40, 200, 200)).clone();
            a -= cv::mean(a)[0];
            b -= cv::mean(b)[0];
            return a.dot(b) / std::sqrt(a.dot(a) * b.dot(b));
        };
        const double before = correlation(*sdss), after = correlation(*together);
        QVERIFY2(after > 0.8 && after > 2.0 * before, qPrintable(QStringLiteral("%1 -> %2").arg(before).arg(after)));
    }

    void oddFilesOpenOrFailInWords_data() {
        QTest::addColumn<QString>("path");
        int found = 0;
        for (const char* folder : {"odd", "single", "cosmos_stamps", "catalogs"}) {
            const QString path = test::sharedData(QLatin1String(folder));
            if (path.isEmpty()) continue;
            for (const QFileInfo& info : QDir(path).entryInfoList(QDir::Files)) {
                QTest::newRow(qPrintable(info.fileName())) << info.filePath();
                ++found;
            }
        }
        if (!found) QTest::newRow("none") << QString();
    }
    void oddFilesOpenOrFailInWords() {
        QFETCH(QString, path);
        if (path.isEmpty()) QSKIP(test::sharedDataMissing());
        const QString words = refusal([&] {
            for (const ScenePtr& s : openScenes({path})) {
                QVERIFY(!s->bands.empty());
                for (const Band& b : s->bands) {
                    QCOMPARE(b.image->readAll().size(), s->size);
                    QCOMPARE(b.variance->readAll().size(), s->size);
                    if (b.mask) QCOMPARE(b.mask->readAll().size(), s->size);
                }
            }
        });
        if (!words.isEmpty()) QVERIFY2(words.contains(QFileInfo(path).fileName()), qPrintable(words));
        const QString name = QFileInfo(path).fileName();
        for (const char* refused : {"lfs_pointer.fits", "truncated_HSC-0908120-056-small.fits", "great3.fits",
                                    "verify.fits", "history_header.fits", "catsim_10000.fits"}) {
            if (name == QLatin1String(refused)) QVERIFY2(!words.isEmpty(), refused);
        }
        for (const char* opened :
             {"HSC-0908120-056-small.fits", "m13_rice.fits", "lzw.fits.Z", "testF.fits.gz", "comp.fits",
              "sep_image.fits", "decam-520206-S16-image-sub.fits", "ntt_galaxies.fits"}) {
            if (name == QLatin1String(opened)) QVERIFY2(words.isEmpty(), qPrintable(words));
        }
    }

    void headerText() {
        const Folder f;
        single({named("FILTER", QStringLiteral("g"))}).write(f(QStringLiteral("h.fits")));
        QVERIFY(readHeaderText(f(QStringLiteral("h.fits")), 1).contains(QStringLiteral("FILTER  = 'g'")));
        QVERIFY(!refusal([&] { (void)readHeaderText(f(QStringLiteral("h.fits")), 7); }).isEmpty());
    }

    void filterNames_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<double>("from");
        QTest::addColumn<double>("to");
        const auto row = [](const char* name, double from, double to) {
            QTest::newRow(name) << QString::fromLatin1(name) << from << to;
        };
        row("g", 460, 500), row("HSC-G", 460, 500), row("HSC-R2", 600, 660), row("F814W", 800, 830),
            row("f160w", 1500, 1600);
        row("F444W", 4300, 4500), row("F115W", 1100, 1200), row("Ks", 2100, 2200), row("y", 950, 1000),
            row("r_sdss", 600, 660);
        row("z DECam SDSS c0004 9260.0 1520.0", 850, 950), row("g.MP9401", 460, 500), row("F435W", 430, 440),
            row("F1000W", 9900, 10100);
        row("i'", 740, 780), row("", 0, 0), row("Clear", 0, 0), row("plane 3", 0, 0), row("LSST_u", 340, 390);
    }
    void filterNames() {
        QFETCH(QString, name);
        QFETCH(double, from);
        QFETCH(double, to);
        const double nm = filterWavelength(name);
        QVERIFY2(nm >= from && nm <= to, qPrintable(QString::number(nm)));
    }
};

QTEST_GUILESS_MAIN(TestSceneReader)
#include "tst_SceneReader.moc"
