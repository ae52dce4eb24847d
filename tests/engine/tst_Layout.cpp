#include "core/Error.h"
#include "simulate/Catalogue.h"
#include "simulate/Simulator.h"
#include "simulate/StampStream.h"
#include "support/TestData.h"

#include <QDir>
#include <QJsonDocument>
#include <QTest>
#include <cmath>
#include <set>

using namespace blendscope;

namespace {

QJsonObject parse(const QString& text) {
    QString json = text;
    json.replace(QLatin1Char('\''), QLatin1Char('"'));
    return QJsonDocument::fromJson(json.toUtf8()).object();
}

QJsonObject stamp(const char* layout, const QString& more = QString()) {
    return parse(QStringLiteral("{'survey': 'lsst', 'bands': ['r', 'i'], 'size': [120, 120], 'layout': %1%2}")
                     .arg(QLatin1String(layout), more));
}

std::vector<Galaxy> objects(const QJsonObject& recipe, int index) {
    return StampStream(recipe, 11).stamp(index).objects;
}

double refused(const QJsonObject& recipe, const char* key) {
    try {
        (void)Recipe::fromJson(recipe);
        return false;
    } catch (const UsageError& e) {
        return e.message().contains(QLatin1String(key));
    }
}

} // namespace

class TestLayout : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void starsAsManyAsInADirection() {
        const auto field = [](const char* stars) {
            return parse(QStringLiteral("{'survey': 'lsst', 'bands': ['i'], 'size': [3000, 3000], 'stars': %1}")
                             .arg(QLatin1String(stars)));
        };
        const QJsonObject recipe = field("{'galactic': [120, 30], 'magnitudes': [17, 24]}");
        const auto drawn = static_cast<double>(objects(recipe, 0).size());
        const double wanted = 100.0 * StarCounts(120.0, 30.0).density(17.0, 24.0); // 10 arcmin a side
        QVERIFY(wanted > 100.0);
        QVERIFY(std::abs(drawn - wanted) < 5.0 * std::sqrt(wanted));
        QVERIFY(refused(field("{'galactic': [120, 5]}"), "galactic"));
        QVERIFY(refused(field("{'galactic': [120]}"), "galactic"));
        QVERIFY(refused(field("{'galactic': [120, 50], 'density': 3}"), "density"));
    }

    void samplings() {
        std::set<size_t> counts;
        const StampStream standard(stamp("{'kind': 'default'}"), 11);
        for (int i = 0; i < 30; ++i) {
            const auto all = standard.stamp(i).objects;
            counts.insert(all.size());
            for (const Galaxy& g : all) {
                QVERIFY(g.magnitude[1] <= 25.35);
                QVERIFY(std::abs(g.x - 59.5) <= 12.0 && std::abs(g.y - 59.5) <= 12.0);
            }
        }
        QCOMPARE(counts, (std::set<size_t>{1, 2}));

        counts.clear();
        const StampStream basic(stamp("{'kind': 'basic'}"), 11);
        for (int i = 0; i < 30; ++i) {
            const auto all = basic.stamp(i).objects;
            counts.insert(all.size());
            QVERIFY(all.front().magnitude[1] <= 24.05);
        }
        QCOMPARE(*counts.begin(), size_t(1));
        QCOMPARE(*counts.rbegin(), size_t(4));

        double sum = 0.0;
        const StampStream dense(stamp("{'kind': 'density'}"), 11);
        for (int i = 0; i < 10; ++i) {
            sum += double(dense.stamp(i).objects.size());
        }
        QVERIFY2(std::abs(sum / 10.0 - 185.0 * 0.16) < 6.0, qPrintable(QString::number(sum / 10.0)));
    }

    void pairsAsAsked() {
        const QJsonObject recipe =
            stamp("{'kind': 'pair', 'magnitudes': [21, 24], 'separation': [1, 2], 'difference': [0.5, 1.5]}");
        for (int i = 0; i < 10; ++i) {
            const auto all = objects(recipe, i);
            QCOMPARE(all.size(), size_t(2));
            const double separation = 0.2 * std::hypot(all[0].x - all[1].x, all[0].y - all[1].y);
            const double difference = all[1].magnitude[1] - all[0].magnitude[1];
            QVERIFY(separation >= 1.0 && separation <= 2.0);
            QVERIFY(difference >= 0.5 && difference <= 1.5);
        }
    }

    void gridVisitsEveryCell() {
        QJsonObject recipe =
            stamp("{'kind': 'grid', 'separations': [0.5, 1.5], 'differences': [0, 2], 'seeings': [1, 1.4],"
                  "'repeat': 2, 'magnitude': 22}");
        std::set<std::tuple<double, double, double>> cells;
        for (int i = 0; i < 16; ++i) {
            const ScenePtr s = simulateScene(recipe, 3, i);
            const auto& c = s->truth->objects[0].columns;
            cells.insert({c[QStringLiteral("grid_separation")], c[QStringLiteral("grid_difference")],
                          c[QStringLiteral("grid_seeing")]});
            QVERIFY(std::abs(c[QStringLiteral("nn_sep")] - c[QStringLiteral("grid_separation")]) < 1e-6);
            QVERIFY(std::abs(s->truth->objects[1].columns[QStringLiteral("mag_i")] - c[QStringLiteral("mag_i")] -
                             c[QStringLiteral("grid_difference")]) < 1e-6);
            QVERIFY(std::abs(s->bands[1].psf.fwhmPixels / (3.95 * c[QStringLiteral("grid_seeing")]) - 1.0) < 0.06);
        }
        QCOMPARE(cells.size(), size_t(8));
    }

    void canonicalPairs() {
        const QJsonObject recipe = loadRecipe(QStringLiteral("canonical"));
        const QStringList names = {QStringLiteral("recognized"), QStringLiteral("unrecognized"),
                                   QStringLiteral("shredded"), QStringLiteral("undetected"), QStringLiteral("merged")};
        for (int i = 0; i < 5; ++i) {
            const ScenePtr s = simulateScene(recipe, 1, i);
            QCOMPARE(s->id, QStringLiteral("canonical_000%1_%2").arg(i).arg(names[i]));
            QCOMPARE(s->truth->objects.size(), size_t(2));
        }
        const ScenePtr faint = simulateScene(recipe, 1, 3);
        QVERIFY(std::abs(faint->truth->objects[1].columns[QStringLiteral("snr_det")] - 3.0) < 0.05);
    }

    void everyRecipeDraws() {
        const QDir folder(QStringLiteral(BLENDSCOPE_SOURCE_DIR "/resources/recipes"));
        int count = 0;
        for (const QString& file : folder.entryList({QStringLiteral("*.json")}, QDir::Files)) {
            const Recipe recipe = Recipe::fromJson(loadRecipe(file.chopped(5)));
            QVERIFY2(recipe.name == file.chopped(5) && !recipe.title.isEmpty(), qPrintable(file));
            ++count;
        }
        QVERIFY(count >= 8);
    }

    void magnitudesOfBandsThatAreMissing() {
        const std::vector<double> at = {400.0, 600.0, 800.0};
        QCOMPARE(interpolateMagnitude(at, {20.0, 22.0, 23.0}, 700.0), 22.5);
        for (const double missing : {std::nan(""), 99.0, -99.0}) {
            QCOMPARE(interpolateMagnitude(at, {20.0, missing, 22.0}, 600.0), 21.0);
            QCOMPARE(interpolateMagnitude(at, {missing, 21.0, missing}, 900.0), 21.0);
            QVERIFY(std::isnan(interpolateMagnitude(at, {missing, missing, missing}, 600.0)));
        }
    }

    void catalogues() {
        const QString catsim = test::sharedData(QStringLiteral("catalogs/catsim_10000.fits"));
        if (catsim.isEmpty()) QSKIP(test::sharedDataMissing());
        const auto catalogue = Catalogue::open(catsim);
        QVERIFY(catalogue->size() > 9900 && catalogue->hasPositions());
        const auto [first, last] = catalogue->between(22.0, 23.0);
        QVERIFY(last > first && catalogue->row(first).magnitude >= 22.0 && catalogue->row(last - 1).magnitude <= 23.0);
        const Survey lsst = Survey::load(QStringLiteral("lsst"));
        Random random(1);
        for (int i = first; i < std::min(last, first + 50); ++i) {
            const Galaxy g = catalogue->galaxy(i, lsst, random);
            const size_t band = 3;
            QVERIFY(std::abs(lsst.electrons(lsst.bands[band], g.magnitude[band]) / g.totalFlux(band) - 1.0) < 1e-6);
            QVERIFY(std::abs(g.magnitude[band] - catalogue->row(i).magnitude) < 0.1);
        }
        for (const std::vector<int>& group : catalogue->groups(10.0, 2, 5, 26.0)) {
            QVERIFY(group.size() >= 2 && group.size() <= 5);
        }
        const QString more = QStringLiteral(", 'catalogue': '%1'").arg(catsim);
        QVERIFY(!objects(stamp("{'kind': 'default', 'number': [3, 3]}", more), 0).empty());
        QVERIFY(objects(stamp("{'kind': 'group', 'link': 6}", more), 1).size() >= 2);
        (void)objects(stamp("{'kind': 'square'}", more), 1);

        const QString cosmos =
            test::sharedData(QStringLiteral("cosmos_stamps/real_galaxy_catalog_26_extension_example.fits"));
        const QString real = QStringLiteral(", 'catalogue': '%1'").arg(cosmos);
        const StampStream stream(stamp("{'kind': 'default', 'number': [1, 1], 'shift': 0}", real), 2);
        const StampStream::Stamp s = stream.stamp(0);
        QCOMPARE(s.objects.size(), size_t(1));
        QVERIFY(std::abs(cv::sum(s.noiseless[1])[0] / s.objects[0].totalFlux(1) - 1.0) < 0.02);
        // Hubble's own galaxies cannot be made sharper than they are.
        QVERIFY_EXCEPTION_THROWN(
            (void)simulateScene(
                parse(QStringLiteral("{'survey': 'lsst', 'size': [64, 64], 'galaxies': {'count': [1, 1]},"
                                     "'catalogue': '%1', 'seeing': {'factor': 0.1}}")
                          .arg(cosmos)),
                1, 0),
            UsageError);
    }

    void unfit() {
        QVERIFY(refused(stamp("{'kind': 'circle'}"), "layout.kind"));
        QVERIFY(refused(stamp("{'kind': 'group'}"), "catalogue"));
        QVERIFY(refused(stamp("{'kind': 'cases'}"), "layout.cases"));
        QVERIFY(refused(stamp("{'kind': 'grid', 'separations': [-1]}"), "layout.separations"));
        QVERIFY(refused(stamp("{'number': [1, 2]}"), "layout.number"));
        QVERIFY_EXCEPTION_THROWN((void)Catalogue::open(QStringLiteral("/nowhere.fits")), ReadError);
    }
};

QTEST_GUILESS_MAIN(TestLayout)
#include "tst_Layout.moc"
